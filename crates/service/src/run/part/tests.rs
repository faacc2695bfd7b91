//! Several parts on one port, their tasks, and how the process ends.

use std::io;
use std::time::Instant;

use utoipa::OpenApi as _;

use super::*;
use crate::testing::{DEADLINE, http1, http2};

#[utoipa::path(get, path = "/api/one", responses((status = 200, description = "A word.")))]
async fn one() -> &'static str {
    "one"
}

#[utoipa::path(get, path = "/api/two", responses((status = 200, description = "A word.")))]
async fn two() -> &'static str {
    "two"
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(one))]
struct One;

#[derive(utoipa::OpenApi)]
#[openapi(paths(two))]
struct Two;

fn host() -> Host {
    let access = Access::new("127.0.0.1:0".parse().unwrap(), None).unwrap();
    let first = Router::new().route("/api/one", get(one)).fallback(async || "of part one");
    let second = Router::new().route("/api/two", get(two)).fallback(async || "of part two");
    Host::new("worldbus", access)
        .with(Part::new("one", first).with_openapi(One::openapi()))
        .with(Part::new("two", second).with_openapi(Two::openapi()))
}

struct Running {
    address: std::net::SocketAddr,
    shutdown: CancellationToken,
    ended: tokio::task::JoinHandle<Result<(), TaskEnded>>,
}

async fn run(host: Host, shutdown: CancellationToken) -> Running {
    let listener = server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let ended = tokio::spawn(host.run(listener, shutdown.clone()));
    Running { address, shutdown, ended }
}

impl Running {
    async fn ended(self) -> Result<(), TaskEnded> {
        timeout(DEADLINE, self.ended).await.expect("no end in time").unwrap()
    }
}

fn until(shutdown: &CancellationToken) -> Task {
    let shutdown = shutdown.clone();
    Task::new("timer", async move {
        shutdown.cancelled().await;
        Ok::<_, io::Error>(())
    })
}

#[tokio::test]
async fn parts_share_one_port_one_description_and_one_fallback() {
    let shutdown = CancellationToken::new();
    let running = run(host(), shutdown).await;
    for (path, body) in [("/api/one", "one"), ("/api/two", "two"), ("/livez", "ok\n")] {
        let reply = http1(running.address, &format!("GET {path} HTTP/1.1"), "").await;
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, body));
    }
    let openapi = http1(running.address, "GET /openapi.json HTTP/1.1", "").await.json();
    assert_eq!(openapi["info"]["title"], "worldbus");
    assert!(openapi["paths"]["/api/one"].is_object() && openapi["paths"]["/api/two"].is_object());
    let problem = &openapi["components"]["schemas"]["Problem"]["properties"];
    assert!(problem["detail"].is_object() && problem["type"].is_object(), "{openapi}");
    assert_eq!(http1(running.address, "GET /api/three HTTP/1.1", "").await.status, 404);
    running.shutdown.cancel();
    assert!(running.ended().await.is_ok());
}

#[tokio::test]
async fn browser_finds_at_the_root_what_is_where_without_scripts() {
    let running = run(host(), CancellationToken::new()).await;
    let page = http1(running.address, "GET / HTTP/1.1", "").await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    for path in ["/api/one", "/api/two", "/openapi.json", "/healthz", "/metrics", "/version"] {
        assert!(page.body.contains(&format!("href=\"{path}\"")), "{path}: {}", page.body);
        assert_eq!(http1(running.address, &format!("GET {path} HTTP/1.1"), "").await.status, 200);
    }
    assert!(!page.body.contains("<script"));
}

#[tokio::test]
async fn wrong_method_is_answered_with_those_that_are_allowed() {
    let running = run(host(), CancellationToken::new()).await;
    let head = "DELETE /api/one HTTP/1.1\r\ncontent-type: application/json";
    let reply = http1(running.address, head, "").await;
    assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "GET,HEAD"));
    assert_eq!(reply.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn unknown_grpc_method_is_unimplemented() {
    let running = run(host(), CancellationToken::new()).await;
    let request = http::Request::post(format!("http://{}/no.Such/Call", running.address))
        .header("content-type", "application/grpc")
        .body(String::new())
        .unwrap();
    let reply = http2(running.address, request).await;
    assert_eq!(reply.header("grpc-status"), "12");
    let message = reply.header("grpc-message");
    assert!(message.contains("reflection") && !message.contains("openapi"), "{message}");
}

#[tokio::test]
async fn shutdown_waits_for_tasks_and_is_no_error() {
    let shutdown = CancellationToken::new();
    let part = Part::new("three", Router::new()).with_task(until(&shutdown));
    let running = run(host().with(part), shutdown).await;
    assert_eq!(http1(running.address, "GET /readyz HTTP/1.1", "").await.status, 200);
    running.shutdown.cancel();
    assert!(running.ended().await.is_ok());
}

#[tokio::test]
async fn task_that_fails_ends_the_rest_in_order_and_is_named() {
    let shutdown = CancellationToken::new();
    let failing = Task::new("poll", async { Err(io::Error::other("the state is gone")) });
    let part = Part::new("three", Router::new()).with_task(until(&shutdown)).with_task(failing);
    let running = run(host().with(part), shutdown.clone()).await;
    let text = running.ended().await.unwrap_err().to_string();
    assert_eq!(text, "three: task `poll` ended: the state is gone");
    assert!(shutdown.is_cancelled());
}

#[tokio::test]
async fn task_that_stops_by_itself_or_panics_is_an_error() {
    let stopping = Task::new("stopping", async { Ok::<_, io::Error>(()) });
    let part = Part::new("three", Router::new()).with_task(stopping);
    let running = run(host().with(part), CancellationToken::new()).await;
    assert!(running.ended().await.unwrap_err().reason.contains("by itself"));

    let panicking = Task::new("panicking", async {
        if true {
            panic!("a bug");
        }
        Ok::<_, io::Error>(())
    });
    let part = Part::new("three", Router::new()).with_task(panicking);
    let running = run(host().with(part), CancellationToken::new()).await;
    assert!(running.ended().await.unwrap_err().reason.contains("panic"));
}

#[tokio::test]
async fn task_that_ignores_the_shutdown_is_dropped() {
    let stuck = Task::new("stuck", std::future::pending::<Result<(), io::Error>>());
    let part = Part::new("three", Router::new()).with_task(stuck);
    let running = run(host().with(part), CancellationToken::new()).await;
    let start = Instant::now();
    running.shutdown.cancel();
    assert!(running.ended().await.is_ok());
    assert!(start.elapsed() < Duration::from_millis(server::DRAIN_MS_MAX + 900));
}
