//! The traffic between the browser and the service, counted by a relay.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A relay in front of a service that counts the bytes in both directions. It ends when this is dropped.
#[derive(Debug)]
pub struct Meter {
    address: String,
    bytes: Arc<AtomicU64>,
    relay: JoinHandle<()>,
}

impl Meter {
    /// Starts a relay in front of the service at this address, which must end with a slash.
    pub async fn before(address: &str) -> Self {
        let (host, path) = address
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once('/'))
            .unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let bytes = Arc::new(AtomicU64::new(0));
        let (counter, host) = (bytes.clone(), host.to_owned());
        let relay = tokio::spawn(async move {
            while let Ok((browser, _)) = listener.accept().await {
                let Ok(service) = TcpStream::connect(&host).await else {
                    continue;
                };
                let (from_browser, to_browser) = browser.into_split();
                let (from_service, to_service) = service.into_split();
                tokio::spawn(carry(from_browser, to_service, counter.clone()));
                tokio::spawn(carry(from_service, to_browser, counter.clone()));
            }
        });
        Self {
            address: format!("http://127.0.0.1:{port}/{path}"),
            bytes,
            relay,
        }
    }

    /// Returns the address of the page behind the relay.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the number of bytes since the last call.
    pub fn take(&self) -> u64 {
        self.bytes.swap(0, Ordering::Relaxed)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.relay.abort();
    }
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    counter: Arc<AtomicU64>,
) {
    let mut piece = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        counter.fetch_add(length as u64, Ordering::Relaxed);
        if to.write_all(&piece[..length]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
