//! Health as an orchestrator and a person see it.

use super::*;
use crate::http::access::Access;
use crate::run::part::Host;
use crate::testing::{Server, http1, serve};

async fn start(readiness: Readiness) -> Server {
    metrics::install();
    let access = Access::new("127.0.0.1:0".parse().unwrap(), None).unwrap();
    serve(Host::new("worldbus", access).with_readiness(readiness).assemble().0).await
}

async fn get(server: &Server, path: &str) -> crate::testing::Reply {
    http1(server.address, &format!("GET {path} HTTP/1.1"), "").await
}

#[tokio::test]
async fn ready_only_while_every_condition_holds() {
    let readiness = Readiness::default();
    let (bus, state) = (readiness.condition("bus"), readiness.condition("state"));
    let server = start(readiness.clone()).await;
    bus.met();
    let reply = get(&server, "/readyz").await;
    assert_eq!(reply.status, 503);
    assert!(reply.body.contains("state: starting") && !reply.body.contains("bus"), "{reply:?}");
    state.met();
    assert_eq!(get(&server, "/readyz").await.status, 200);
    assert!(readiness.is_ready());
    bus.failed("the disk is full");
    assert!(get(&server, "/readyz").await.body.contains("bus: the disk is full"));
    assert_eq!(get(&server, "/livez").await.status, 200);
}

#[tokio::test]
async fn healthy_from_when_it_was_ready_first() {
    let readiness = Readiness::default();
    let bus = readiness.condition("bus");
    let server = start(readiness).await;
    let reply = get(&server, "/healthz").await;
    assert_eq!(reply.status, 503);
    assert!(reply.body.contains("bus: starting"), "{reply:?}");
    bus.met();
    assert_eq!(get(&server, "/healthz").await.status, 200);
    bus.failed("gone");
    assert_eq!(get(&server, "/healthz").await.status, 200);
    assert_eq!(get(&server, "/readyz").await.status, 503);
}

#[tokio::test]
async fn healthy_in_an_outage_though_it_was_not_asked_while_it_was_ready() {
    let readiness = Readiness::default();
    let (bus, state) = (readiness.condition("bus"), readiness.condition("state"));
    let server = start(readiness.clone()).await;
    bus.met();
    bus.failed("gone before the state was there");
    state.met();
    assert_eq!(get(&server, "/healthz").await.status, 503, "it never was ready");
    bus.met();
    bus.failed("gone");
    assert_eq!(get(&server, "/healthz").await.status, 200);
    assert_eq!(get(&server, "/readyz").await.status, 503);
}

#[test]
fn condition_that_holds_before_the_others_are_registered_is_not_readiness() {
    let readiness = Readiness::default();
    readiness.condition("bus").met();
    assert!(readiness.is_ready() && !readiness.was_ready());
    readiness.condition("state");
    readiness.complete();
    assert!(!readiness.was_ready());
    readiness.condition("state").met();
    assert!(readiness.was_ready());
}

#[test]
fn same_name_is_the_same_condition() {
    let readiness = Readiness::default();
    readiness.condition("bus").met();
    let again = readiness.condition("bus");
    assert!(readiness.is_ready());
    again.failed("gone");
    assert_eq!(readiness.missing()["bus"], "gone");
}

#[tokio::test]
async fn metrics_count_requests_by_route() {
    let server = start(Readiness::default()).await;
    get(&server, "/no/such/path").await;
    get(&server, "/version").await;
    let page = get(&server, "/metrics").await;
    assert!(page.header("content-type").starts_with("text/plain; version=0.0.4"));
    let lines = [
        r#"worldbus_http_requests_total{method="GET",route="/version",status="200"}"#,
        r#"worldbus_http_requests_total{method="GET",route="none",status="404"}"#,
        r#"worldbus_http_request_seconds_bucket{route="/version",le="0.01"}"#,
    ];
    for line in lines {
        assert!(page.body.contains(line), "{line} is not in\n{}", page.body);
    }
    assert!(!page.body.contains("/no/such/path"));
}

#[tokio::test]
async fn version_names_the_program() {
    let server = start(Readiness::default()).await;
    let version = get(&server, "/version").await.json();
    assert_eq!(version["name"], "worldbus");
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert!(version["rust_version"].is_string());
}
