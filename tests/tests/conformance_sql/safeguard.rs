//! Stores without one of their safeguards, to prove that a case fails: statements are changed on their way to the
//! server.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// A safeguard that is removed from the statements of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Safeguard {
    /// Fire times are unique among scheduled runs.
    UniqueKey,
    /// A node without a lease changes nothing.
    Fence,
    /// A job is locked while its runs are counted.
    RowLock,
}

impl Safeguard {
    /// Returns the statement without the safeguard.
    fn taken_out_of(self, sql: &str) -> String {
        match self {
            Self::UniqueKey => {
                let sql = sql.replace("CREATE UNIQUE INDEX", "CREATE INDEX");
                match (sql.find("ON CONFLICT (job_id"), sql.find("DO NOTHING")) {
                    (Some(start), Some(end)) if start < end => {
                        sql[..start].to_owned() + &sql[end + "DO NOTHING".len()..]
                    }
                    _ => sql,
                }
            }
            Self::Fence => sql.replace("AND lease_until > ", "AND 0 < "),
            Self::RowLock => sql
                .replace(" FOR UPDATE SKIP LOCKED", "")
                .replace(" FOR UPDATE", ""),
        }
    }
}

/// A proxy that removes a safeguard from the statements to a server.
#[derive(Debug)]
pub(crate) struct Without {
    /// The URL of the server.
    pub(crate) url: String,
    took_out: Arc<AtomicBool>,
}

impl Without {
    /// Listens in front of the server of this URL for as long as the runtime lives.
    pub(crate) async fn new(safeguard: Safeguard, url: &str) -> Self {
        let options: PgConnectOptions = url.parse().unwrap();
        let server = (options.get_host().to_owned(), options.get_port());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let took_out = Arc::new(AtomicBool::new(false));
        let has = took_out.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&server).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let has = has.clone();
                // Both end when their connection does.
                tokio::spawn(async move { ask(safeguard, from_client, to_server, &has).await });
                tokio::spawn(answer(from_server, to_client));
            }
        });
        // The statements must not be encrypted.
        let options = options.host("127.0.0.1").port(port);
        let options = options.ssl_mode(PgSslMode::Disable);
        Self {
            url: options.to_url_lossy().into(),
            took_out,
        }
    }

    /// Returns `true` if any statement contained the safeguard.
    pub(crate) fn took_out(&self) -> bool {
        self.took_out.load(Ordering::SeqCst)
    }
}

async fn answer(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<u64> {
    tokio::io::copy(&mut from, &mut to).await
}

/// Forwards messages: the first has no type, each later one has a type byte; then follow length and body.
async fn ask(
    safeguard: Safeguard,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    took_out: &AtomicBool,
) -> io::Result<()> {
    let start_up = body(&mut from).await?;
    to.write_all(&message(&start_up)).await?;
    loop {
        let kind = from.read_u8().await?;
        let mut body = body(&mut from).await?;
        // A query, or a statement to prepare, whose name precedes its text; parameter types may follow.
        let texts = match kind {
            b'Q' => 1,
            b'P' => 2,
            _ => 0,
        };
        let ends = body.iter().enumerate().filter(|(_, byte)| **byte == 0);
        let end = ends.map(|(index, _)| index + 1).take(texts).last();
        if let Some(end) = end {
            let text = std::str::from_utf8(&body[..end]).unwrap();
            let without = safeguard.taken_out_of(text);
            if without != text {
                took_out.store(true, Ordering::SeqCst);
                body.splice(..end, without.into_bytes());
            }
        }
        to.write_u8(kind).await?;
        to.write_all(&message(&body)).await?;
    }
}

async fn body(from: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    let length = from.read_u32().await? as usize;
    let mut body = vec![0; length.saturating_sub(4)];
    from.read_exact(&mut body).await?;
    Ok(body)
}

fn message(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&length.to_be_bytes()[..], body].concat()
}
