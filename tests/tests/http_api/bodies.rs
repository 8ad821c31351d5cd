//! Bodies that are not read, arrive slowly, or are left out.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Version;
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{FULL, READ, Service, request, send, web, with_body};

/// Sends text to a server, and reads until this many answers have arrived or the connection has ended.
async fn exchange(stream: &mut TcpStream, text: &str, answers: usize) -> String {
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    let count = |seen: &[u8]| String::from_utf8_lossy(seen).matches("HTTP/1.1 ").count();
    while count(&seen) < answers || !seen.ends_with(b"}") {
        if stream.read_buf(&mut seen).await.unwrap() == 0 {
            break;
        }
    }
    String::from_utf8(seen).unwrap().to_lowercase()
}

fn head(method: &str, path: &str, token: &str, length: usize) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
}

#[tokio::test]
async fn answer_before_the_body_is_read_announces_the_end_of_the_connection() {
    let service = Service::memory().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, service.router.clone()).into_future());
    for (method, path, token, length, status) in [
        ("POST", "/api/jobs", "the-wrong-token-0123", 100_000, 401),
        ("POST", "/api/jobs", READ, 100_000, 403),
        ("PUT", "/api/jobs", FULL, 100_000, 405),
        ("POST", "/api/nothing", FULL, 100_000, 404),
        ("POST", "/api/jobs", FULL, 1_000_000, 413),
        ("DELETE", "/api/jobs/nothing", FULL, 100_000, 404),
        ("GET", "/api/jobs", FULL, 100_000, 200),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The client sends as much as the server accepts at once.
        let text = head(method, path, token, length) + &" ".repeat(length.min(300_000) - 1);
        let mut answer = exchange(&mut stream, &text, 1).await;
        let mut rest = Vec::new();
        // The connection ends either way: by a close, or by a reset because of unread bytes.
        let _ = stream.read_to_end(&mut rest).await;
        answer.push_str(&String::from_utf8_lossy(&rest));
        let case = format!("{method} {path} {status}: {answer}");
        assert!(answer.starts_with(&format!("http/1.1 {status} ")), "{case}");
        assert!(answer.contains("connection: close\r\n"), "{case}");
    }

    // After a body that is read, the connection serves the next request.
    let mut stream = TcpStream::connect(address).await.unwrap();
    for _ in 0..2 {
        let text = head("POST", "/api/preview", FULL, 24) + r#"{"trigger": "every 5m"} "#;
        let answer = exchange(&mut stream, &text, 1).await;
        assert!(answer.starts_with("http/1.1 200 "), "{answer}");
        assert!(!answer.contains("connection: close"), "{answer}");
    }
    server.abort();
}

#[tokio::test(start_paused = true)]
async fn only_connections_of_one_request_at_a_time_are_closed() {
    let service = Service::memory().await;
    let mut refused = with_body("POST", "/api/jobs", "{}");
    refused.headers_mut().remove("authorization");
    let reply = service.send(refused).await;
    reply.problem(401);
    assert_eq!(reply.header("connection"), "close");

    let mut over_http_2 = with_body("POST", "/api/jobs", "{}");
    over_http_2.headers_mut().remove("authorization");
    *over_http_2.version_mut() = Version::HTTP_2;
    assert_eq!(service.send(over_http_2).await.header("connection"), "");
    let without_body = service.send(request("POST", "/api/jobs", "x")).await;
    assert_eq!(without_body.header("connection"), "");
}

#[tokio::test(start_paused = true)]
async fn slow_body_is_given_up() {
    let service = Service::memory().await;
    let router = web(&service.scheduler)
        .body_timeout(Duration::from_secs(7))
        .router();
    for path in ["/api/jobs", "/api/jobs/http_static/pause", "/api/preview"] {
        // The body begins, but never continues.
        let begin = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{"))]);
        let mut slow = with_body("POST", path, "");
        *slow.body_mut() = Body::from_stream(begin.chain(stream::pending()));
        let reply = send(&router, slow).await;
        let problem = reply.problem(408);
        assert!(
            problem["detail"].as_str().unwrap().contains("within 7 s"),
            "{problem}"
        );
        assert_eq!(reply.header("connection"), "close");
    }
}

#[tokio::test(start_paused = true)]
async fn body_of_a_note_may_be_left_out_and_is_no_null() {
    let service = Service::memory().await;
    service.greet("noted").await;
    for action in ["pause", "resume"] {
        let path = format!("/api/jobs/noted/{action}");
        service.call("POST", &path).await.expect(200);
        for (body, status) in [("", 200), ("{}", 200), (r#"{"note": "why"}"#, 200)] {
            let asked = with_body("POST", &path, body);
            service.send(asked).await.expect(status);
        }
        for (body, status) in [("null", 422), ("[]", 422), ("nul", 400)] {
            let asked = with_body("POST", &path, body);
            service.send(asked).await.problem(status);
        }
    }
}
