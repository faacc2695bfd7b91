//! The port: both protocols, the bounds, and a drain that ends.

use std::time::Instant;

use axum::routing::get;
use futures_util::stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

use super::*;
use crate::shutdown;
use crate::testing::{DEADLINE, exchange, http1, http2, serve};

fn echo() -> Router {
    Router::new().route("/", get(async || "here"))
}

/// Connects and sends a request, whose answer is not read yet.
async fn send(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn rest(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    let read = timeout(DEADLINE, stream.read_to_string(&mut answer)).await.expect("no end in time");
    let _ = read;
    answer
}

#[tokio::test]
async fn both_protocols_are_served_on_one_port() {
    let server = serve(echo()).await;
    assert_eq!(http1(server.address, "GET / HTTP/1.1", "").await.body, "here");
    let uri = format!("http://{}/", server.address);
    let request = http::Request::get(uri).body(String::new()).unwrap();
    assert_eq!(http2(server.address, request).await.body, "here");
}

#[tokio::test]
async fn port_in_use_is_named_with_what_to_do() {
    let first = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = first.local_addr().unwrap();
    let error = bind(address).await.unwrap_err();
    assert!(matches!(error, BindError::InUse(_)));
    let text = error.to_string();
    assert!(text.contains(&address.port().to_string()) && text.contains("--listen"), "{text}");
}

#[tokio::test]
async fn address_of_another_machine_is_refused() {
    // TEST-NET-1 (RFC 5737): never an address of ours.
    let error = bind("192.0.2.1:0".parse().unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("192.0.2.1:0"), "{error}");
}

#[test]
fn privileged_port_error_says_what_to_do() {
    let text = BindError::Denied("127.0.0.1:80".parse().unwrap()).to_string();
    assert!(text.contains("127.0.0.1:80") && text.contains("from 1024"), "{text}");
}

#[tokio::test]
async fn oversize_headers_are_refused() {
    let server = serve(echo()).await;
    let many = "x: y\r\n".repeat(HEADER_COUNT_MAX + 1);
    let long = format!("x: {}\r\n", "y".repeat(HEADER_BYTES_MAX as usize));
    for headers in [many, long] {
        let request = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
        let answer = exchange(server.address, request.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    assert_eq!(http1(server.address, "GET / HTTP/1.1", "").await.status, 200);
}

#[tokio::test]
async fn request_under_way_finishes_after_shutdown() {
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = {
        let (entered, release) = (Arc::clone(&entered), Arc::clone(&release));
        async move || {
            entered.notify_one();
            release.notified().await;
            "finished"
        }
    };
    let server = serve(Router::new().route("/slow", get(handler))).await;
    let stream = send(server.address, "/slow").await;
    timeout(DEADLINE, entered.notified()).await.unwrap();
    server.shutdown.cancel();
    release.notify_one();
    let answer = rest(stream).await;
    assert!(answer.ends_with("finished"), "{answer}");
    assert_eq!(timeout(DEADLINE, server.served).await.unwrap().unwrap(), 0);
    assert!(TcpStream::connect(server.address).await.is_err(), "the port is still open");
}

#[tokio::test]
async fn stream_and_idle_connection_end_at_shutdown() {
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    let endless = async move || {
        let first = stream::iter([Ok::<_, io::Error>("data: 1\n\n")]);
        let events = futures_util::StreamExt::chain(first, stream::pending());
        axum::body::Body::from_stream(shutdown::until(events, token.clone()))
    };
    let server = serve(echo().route("/stream", get(endless))).await;
    let mut idle = send(server.address, "/").await;
    let mut byte = [0; 1];
    idle.read_exact(&mut byte).await.unwrap();
    let mut events = send(server.address, "/stream").await;
    events.read_exact(&mut byte).await.unwrap();
    let start = Instant::now();
    shutdown.cancel();
    server.shutdown.cancel();
    assert!(rest(events).await.ends_with("0\r\n\r\n"));
    rest(idle).await;
    assert_eq!(timeout(DEADLINE, server.served).await.unwrap().unwrap(), 0);
    assert!(start.elapsed() < Duration::from_millis(DRAIN_MS_MAX));
}

#[tokio::test]
async fn drain_ends_at_its_deadline_whatever_a_client_does() {
    let entered = Arc::new(Notify::new());
    let handler = {
        let entered = Arc::clone(&entered);
        async move || {
            entered.notify_one();
            std::future::pending::<&'static str>().await
        }
    };
    let server = serve(Router::new().route("/stuck", get(handler))).await;
    let stream = send(server.address, "/stuck").await;
    timeout(DEADLINE, entered.notified()).await.unwrap();
    let start = Instant::now();
    server.shutdown.cancel();
    assert_eq!(timeout(DEADLINE, server.served).await.unwrap().unwrap(), 1);
    assert!(start.elapsed() < Duration::from_millis(DRAIN_MS_MAX + 900));
    assert_eq!(rest(stream).await, "");
}

/// Time is paused while nothing else can happen, so the ten seconds pass at once.
#[tokio::test(start_paused = true)]
async fn client_that_never_ends_its_headers_is_dropped() {
    let server = serve(echo()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: loc").await.unwrap();
    let mut answer = Vec::new();
    // Over real time the drop comes after HEADER_READ_MS_MAX; the answer may be a 408 or nothing.
    let ended = timeout(Duration::from_millis(HEADER_READ_MS_MAX * 3), async {
        let _ = stream.read_to_end(&mut answer).await;
    });
    assert!(ended.await.is_ok(), "still open");
}
