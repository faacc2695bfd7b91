//! The port: both protocols, the bounds, and a drain that ends.

use std::time::Instant;

use axum::routing::get;
use futures_util::stream;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

use super::*;
use crate::door::Door;
use crate::part::{Host, Part};
use crate::shutdown;
use crate::testing::{DEADLINE, exchange, http1, http2, serve, serve_with};

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

/// What an HTTP/2 client sends first, with empty settings (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Time is paused while nothing else can happen, so the ten seconds pass at once.
#[tokio::test(start_paused = true)]
async fn connection_without_a_first_request_is_cut_whatever_it_began_with() {
    let beginnings: [&[u8]; 6] =
        [b"", b"G", b"GET / HTTP/1.1\r\nhost: loc", b"PRI * HT", &PREFACE[..24], PREFACE];
    for beginning in beginnings {
        let server = serve(echo()).await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(beginning).await.unwrap();
        let limit = Duration::from_millis(FIRST_REQUEST_MS_MAX * 3);
        let mut answer = Vec::new();
        let ended = timeout(limit, async {
            let _ = stream.read_to_end(&mut answer).await;
        });
        assert!(ended.await.is_ok(), "still open after {beginning:?}");
    }
}

/// The client answers pings, as every HTTP/2 library does by itself.
#[tokio::test(start_paused = true)]
async fn http2_connection_without_streams_is_cut_though_it_answers_pings() {
    let server = serve(guarded()).await;
    let (mut sender, connection) = connect_http2(server.address).await;
    let connection = tokio::spawn(connection);
    let request = http::Request::get("http://localhost/here").body(String::new()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
    let begin = tokio::time::Instant::now();
    let ended = timeout(Duration::from_millis(IDLE_MS_MAX * 3), connection).await;
    assert!(ended.expect("still open").unwrap().is_ok(), "not closed in order");
    assert!(begin.elapsed() >= Duration::from_millis(IDLE_MS_MAX));
}

#[tokio::test(start_paused = true)]
async fn stream_keeps_its_connection_beyond_every_idle_deadline() {
    let late = async || {
        let events = stream::unfold(0, async |count| {
            sleep(Duration::from_millis(IDLE_MS_MAX * 2)).await;
            (count < 2).then_some((Ok::<_, io::Error>("data: late\n\n"), count + 1))
        });
        axum::body::Body::from_stream(events)
    };
    let server = serve(echo().route("/stream", get(late))).await;
    let stream = send(server.address, "/stream").await;
    let mut answer = String::new();
    let limit = Duration::from_millis(IDLE_MS_MAX * 10);
    let mut stream = stream;
    timeout(limit, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer.matches("data: late").count(), 2, "{answer}");
}

/// Behind the rules of access, with a path for health.
fn guarded() -> Router {
    let door = Door::new("127.0.0.1:0".parse().unwrap(), None).unwrap();
    let busy = async || {
        axum::body::Body::from_stream(stream::pending::<Result<&'static str, io::Error>>())
    };
    let router = Router::new().route("/here", get(async || "here")).route("/busy", get(busy));
    Host::new("test", door).with(Part::new("test", router)).assemble().0
}

async fn connect_http2(
    address: SocketAddr,
) -> (
    hyper::client::conn::http2::SendRequest<String>,
    impl Future<Output = hyper::Result<()>> + Send + 'static,
) {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap()
}

#[tokio::test]
async fn health_answers_among_more_silent_connections_than_there_are_places() {
    let limits = Limits { newcomers: 8, ..Limits::default() };
    let server = serve_with(limits, guarded()).await;
    let mut silent = Vec::new();
    for which in 0..64 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all([&b""[..], b"PRI", b"GET / HT"][which % 3]).await.unwrap();
        silent.push(stream);
    }
    let live = http1(server.address, "GET /livez HTTP/1.1", "").await;
    assert_eq!((live.status.as_u16(), live.body.as_str()), (200, "ok\n"));
    // The oldest made room.
    assert_eq!(rest(silent.remove(0)).await, "");
}

#[tokio::test]
async fn connection_that_was_let_in_keeps_its_place_among_newcomers() {
    let limits = Limits { newcomers: 4, ..Limits::default() };
    let server = serve_with(limits, guarded()).await;
    let mut held = send(server.address, "/here").await;
    let mut answer = vec![0; 15];
    held.read_exact(&mut answer).await.unwrap();
    let mut crowd = Vec::new();
    for _ in 0..32 {
        crowd.push(TcpStream::connect(server.address).await.unwrap());
    }
    assert_eq!(rest(crowd.remove(0)).await, "");
    held.write_all(b"GET /here HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let answer = rest(held).await;
    assert!(answer.ends_with("here") && answer.contains("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn request_beyond_all_busy_connections_is_503_and_health_still_answers() {
    let limits = Limits { established: 2, ..Limits::default() };
    let server = serve_with(limits, guarded()).await;
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut stream = send(server.address, "/busy").await;
        stream.read_exact(&mut [0; 15]).await.unwrap();
        busy.push(stream);
    }
    let refused = http1(server.address, "GET /here HTTP/1.1", "").await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(http1(server.address, "GET /livez HTTP/1.1", "").await.status, 200);
    drop(busy.pop());
    let freed = async {
        while http1(server.address, "GET /here HTTP/1.1", "").await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, freed).await.expect("the place stays taken");
}

/// More than the default of libraries. What is dropped is tried again only after a second, and here
/// nothing is ever accepted.
#[tokio::test]
async fn burst_of_connections_waits_to_be_accepted() {
    let system = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap_or_default();
    let system = system.trim().parse().unwrap_or(BACKLOG);
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    Limits::of_process();
    let mut sockets = Vec::new();
    for _ in 0..system.min(1_500) {
        sockets.push(timeout(DEADLINE, TcpStream::connect(address)).await.unwrap().unwrap());
    }
}

/// Of every kind that sends no request, more than twice as many as there are places. How soon it
/// answers is the machine's: within a second on an idle one.
#[tokio::test(flavor = "multi_thread")]
async fn health_answers_under_two_thousand_silent_slow_and_half_open_sockets() {
    const COUNT: usize = 2_000;
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    // Not with limits of the test: those of every service, and it raises the limit of files.
    let served = tokio::spawn(super::serve(listener, guarded(), shutdown.clone()));
    assert_eq!(http1(address, "GET /livez HTTP/1.1", "").await.status, 200);
    let beginnings = [&b""[..], b"PRI * HT", PREFACE, b"GET / HTTP/1.1\r\nhost: loc"];
    let mut sockets = Vec::with_capacity(COUNT);
    for which in 0..COUNT {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // It may be shed already.
        let _ = stream.write_all(beginnings[which % beginnings.len()]).await;
        sockets.push(stream);
        if which % 200 == 199 {
            assert_eq!(http1(address, "GET /livez HTTP/1.1", "").await.status, 200);
        }
    }
    let live = http1(address, "GET /livez HTTP/1.1", "").await;
    assert_eq!((live.status.as_u16(), live.body.as_str()), (200, "ok\n"));
    drop(sockets);
    shutdown.cancel();
    timeout(DEADLINE, served).await.unwrap().unwrap();
}
