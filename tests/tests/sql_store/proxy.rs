//! A network between a node and its database server that can go silent.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards bytes between a client and a server.
#[derive(Debug)]
pub(crate) struct Proxy {
    options: PgConnectOptions,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    /// The target of new connections.
    server: Mutex<(String, u16)>,
    /// If `true`, new connections are forwarded.
    is_open: watch::Sender<bool>,
    accepted: AtomicU64,
    /// Connections up to this number are silent.
    silent: AtomicU64,
    /// All connections go silent when a client sends this.
    last_word: Mutex<Option<&'static str>>,
}

impl Proxy {
    /// Starts a proxy in front of the server of this URL.
    pub(crate) async fn before(url: &str) -> Self {
        let options: PgConnectOptions = url.parse().unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            server: Mutex::new(address(&options)),
            is_open: watch::Sender::new(true),
            accepted: AtomicU64::new(0),
            silent: AtomicU64::new(0),
            last_word: Mutex::new(None),
        });
        tokio::spawn(accept(listener, state.clone()));
        Self {
            options: options.host("127.0.0.1").port(port),
            state,
        }
    }

    /// Returns a pool whose connections go through this proxy.
    pub(crate) fn pool(&self) -> PgPool {
        PgPoolOptions::new()
            .test_before_acquire(false)
            // Not every pooler knows this parameter.
            .connect_lazy_with(self.options.clone().extra_float_digits(None))
    }

    /// Returns the URL of the same database through this proxy.
    pub(crate) fn url(&self) -> String {
        let mut url = self.options.to_url_lossy();
        // Parameters that sqlx adds, and that a pooler may not know.
        url.set_query(None);
        url.into()
    }

    /// Directs new connections to another address.
    pub(crate) fn lead_to(&self, url: &str) {
        *self.state.server.lock().unwrap() = address(&url.parse().unwrap());
    }

    /// Accepts new connections but does not forward them, until `release`.
    pub(crate) fn hold_new_ones(&self) {
        self.state.is_open.send_replace(false);
    }

    /// Forwards the connections that were held.
    pub(crate) fn release(&self) {
        self.state.is_open.send_replace(true);
    }

    /// From now on nothing gets through, either on open connections, which stay open, or on new ones, which are
    /// accepted.
    pub(crate) fn go_silent(&self) {
        self.state.silent.store(u64::MAX, Ordering::SeqCst);
    }

    /// The same, as soon as a client sends this word, which does not reach the server.
    pub(crate) fn go_silent_before(&self, word: &'static str) {
        *self.state.last_word.lock().unwrap() = Some(word);
    }

    /// Returns `true` if nothing gets through.
    pub(crate) fn is_silent(&self) -> bool {
        self.state.silent.load(Ordering::SeqCst) == u64::MAX
    }

    /// Lets new connections through; those that were open stay silent forever.
    pub(crate) fn let_new_ones_through(&self) {
        let accepted = self.state.accepted.load(Ordering::SeqCst);
        self.state.silent.store(accepted, Ordering::SeqCst);
    }
}

impl State {
    /// Searches for the last word in what a client sends.
    fn listen(&self, bytes: &[u8]) {
        let mut last_word = self.last_word.lock().unwrap();
        if let Some(word) = *last_word
            && bytes
                .windows(word.len())
                .any(|part| part == word.as_bytes())
        {
            *last_word = None;
            self.silent.store(u64::MAX, Ordering::SeqCst);
        }
    }
}

/// The origin of bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum From {
    Client,
    Server,
}

fn address(options: &PgConnectOptions) -> (String, u16) {
    (options.get_host().to_owned(), options.get_port())
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let number = state.accepted.fetch_add(1, Ordering::SeqCst) + 1;
        let state = state.clone();
        tokio::spawn(async move {
            let mut is_open = state.is_open.subscribe();
            if is_open.wait_for(|is_open| *is_open).await.is_err() {
                return;
            }
            let server = state.server.lock().unwrap().clone();
            let Ok(server) = TcpStream::connect(server).await else {
                return;
            };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let way = (From::Client, number);
            tokio::spawn(pass_on(way, from_client, to_server, state.clone()));
            pass_on((From::Server, number), from_server, to_client, state).await;
        });
    }
}

/// Forwards incoming bytes, or discards them while this connection is silent.
async fn pass_on(
    (who, number): (From, u64),
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: Arc<State>,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if who == From::Client {
            state.listen(&bytes[..count]);
        }
        let is_silent = number <= state.silent.load(Ordering::SeqCst);
        if !is_silent && to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
    // The end of a silent connection is not passed on either.
    if number <= state.silent.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
}
