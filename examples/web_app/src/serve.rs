//! A server with limits on how long a client may take. `axum::serve` has none: a client that opens connections and
//! sends nothing holds them forever.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

/// How long the head of a request may take, and how long a connection may stay open without one.
pub(crate) const HEAD: Duration = Duration::from_secs(15);

/// How long a request to this service's own routes may take, including its body. The scheduler's routes have their
/// own limit for bodies; their event streams stay open.
const REQUEST: Duration = Duration::from_secs(15);

/// Serves until `stop`, then lets open requests finish.
pub(crate) async fn serve(
    mut listener: TcpListener,
    app: Router,
    head: Duration,
    stop: impl Future<Output = ()>,
) {
    let mut server = Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(head);
    let open = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        // Errors of one connection do not affect the server: axum's listener waits and continues.
        let (stream, _) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = &mut stop => break,
        };
        let service = TowerToHyperService::new(app.clone());
        let connection = server.serve_connection(TokioIo::new(stream), service);
        let connection = open.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    open.shutdown().await;
}

/// Aborts a request that takes too long.
pub(crate) async fn limit(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn connections_without_a_request_are_ended_and_the_others_answered() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/", get(|| async { "hello" }));
        let (stop, stopped) = oneshot::channel::<()>();
        let head = Duration::from_millis(200);
        let server = tokio::spawn(serve(listener, app, head, async {
            let _ = stopped.await;
        }));

        // Nothing at all, and a head that never ends: the server closes both connections.
        for text in ["", "GET / HTTP/1.1\r\nhost: localhost\r\n"] {
            let mut slow = TcpStream::connect(address).await.unwrap();
            slow.write_all(text.as_bytes()).await.unwrap();
            let mut answer = String::new();
            let _ = slow.read_to_string(&mut answer).await;
            assert!(!answer.contains("200 OK"), "{answer}");
        }
        let mut client = TcpStream::connect(address).await.unwrap();
        let request = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("hello"), "{answer}");

        // A shutdown does not wait for idle clients that keep their connection open.
        let _idle = TcpStream::connect(address).await.unwrap();
        stop.send(()).unwrap();
        server.await.unwrap();
    }
}
