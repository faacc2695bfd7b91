//! What is reported to the caller of a wrong request, over real sockets.

use axum::Router;
use axum::routing::{get, post};
use serde::Deserialize;

use super::*;
use crate::http::access::Access;
use crate::run::part::{Host, Part};
use crate::testing::{Reply, Server, http1, serve};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    hour: u32,
    #[serde(default)]
    places: Vec<Place>,
}

#[derive(Deserialize)]
struct Place {
    id: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Undo {
    reason: String,
}

#[derive(Deserialize)]
struct Range {
    hours: u16,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    True,
    Fallible,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Effect {
    Lock {},
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only what is wrong is of interest")]
struct All {
    #[serde(default)]
    whole: i64,
    #[serde(default)]
    number: f64,
    text: Option<String>,
    flag: Option<bool>,
    kind: Option<Kind>,
    list: Option<Vec<Kind>>,
    effect: Option<Effect>,
}

#[test]
fn faults_are_reported_in_words_of_the_caller_not_of_the_program() {
    for (body, detail, field) in [
        ("[]", "expected an object, found an array", None),
        ("7", "expected an object, found 7", None),
        ("{\"whole\":\"7\"}", "field `whole`: expected a whole number, found \"7\"", Some("whole")),
        ("{\"whole\":1.5}", "field `whole`: expected a whole number, found 1.5", Some("whole")),
        ("{\"number\":true}", "field `number`: expected a number, found true", Some("number")),
        ("{\"text\":{}}", "field `text`: expected a text, found an object", Some("text")),
        ("{\"flag\":3}", "field `flag`: expected true or false, found 3", Some("flag")),
        ("{\"list\":null,\"list\":[]}", "field `list`: given twice", Some("list")),
        ("{\"list\":{}}", "field `list`: expected an array, found an object", Some("list")),
        (
            "{\"kind\":\"x\"}",
            "field `kind`: expected `true` or `fallible`, found `x`",
            Some("kind"),
        ),
        ("{\"effect\":{}}", "field `effect.kind`: missing", Some("effect.kind")),
        (
            "{\"effect\":{\"kind\":\"lock\",\"foo\":1}}",
            "field `effect`: `foo` is not known; nothing is expected here",
            Some("effect"),
        ),
    ] {
        let problem = parse::<All>(body.as_bytes()).err().unwrap();
        let found = (problem.detail.as_str(), problem.field.as_deref());
        assert_eq!(found, (detail, field), "{body}");
        assert_eq!(problem.status, 422);
    }
    let problem = parse::<All>(b"{\"while\":1}").err().unwrap();
    assert!(problem.detail.starts_with("field `while`: not known; expected one of `whole`, "));
    let problem = parse::<Set>(b"{\"hour\":-1}").err().unwrap();
    assert_eq!(problem.detail, "field `hour`: expected a whole number from 0, found -1");
    let problem = parse::<Set>(b"{}").err().unwrap();
    assert_eq!(problem.detail, "field `hour`: missing");
}

#[test]
fn broken_json_has_a_path_or_no_field() {
    for (body, field) in [
        ("{\"hour\":22", None),
        ("", None),
        ("{\"places\":[{\"id\":", Some("places[0].id")),
        ("{\"hour\":1 \"places\"", None),
    ] {
        let problem = parse::<Set>(body.as_bytes()).err().unwrap();
        assert_eq!((problem.status, problem.field.as_deref()), (400, field), "{body}: {problem}");
        assert!(problem.detail.contains("line 1"), "{problem}");
    }
}

async fn start() -> Server {
    let set = async |Json(set): Json<Set>| {
        let ids: Vec<String> = set.places.into_iter().map(|place| place.id).collect();
        format!("{} {}", set.hour, ids.join(","))
    };
    let router = Router::new()
        .route("/set", post(set))
        .route("/undo", post(async |OptionalJson(undo): OptionalJson<Undo>| undo.reason))
        .route("/range", get(async |Query(range): Query<Range>| range.hours.to_string()))
        .route("/plain", get(async |Query(NoQuery {})| "plain"))
        .route("/one/{id}", get(async |Path(id): Path| id));
    let access = Access::new("127.0.0.1:0".parse().unwrap(), None).unwrap();
    serve(Host::new("test", access).with(Part::new("test", router)).assemble().0).await
}

async fn set(server: &Server, body: &str) -> Reply {
    let head = "POST /set HTTP/1.1\r\ncontent-type: application/json";
    http1(server.address, head, body).await
}

#[track_caller]
fn is_problem(reply: &Reply, status: u16, field: Option<&str>) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.header("content-type"), crate::http::problem::CONTENT_TYPE);
    let problem = reply.json();
    assert_eq!(problem["status"], status);
    let kind = problem["type"].as_str().unwrap();
    assert!(kind.starts_with("urn:worldbus:problem:"), "{problem}");
    assert!(problem["title"].is_string() && problem["detail"].is_string());
    assert_eq!(problem.get("field").and_then(|field| field.as_str()), field, "{problem}");
}

#[tokio::test]
async fn good_requests_pass() {
    let server = start().await;
    assert_eq!(set(&server, r#"{"hour":7,"places":[{"id":"ghent"}]}"#).await.body, "7 ghent");
    assert_eq!(http1(server.address, "GET /range?hours=24 HTTP/1.1", "").await.body, "24");
}

#[tokio::test]
async fn wrong_json_names_the_field() {
    let server = start().await;
    is_problem(&set(&server, r#"{"hour":"seven"}"#).await, 422, Some("hour"));
    is_problem(&set(&server, r#"{"hour":-1}"#).await, 422, Some("hour"));
    let nested = r#"{"hour":1,"places":[{"id":"a"},{"id":2}]}"#;
    is_problem(&set(&server, nested).await, 422, Some("places[1].id"));
    is_problem(&set(&server, r#"{"hour":1,"minit":2}"#).await, 422, Some("minit"));
    is_problem(&set(&server, "[7]").await, 422, None);
    is_problem(&set(&server, "[null,null]").await, 422, None);
    let missing = set(&server, "{}").await;
    is_problem(&missing, 422, Some("hour"));
    assert!(missing.body.contains("`hour`"), "{missing:?}");
    let nested = set(&server, r#"{"hour":1,"places":[{"id":"a"},{}]}"#).await;
    is_problem(&nested, 422, Some("places[1].id"));
}

#[tokio::test]
async fn optional_body_is_the_default_when_it_is_empty_and_json_otherwise() {
    let server = start().await;
    let typed = "POST /undo HTTP/1.1\r\ncontent-type: application/json";
    for head in ["POST /undo HTTP/1.1", typed] {
        let reply = http1(server.address, head, "").await;
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, ""));
    }
    for body in ["null", " null\n"] {
        let reply = http1(server.address, typed, body).await;
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, ""), "{body:?}");
    }
    assert_eq!(http1(server.address, typed, r#"{"reason":"rain"}"#).await.body, "rain");
    is_problem(&http1(server.address, typed, r#"{"cause":"rain"}"#).await, 422, Some("cause"));
}

#[tokio::test]
async fn what_is_not_one_json_value_is_400() {
    let server = start().await;
    for body in ["", "{", "hour=7", "{\"hour\":1}x", "\u{0}"] {
        let reply = set(&server, body).await;
        assert_eq!(reply.status, 400, "{body:?}: {reply:?}");
    }
}

#[tokio::test]
async fn wrong_query_names_the_parameter() {
    let server = start().await;
    let reply = http1(server.address, "GET /range?hours=many HTTP/1.1", "").await;
    is_problem(&reply, 400, Some("hours"));
    assert_eq!(reply.json()["detail"], "query parameter `hours`: expected a whole number");
    for (query, wrong) in [("", "a whole number"), ("70000", "a smaller number")] {
        let head = format!("GET /range?hours={query} HTTP/1.1");
        let reply = http1(server.address, &head, "").await;
        let wanted = format!("query parameter `hours`: expected {wrong}");
        assert_eq!(reply.json()["detail"], wanted);
    }
    let reply = http1(server.address, "GET /range HTTP/1.1", "").await;
    is_problem(&reply, 400, Some("hours"));
    assert!(reply.body.contains("`hours`"), "{reply:?}");
}

#[tokio::test]
async fn unknown_path_and_method_are_problems() {
    let server = start().await;
    let reply = http1(server.address, "GET /nowhere HTTP/1.1", "").await;
    is_problem(&reply, 404, None);
    let reply = http1(server.address, "GET /set HTTP/1.1", "").await;
    is_problem(&reply, 405, None);
    assert_eq!(reply.header("allow"), "POST");
}

#[tokio::test]
async fn byte_order_mark_in_front_of_a_body_is_skipped() {
    let server = start().await;
    let reply = set(&server, "\u{feff}{\"hour\":7}").await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, "7 "));
}

#[tokio::test]
async fn route_without_parameters_refuses_a_query_by_name() {
    let server = start().await;
    assert_eq!(http1(server.address, "GET /plain HTTP/1.1", "").await.body, "plain");
    let reply = http1(server.address, "GET /plain?limit=3 HTTP/1.1", "").await;
    is_problem(&reply, 400, Some("limit"));
    let detail = "query parameter `limit`: not known; nothing is expected here";
    assert_eq!(reply.json()["detail"], detail);
}

#[tokio::test]
async fn path_that_is_no_text_is_a_problem() {
    let server = start().await;
    assert_eq!(http1(server.address, "GET /one/a%20b HTTP/1.1", "").await.body, "a b");
    let reply = http1(server.address, "GET /one/%ff HTTP/1.1", "").await;
    is_problem(&reply, 400, None);
}
