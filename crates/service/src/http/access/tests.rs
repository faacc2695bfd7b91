//! Access over real sockets: who is let in, and how the others are refused.

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::run::part::{Host, Part};
use crate::testing::{Server, http1, http2, serve};
use crate::{Json, Readiness};

const KEY: &str = "correct-horse-battery-staple";

#[derive(Deserialize)]
struct Command {
    text: String,
}

async fn start(key: Option<&str>) -> Server {
    start_allowing(key, &[]).await
}

async fn start_allowing(key: Option<&str>, origins: &[&str]) -> Server {
    let router = Router::new()
        .route("/read", get(async || "read"))
        .route("/command", post(async |Json(command): Json<Command>| command.text))
        .route("/start", post(async || "started"))
        .route("/optional", post(async |body: Bytes| format!("{} bytes", body.len())))
        .route("/stream", get(stream))
        .route("/grpc.Service/Call", post(async || "called"))
        .route("/grpc.Service/Unary", post(async |_: Bytes| "called"))
        .route("/grpc.Service/Echo", post(async |request: Request| request.into_body()));
    let access = Access::new("127.0.0.1:0".parse().unwrap(), key.map(Secret::new)).unwrap();
    let access =
        access.with_origins(origins.iter().map(|origin| origin.parse().unwrap()).collect());
    let readiness = Readiness::default();
    readiness.condition("bus").failed("connecting to the bus");
    let host = Host::new("test", access).with_readiness(readiness);
    let part = Part::new("test", router).with_ticket_path("/stream");
    serve(host.with(part).assemble().0).await
}

fn grpc(server: &Server, authorization: Option<&str>) -> http::Request<String> {
    let uri = format!("http://{}/grpc.Service/Call", server.address);
    let mut request = http::Request::post(uri).header("content-type", "application/grpc+proto");
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    request.body(String::new()).unwrap()
}

#[test]
fn address_beyond_loopback_without_key_is_refused_with_what_to_do() {
    for listen in ["0.0.0.0:7070", "192.168.1.2:7070", "[::]:7070", "[::ffff:10.0.0.1]:7070"] {
        let error = Access::new(listen.parse().unwrap(), None).unwrap_err().to_string();
        assert!(error.contains("WORLDBUS_API_KEY") && error.contains("127.0.0.1:7070"), "{error}");
        assert!(Access::new(listen.parse().unwrap(), Some(Secret::new(KEY))).is_ok());
    }
}

#[test]
fn loopback_address_needs_no_key() {
    for listen in ["127.0.0.1:7070", "127.9.9.9:1", "[::1]:7070", "[::ffff:127.0.0.1]:7070"] {
        assert!(Access::new(listen.parse().unwrap(), None).is_ok(), "{listen}");
    }
}

#[tokio::test]
async fn key_opens_the_door_for_rest() {
    let server = start(Some(KEY)).await;
    for value in [format!("Bearer {KEY}"), format!("bearer  {KEY}")] {
        let head = format!("GET /read HTTP/1.1\r\nauthorization: {value}");
        assert_eq!(http1(server.address, &head, "").await.body, "read");
    }
}

#[tokio::test]
async fn missing_or_wrong_key_is_401_as_problem_document() {
    let server = start(Some(KEY)).await;
    let wrong = [
        String::new(),
        "\r\nauthorization: Bearer wrong".to_owned(),
        format!("\r\nauthorization: Basic {KEY}"),
        format!("\r\nauthorization: {KEY}"),
        format!("\r\nauthorization: Bearer {KEY}x"),
        format!("\r\nauthorization: Bearer wrong\r\nauthorization: Bearer {KEY}"),
    ];
    for header in wrong {
        for path in ["/read", "/metrics", "/version", "/openapi.json", "/nowhere"] {
            let head = format!("GET {path} HTTP/1.1{header}");
            let reply = http1(server.address, &head, "").await;
            assert_eq!(reply.status, 401, "{head}");
            assert_eq!(reply.header("content-type"), crate::http::problem::CONTENT_TYPE);
            assert!(reply.header("www-authenticate").starts_with("Bearer"));
            assert_eq!(reply.json()["status"], 401);
            assert!(!reply.body.contains(KEY));
        }
    }
}

#[tokio::test]
async fn health_stays_open_and_bare_with_a_key() {
    let server = start(Some(KEY)).await;
    let live = http1(server.address, "GET /livez HTTP/1.1\r\nhost: anything.example", "").await;
    assert_eq!((live.status.as_u16(), live.body.trim()), (200, "ok"));
    for path in ["/readyz", "/healthz"] {
        let head = format!("GET {path} HTTP/1.1\r\nhost: anything.example");
        let ready = http1(server.address, &head, "").await;
        assert_eq!((ready.status.as_u16(), ready.body.trim()), (503, "not ready"));
    }
}

#[tokio::test]
async fn readiness_names_what_is_missing_without_a_key() {
    let server = start(None).await;
    let ready = http1(server.address, "GET /readyz HTTP/1.1", "").await;
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("bus: connecting to the bus"), "{ready:?}");
}

#[tokio::test]
async fn grpc_without_key_is_unauthenticated() {
    let server = start(Some(KEY)).await;
    for wrong in [None, Some("Bearer wrong")] {
        let reply = http2(server.address, grpc(&server, wrong)).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("grpc-status"), "16");
        assert!(reply.header("content-type").starts_with("application/grpc"));
        assert!(!reply.header("grpc-message").is_empty() && reply.body.is_empty());
    }
    let key = format!("Bearer {KEY}");
    assert_eq!(http2(server.address, grpc(&server, Some(&key))).await.body, "called");
}

#[tokio::test]
async fn loopback_without_key_takes_grpc_and_json() {
    let server = start(None).await;
    assert_eq!(http2(server.address, grpc(&server, None)).await.body, "called");
    let head = "POST /command HTTP/1.1\r\ncontent-type: application/json; charset=utf-8";
    let reply = http1(server.address, head, r#"{"text":"hello"}"#).await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, "hello"));
    let head = "POST /start HTTP/1.1\r\ncontent-type: application/json";
    assert_eq!(http1(server.address, head, "").await.body, "started");
}

#[tokio::test]
async fn foreign_host_is_refused_on_loopback() {
    let server = start(None).await;
    let foreign = [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "10.0.0.1:7070",
        "[::2]",
        "evil.example@localhost",
        "",
    ];
    for host in foreign {
        let head = format!("GET /read HTTP/1.1\r\nhost: {host}");
        let reply = http1(server.address, &head, "").await;
        assert_eq!(reply.status, 403, "{host}: {reply:?}");
    }
    let absolute = "GET http://evil.example/read HTTP/1.1";
    assert_eq!(http1(server.address, absolute, "").await.status, 403);
    let request = http::Request::get("http://evil.example/read").body(String::new()).unwrap();
    assert_eq!(http2(server.address, request).await.status, 403);
    let request = http::Request::post("http://evil.example/grpc.Service/Call")
        .header("content-type", "application/grpc")
        .body(String::new())
        .unwrap();
    assert_eq!(http2(server.address, request).await.header("grpc-status"), "7");
}

#[tokio::test]
async fn every_loopback_name_is_taken_as_host() {
    let server = start(None).await;
    for host in ["localhost", "LOCALHOST:1", "127.0.0.1:7070", "127.1.2.3", "[::1]:7070", "[::1]"] {
        let head = format!("GET /read HTTP/1.1\r\nhost: {host}");
        assert_eq!(http1(server.address, &head, "").await.status, 200, "{host}");
    }
    let uri = format!("http://localhost:{}/read", server.address.port());
    let request = http::Request::get(uri).body(String::new()).unwrap();
    assert_eq!(http2(server.address, request).await.status, 200);
}

#[tokio::test]
async fn command_of_a_content_type_that_pages_may_send_is_415() {
    let server = start(None).await;
    let simple = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"];
    for content_type in simple.into_iter().chain(["", "application/reports+json"]) {
        let head = format!("POST /start HTTP/1.1\r\ncontent-type: {content_type}");
        let reply = http1(server.address, &head, "").await;
        assert_eq!(reply.status, 415, "{content_type}");
        assert_eq!(reply.json()["type"], "urn:worldbus:problem:unsupported-media-type");
    }
    let reply = http1(server.address, "POST /command HTTP/1.1", r#"{"text":"hello"}"#).await;
    assert_eq!(reply.status, 415, "a body of no type");
    let two = "POST /command HTTP/1.1\r\ncontent-type: application/json\r\n\
               content-type: text/plain";
    assert_eq!(http1(server.address, two, "{}").await.status, 415, "two types");
}

#[tokio::test]
async fn command_without_a_body_needs_no_content_type() {
    for (server, key) in [
        (start(None).await, String::new()),
        (start(Some(KEY)).await, format!("\r\nauthorization: Bearer {KEY}")),
    ] {
        for head in ["POST /start HTTP/1.1", "POST /start HTTP/1.1\r\norigin: http://localhost"] {
            let reply = http1(server.address, &format!("{head}{key}"), "").await;
            assert_eq!(reply.body, "started", "{head}");
        }
        let reply = http1(server.address, &format!("DELETE /read HTTP/1.1{key}"), "").await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "GET,HEAD"));
        let uri = format!("http://{}/start", server.address);
        let mut request = http::Request::post(uri);
        if !key.is_empty() {
            request = request.header("authorization", format!("Bearer {KEY}"));
        }
        let reply = http2(server.address, request.body(String::new()).unwrap()).await;
        assert_eq!(reply.body, "started");
    }
}

#[tokio::test]
async fn options_are_the_methods_of_the_path() {
    let server = start(None).await;
    for (path, methods) in [("/start", "POST"), ("/read", "GET,HEAD"), ("/livez", "GET,HEAD")] {
        let reply = http1(server.address, &format!("OPTIONS {path} HTTP/1.1"), "").await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (204, methods), "{path}");
    }
    assert_eq!(http1(server.address, "OPTIONS /nowhere HTTP/1.1", "").await.status, 404);
}

#[tokio::test]
async fn foreign_origin_is_refused_and_no_cors_header_is_sent() {
    let server = start(None).await;
    let own = server.address.port();
    let foreign = [
        "http://evil.example",
        "https://localhost.evil.example",
        "null",
        "localhost",
        "http://localhost:3000",
        "http://localhost",
        &format!("http://127.0.0.1:{own}"),
        &format!("http://localhost:{own}\r\norigin: http://evil.example"),
    ];
    for origin in foreign {
        for request in ["GET /read", "POST /start"] {
            let head = format!("{request} HTTP/1.1\r\nhost: localhost:{own}\r\norigin: {origin}");
            let reply = http1(server.address, &head, "").await;
            assert_eq!(reply.status, 403, "{head}");
        }
    }
    for host in [format!("localhost:{own}"), format!("127.0.0.1:{own}"), "[::1]:9".to_owned()] {
        let head = format!("POST /start HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}");
        let reply = http1(server.address, &head, "").await;
        assert_eq!(reply.status, 200, "{head}");
        assert!(reply.headers.keys().all(|name| !name.as_str().contains("access-control")));
    }
}

/// Browsers send no `Origin` with images, scripts and links, but say that those are foreign.
#[tokio::test]
async fn request_that_a_browser_calls_foreign_is_refused_without_a_key() {
    let server = start(None).await;
    for site in ["cross-site", "same-site", "unknown", "same-origin\r\nsec-fetch-site: cross-site"]
    {
        for request in ["GET /read", "POST /start", "GET /stream"] {
            let head =
                format!("{request} HTTP/1.1\r\nsec-fetch-site: {site}\r\nsec-fetch-mode: no-cors");
            assert_eq!(http1(server.address, &head, "").await.status, 403, "{head}");
        }
    }
    for site in ["same-origin", "none"] {
        let head = format!("POST /start HTTP/1.1\r\nsec-fetch-site: {site}");
        assert_eq!(http1(server.address, &head, "").await.status, 200, "{head}");
    }
    let link =
        "HTTP/1.1\r\nsec-fetch-site: cross-site\r\nsec-fetch-mode: navigate\r\nsec-fetch-dest";
    let followed = http1(server.address, &format!("GET /read {link}: document"), "").await;
    assert_eq!(followed.status, 200);
    let framed = http1(server.address, &format!("GET /read {link}: iframe"), "").await;
    assert_eq!(framed.status, 403);
    let sent = http1(server.address, &format!("POST /start {link}: document"), "").await;
    assert_eq!(sent.status, 403);
}

#[tokio::test]
async fn page_of_an_allowed_origin_enters_and_reads_the_answer() {
    let page = "https://game.example";
    for key in [None, Some(KEY)] {
        let server = start_allowing(key, &[page, "http://localhost:3000"]).await;
        let preflight = format!(
            "OPTIONS /command HTTP/1.1\r\norigin: {page}\r\nsec-fetch-site: cross-site\r\n\
             access-control-request-method: POST\r\naccess-control-request-headers: authorization"
        );
        let reply = http1(server.address, &preflight, "").await;
        assert_eq!(reply.status, 204, "{reply:?}");
        assert_eq!(reply.header("access-control-allow-origin"), page);
        assert!(reply.header("access-control-allow-methods").contains("POST"));
        assert!(reply.header("access-control-allow-headers").contains("authorization"));

        let head = format!("POST /start HTTP/1.1\r\norigin: {page}\r\nsec-fetch-site: cross-site");
        let authorization = key.map(|key| format!("\r\nauthorization: Bearer {key}"));
        let with_key = format!("{head}{}", authorization.unwrap_or_default());
        let reply = http1(server.address, &with_key, "").await;
        assert_eq!(reply.body, "started");
        assert_eq!(reply.header("access-control-allow-origin"), page);
        assert_eq!(reply.header("vary"), "origin");

        let foreign = with_key.replace(page, "https://evil.example");
        let reply = http1(server.address, &foreign, "").await;
        assert_eq!(reply.status, if key.is_some() { 200 } else { 403 });
        assert_eq!(reply.header("access-control-allow-origin"), "");
        let reply =
            http1(server.address, &preflight.replace(page, "https://evil.example"), "").await;
        assert_ne!(reply.status, 204);
    }
}

#[tokio::test]
async fn refusal_of_the_key_is_readable_for_an_allowed_page() {
    let server = start_allowing(Some(KEY), &["https://game.example"]).await;
    let head = "GET /read HTTP/1.1\r\norigin: https://game.example";
    let reply = http1(server.address, head, "").await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.header("access-control-allow-origin"), "https://game.example");
}

async fn stream(uri: http::Uri) -> Result<String, StatusCode> {
    match uri.query() {
        Some("topic=wether") => Err(StatusCode::BAD_REQUEST),
        _ => Ok(uri.to_string()),
    }
}

async fn ticket(server: &Server) -> String {
    let head = format!("POST /api/tickets HTTP/1.1\r\nauthorization: Bearer {KEY}");
    let reply = http1(server.address, &head, "").await;
    assert_eq!(reply.header("cache-control"), "no-store");
    let ticket = reply.json();
    assert_eq!(ticket["expires_in_ms"], TICKET_MS_MAX);
    ticket["ticket"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn ticket_opens_one_stream_once_and_nothing_else() {
    let server = start(Some(KEY)).await;
    assert_eq!(http1(server.address, "POST /api/tickets HTTP/1.1", "").await.status, 401);
    let good = ticket(&server).await;
    let elsewhere = [format!("GET /read?ticket={good}"), format!("POST /stream?ticket={good}")];
    for request in elsewhere {
        let reply = http1(server.address, &format!("{request} HTTP/1.1"), "").await;
        assert_eq!(reply.status, 401, "{request}");
    }
    let head = format!("GET /stream?topic=time&ticket={good} HTTP/1.1");
    let reply = http1(server.address, &head, "").await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, "/stream?topic=time"));
    let again = http1(server.address, &head, "").await;
    assert_eq!(again.status, 401);
    assert!(again.body.contains("/api/tickets") && !again.body.contains(&good), "{again:?}");
}

#[tokio::test]
async fn ticket_of_a_request_that_opened_no_stream_opens_one_still() {
    let server = start(Some(KEY)).await;
    let good = ticket(&server).await;
    for (topic, status) in [("wether", 400), ("wether", 400), ("weather", 200), ("weather", 401)] {
        let head = format!("GET /stream?topic={topic}&ticket={good} HTTP/1.1");
        assert_eq!(http1(server.address, &head, "").await.status, status, "{topic}");
    }
}

#[tokio::test]
async fn ticket_is_no_trouble_where_no_key_is_needed() {
    let server = start(None).await;
    let reply = http1(server.address, "GET /stream?ticket=x HTTP/1.1", "").await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, "/stream"));
}

/// Time is paused while nothing else can happen: what waits takes no time of ours.
#[tokio::test(start_paused = true)]
async fn wrong_keys_are_slowed_and_a_connection_with_the_right_one_is_not() {
    let server = start(Some(KEY)).await;
    let right =
        format!("GET /read HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {KEY}\r\n\r\n");
    let mut held = TcpStream::connect(server.address).await.unwrap();
    let ask = async |held: &mut TcpStream| {
        held.write_all(right.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"read") {
            assert_ne!(held.read_buf(&mut answer).await.unwrap(), 0, "{answer:?}");
        }
    };
    ask(&mut held).await;

    let begin = Instant::now();
    for guess in 0..GUESS_COUNT_MAX + 5 {
        let head = format!("GET /read HTTP/1.1\r\nauthorization: Bearer {guess}");
        assert_eq!(http1(server.address, &head, "").await.status, 401);
    }
    let wait = Duration::from_millis(KEY_WAIT_MS);
    assert!(begin.elapsed() >= wait * 5, "{:?}", begin.elapsed());

    let begin = Instant::now();
    ask(&mut held).await;
    assert!(begin.elapsed() < wait, "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn keys_beyond_those_that_wait_are_429_and_a_right_one_waits_no_longer_than_stated() {
    let server = start(Some(KEY)).await;
    let guess = async |key: &str| {
        let head = format!("GET /read HTTP/1.1\r\nauthorization: Bearer {key}");
        http1(server.address, &head, "").await
    };
    let all = (0..GUESS_COUNT_MAX + WAIT_COUNT_MAX + 40).map(|_| guess("wrong"));
    let replies = futures_util::future::join_all(all).await;
    let refused: Vec<_> = replies.iter().filter(|reply| reply.status == 429).collect();
    assert!(!refused.is_empty(), "{:?}", replies.iter().map(|r| r.status).collect::<Vec<_>>());
    assert!(refused.iter().all(|reply| reply.header("retry-after") == "1"));
    let begin = Instant::now();
    assert_eq!(guess(KEY).await.body, "read");
    assert!(begin.elapsed() <= Duration::from_millis(KEY_WAIT_MS + 100), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn body_that_never_comes_is_408_on_every_route() {
    let server = start(None).await;
    for path in ["/start", "/command", "/optional", "/nowhere"] {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: 10\r\n\r\n{{"
        );
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let limit = Duration::from_millis(BODY_READ_MS_MAX * 3);
        let read = tokio::time::timeout(limit, stream.read_to_string(&mut answer)).await;
        assert!(read.is_ok() && answer.starts_with("HTTP/1.1 408"), "{path}: {answer}");
    }
}

/// More of them than there is room for, each of which has sent nearly all of its body.
#[tokio::test(start_paused = true)]
async fn bodies_under_way_have_a_bound_and_their_room_comes_back() {
    let access = Access::new("127.0.0.1:0".parse().unwrap(), None).unwrap();
    let room = access.bodies.clone();
    let router = Router::new().route("/echo", post(async |body: Bytes| body));
    let server =
        serve(Host::new("test", access).with(Part::new("test", router)).assemble().0).await;
    let head = "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let most = "x".repeat(BODY_BYTES_MAX - 1);
    let request = format!("{head}content-length: {BODY_BYTES_MAX}\r\n\r\n{most}");
    let mut slow = tokio::task::JoinSet::new();
    for _ in 0..2 * BODIES_BYTES_MAX / BODY_BYTES_MAX {
        let (address, request) = (server.address, request.clone());
        slow.spawn(async move { crate::testing::exchange(address, request.as_bytes()).await });
    }
    let mut statuses = std::collections::BTreeMap::new();
    while let Some(answer) = slow.join_next().await {
        let status = answer.unwrap().get(9..12).unwrap_or_default().to_owned();
        *statuses.entry(status).or_insert(0) += 1;
    }
    assert!(statuses["503"] > 0 && statuses["408"] > 0, "{statuses:?}");
    assert!(statuses["408"] <= BODIES_BYTES_MAX / BODY_BYTES_MAX, "{statuses:?}");
    assert_eq!(room.free(), BODIES_BYTES_MAX);
    let whole = "x".repeat(BODY_BYTES_MAX);
    let json = "POST /echo HTTP/1.1\r\ncontent-type: application/json";
    assert_eq!(http1(server.address, json, &whole).await.body.len(), BODY_BYTES_MAX);
}

type Frames = tokio::sync::mpsc::Sender<Result<Bytes, std::convert::Infallible>>;

/// A body whose frames the test sends.
fn grpc_body() -> (Frames, Body) {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let frames = futures_util::stream::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|frame| (frame, receiver))
    });
    (sender, Body::from_stream(frames))
}

async fn call(server: &Server, path: &str, body: Body) -> http::Response<hyper::body::Incoming> {
    let stream = TokioIo::new(TcpStream::connect(server.address).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::post(format!("http://{}{path}", server.address))
        .header("content-type", "application/grpc")
        .body(body)
        .unwrap();
    sender.send_request(request).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn call_whose_message_never_comes_ends_and_a_stream_stays_open() {
    let server = start(None).await;
    let limit = Duration::from_millis(BODY_READ_MS_MAX);
    let (_held, body) = grpc_body();
    let unary = call(&server, "/grpc.Service/Unary", body);
    let reply = tokio::time::timeout(limit * 3, unary).await.expect("waits for ever");
    assert_eq!(reply.status(), 400);

    let (sender, body) = grpc_body();
    let mut echo = call(&server, "/grpc.Service/Echo", body).await.into_body();
    tokio::time::sleep(limit * 5).await;
    sender.send(Ok(Bytes::from_static(b"late"))).await.unwrap();
    let frame = echo.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "late");
}

#[tokio::test]
async fn oversize_body_is_413_by_its_length_and_by_its_bytes() {
    let server = start(None).await;
    let json = "POST /command HTTP/1.1\r\ncontent-type: application/json";
    let declared = format!("{json}\r\ncontent-length: {}", BODY_BYTES_MAX + 1);
    assert_eq!(http1(server.address, &declared, "").await.status, 413);

    let uri = format!("http://{}/command", server.address);
    let body = format!("{{\"text\":\"{}\"}}", "x".repeat(BODY_BYTES_MAX));
    let request = http::Request::post(uri).header("content-type", "application/json");
    let reply = http2(server.address, request.body(body).unwrap()).await;
    assert_eq!(reply.status, 413);

    let fits = format!("{{\"text\":\"{}\"}}", "x".repeat(BODY_BYTES_MAX - 11));
    assert_eq!(fits.len(), BODY_BYTES_MAX);
    assert_eq!(http1(server.address, json, &fits).await.status, 200);
}

/// The whole body is sent before the answer is read: larger than what sockets hold, so the check
/// must take it in.
#[tokio::test]
async fn client_that_sends_all_of_an_oversize_body_sees_the_413() {
    let server = start(None).await;
    let body = "x".repeat(8 * BODY_BYTES_MAX);
    let request = format!(
        "POST /command HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = crate::testing::exchange(server.address, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn oversize_chunked_body_is_413() {
    let server = start(None).await;
    let size = BODY_BYTES_MAX + 1;
    let request = format!(
        "POST /command HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n\
         {size:x}\r\n{}\r\n0\r\n\r\n",
        "x".repeat(size)
    );
    let answer = crate::testing::exchange(server.address, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[test]
fn limit_in_words_is_the_limit() {
    let uri = http::Request::post("http://localhost/")
        .header("content-type", "application/json")
        .header("content-length", "9999999")
        .body(axum::body::Body::empty())
        .unwrap();
    let detail = check_length(&uri).unwrap_err().detail;
    assert!(detail.contains(&BODY_BYTES_MAX.to_string()), "{detail}");
}
