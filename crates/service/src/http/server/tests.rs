//! The port: both protocols, the bounds, and a drain that ends.

use std::time::Instant;

use axum::routing::get;
use futures_util::stream;
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;
use crate::http::access::Access;
use crate::run::part::{Host, Part};
use crate::run::shutdown;
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
fn privileged_port_error_states_what_to_do() {
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
    let busy = async || {
        axum::body::Body::from_stream(stream::pending::<Result<&'static str, io::Error>>())
    };
    let router = Router::new().route("/here", get(async || "here")).route("/busy", get(busy));
    guarded_with(router)
}

fn guarded_with(router: Router) -> Router {
    let access = Access::new("127.0.0.1:0".parse().unwrap(), None).unwrap();
    Host::new("test", access).with(Part::new("test", router)).assemble().0
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

/// A server whose count of unread answers the test sees. `/large` answers with a fourth of
/// `answer_bytes`, `/done` the same to a command.
async fn serve_large(answer_bytes: usize) -> (SocketAddr, Unread) {
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let large = async move || vec![b'x'; answer_bytes / 4 - 8_192];
    let router = guarded_with(
        Router::new()
            .route("/large", get(large).post(large))
            .route("/small", get(async || vec![b'x'; SMALL_ANSWER_BYTES])),
    );
    let unread = Unread::new(answer_bytes);
    let (limits, counted) = (Limits { answer_bytes, ..Limits::default() }, unread.clone());
    tokio::spawn(async move {
        serve_counted(limits, &counted, listener, router, CancellationToken::new()).await
    });
    (address, unread)
}

/// An HTTP/2 connection that asks `count` times and lets no byte of an answer come.
async fn ask_with_window_0(address: SocketAddr, path: &str, count: usize) -> Vec<Unanswered> {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let builder = builder.initial_stream_window_size(0).timer(TokioTimer::new());
    let (mut sender, connection) = builder.handshake::<_, String>(stream).await.unwrap();
    tokio::spawn(connection);
    let mut unanswered = Vec::new();
    for _ in 0..count {
        let uri = format!("http://localhost{path}");
        let request = http::Request::get(uri).body(String::new()).unwrap();
        sender.ready().await.unwrap();
        unanswered.push(tokio::spawn(sender.send_request(request)));
    }
    unanswered
}

type Unanswered = JoinHandle<hyper::Result<http::Response<hyper::body::Incoming>>>;

async fn until(what: &str, condition: impl Fn() -> bool) {
    let poll = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, poll).await.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test]
async fn answers_that_are_not_read_have_a_bound_and_small_ones_are_given_meanwhile() {
    const BYTES: usize = 32 << 20;
    let (address, unread) = serve_large(BYTES).await;
    let mut held = ask_with_window_0(address, "/large", 2).await;
    // Larger than what the sockets take.
    let mut silent = vec![send(address, "/large").await, send(address, "/large").await];
    until("the answers are not counted", || unread.bytes().0 > BYTES - (64 << 10)).await;
    let small = async {
        for _ in 0..8 {
            let small = http1(address, "GET /small HTTP/1.1", "").await;
            assert_eq!((small.status.as_u16(), small.body.len()), (200, SMALL_ANSWER_BYTES));
            assert!(unread.bytes().0 <= BYTES + (64 << 10), "{:?}", unread.bytes());
        }
    };
    let command = "POST /large HTTP/1.1\r\ncontent-type: application/json";
    // All at once: after a while those who take nothing make room.
    let (read, command, ()) = tokio::join!(
        http1(address, "GET /large HTTP/1.1", ""),
        http1(address, command, "{}"),
        small
    );
    for (refused, kind) in [(read, "unavailable"), (command, "outcome-unknown")] {
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "1"));
        assert_eq!(refused.json()["type"], format!("urn:worldbus:problem:{kind}"));
    }
    drop((held.pop(), silent.pop()));
}

/// Each of the two protocols on its own: what one of them holds must not be freed by the other.
#[tokio::test(start_paused = true)]
async fn bytes_of_clients_that_do_not_read_come_back_after_the_deadline() {
    let (address, unread) = serve_large(32 << 20).await;
    let held = ask_with_window_0(address, "/small", 3).await;
    until("the answers are not counted", || unread.bytes().0 > 3 * SMALL_ANSWER_BYTES).await;
    let begin = tokio::time::Instant::now();
    until_free(&unread).await;
    assert!(begin.elapsed().as_millis() as u64 >= WRITE_STALL_MS_MAX - 1_000);
    drop(held);
    let silent = send(address, "/large").await;
    until("the answer is not counted", || unread.bytes().0 > 0).await;
    until_free(&unread).await;
    drop(silent);
}

async fn until_free(unread: &Unread) {
    let free = async {
        while unread.bytes() != (0, 0) {
            sleep(Duration::from_millis(100)).await;
        }
    };
    let limit = Duration::from_millis(WRITE_STALL_MS_MAX * 2);
    timeout(limit, free).await.unwrap_or_else(|_| panic!("still held: {:?}", unread.bytes()));
}

/// A client that takes nothing makes room for one that reads, long before its deadline.
#[tokio::test]
async fn large_answer_is_given_once_those_who_take_nothing_were_cut_for_it() {
    let (address, unread) = serve_large(4 << 20).await;
    let _held = ask_with_window_0(address, "/large", 4).await;
    until("the answers are not counted", || unread.bytes().0 > 3 << 20).await;
    let begin = Instant::now();
    let limit = Duration::from_millis(STALL_CONTENDED_MS_MAX + 3 * ANSWER_WAIT_MS_MAX);
    while http1(address, "GET /large HTTP/1.1", "").await.status != 200 {
        assert!(begin.elapsed() < limit, "still refused");
    }
}

/// Answers that are read are whole, however large, on both protocols, and hold nothing afterwards.
#[tokio::test]
async fn large_answers_that_are_read_arrive_whole_and_are_given_back() {
    const BYTES: usize = 32 << 20;
    let (address, unread) = serve_large(BYTES).await;
    let length = BYTES / 4 - 8_192;
    let first = http1(address, "GET /large HTTP/1.1", "").await;
    assert_eq!((first.body.len(), first.header("content-length")), (length, &*length.to_string()));
    let head = http1(address, "HEAD /large HTTP/1.1", "").await;
    assert_eq!((head.body.as_str(), head.header("content-length")), ("", &*length.to_string()));
    let request = http::Request::get(format!("http://{address}/large")).body(String::new());
    assert_eq!(http2(address, request.unwrap()).await.body.len(), length);
    until("bytes stay taken", || unread.bytes() == (0, 0)).await;
}

/// In the headers of a response without messages, and in the trailers of one with some.
#[tokio::test]
async fn grpc_status_that_echoes_a_long_text_fits_into_headers() {
    let fault = || ("grpc-message", "x".repeat(100_000));
    let in_trailers = async || {
        let mut trailers = http::HeaderMap::new();
        trailers.insert("grpc-message", "x".repeat(100_000).parse().unwrap());
        let frame = hyper::body::Frame::trailers(trailers);
        let frames = stream::iter([Ok::<_, std::convert::Infallible>(frame)]);
        axum::body::Body::new(http_body_util::StreamBody::new(frames))
    };
    let router = Router::new()
        .route("/headers", get(async move || ([fault()], "")))
        .route("/trailers", get(in_trailers));
    let server = serve(router).await;
    for path in ["headers", "trailers"] {
        let (mut sender, connection) = connect_http2(server.address).await;
        tokio::spawn(connection);
        let request = http::Request::get(format!("http://localhost/{path}")).body(String::new());
        let response = sender.send_request(request.unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let trailers = body.collect().await.unwrap().trailers().cloned().unwrap_or_default();
        let message = head.headers.get("grpc-message").or(trailers.get("grpc-message"));
        assert_eq!(message.unwrap().len(), GRPC_MESSAGE_BYTES_MAX, "{path}");
    }
}
