//! The door over real sockets: who is let in, and how the others are told.

use axum::Router;
use axum::routing::{get, post};
use serde::Deserialize;

use super::*;
use crate::part::{Host, Part};
use crate::testing::{Server, http1, http2, serve};
use crate::{Json, Readiness};

const KEY: &str = "correct-horse-battery-staple";

#[derive(Deserialize)]
struct Command {
    text: String,
}

async fn start(key: Option<&str>) -> Server {
    let router = Router::new()
        .route("/read", get(async || "read"))
        .route("/command", post(async |Json(command): Json<Command>| command.text))
        .route("/start", post(async || "started"))
        .route("/grpc.Service/Call", post(async || "called"));
    let door = Door::new("127.0.0.1:0".parse().unwrap(), key.map(Secret::new)).unwrap();
    let readiness = Readiness::default();
    readiness.condition("bus").failed("connecting to the bus");
    let host = Host::new("test", door).with_readiness(readiness);
    serve(host.with(Part::new("test", router)).assemble().0).await
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
        let error = Door::new(listen.parse().unwrap(), None).unwrap_err().to_string();
        assert!(error.contains("WORLDBUS_API_KEY") && error.contains("127.0.0.1:7070"), "{error}");
        assert!(Door::new(listen.parse().unwrap(), Some(Secret::new(KEY))).is_ok());
    }
}

#[test]
fn loopback_address_needs_no_key() {
    for listen in ["127.0.0.1:7070", "127.9.9.9:1", "[::1]:7070", "[::ffff:127.0.0.1]:7070"] {
        assert!(Door::new(listen.parse().unwrap(), None).is_ok(), "{listen}");
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
            assert_eq!(reply.header("content-type"), crate::problem::CONTENT_TYPE);
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
        assert_eq!(reply.json()["title"], "Unsupported Media Type");
    }
    for head in ["POST /start HTTP/1.1", "OPTIONS /start HTTP/1.1", "DELETE /read HTTP/1.1"] {
        assert_eq!(http1(server.address, head, "").await.status, 415, "{head}");
    }
}

#[tokio::test]
async fn foreign_origin_is_refused_and_no_cors_header_is_sent() {
    let server = start(None).await;
    for origin in ["http://evil.example", "https://localhost.evil.example", "null", "localhost"] {
        let head = format!("GET /read HTTP/1.1\r\norigin: {origin}");
        assert_eq!(http1(server.address, &head, "").await.status, 403, "{origin}");
    }
    for origin in ["http://localhost:3000", "http://127.0.0.1:7070", "http://[::1]:7070"] {
        let head = format!("GET /read HTTP/1.1\r\norigin: {origin}");
        let reply = http1(server.address, &head, "").await;
        assert_eq!(reply.status, 200, "{origin}");
        assert!(reply.headers.keys().all(|name| !name.as_str().contains("access-control")));
    }
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

/// The whole body is sent before the answer is read: larger than what sockets hold, so the door
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
