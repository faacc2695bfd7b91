//! REST and the live stream over real sockets.

#![allow(clippy::unwrap_used, reason = "tests")]

mod server;

use serde_json::json;
use server::http::{EventStream, Sent, get, post};
use server::{Server, dir};
use std::net::SocketAddr;
use worldbus_bus::Transport;
use worldbus_conformance::{batch, soon, topic, typed};

const PUBLISH: &str = "/api/events/publish";

#[tokio::test(flavor = "multi_thread")]
async fn published_event_is_durable_and_in_the_history() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let body = r#"{"type":"weather.changed","payload":{},"entity":"brussels"}"#;
    let reply = post(server.address, PUBLISH, body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let published = reply.json();
    assert_eq!(
        (&published["event_type"], &published["topic"]),
        (&"weather.changed".into(), &"weather".into())
    );
    let topics = server.embedded.topics().await.unwrap();
    assert_eq!(topics[0].events_total, 1);
    let history = get(server.address, "/api/events/history/weather.changed").await.json();
    assert_eq!(history["complete"], true);
    assert_eq!(history["events"][0]["event_id"], published["event_id"]);
    assert_eq!(history["events"][0]["entity"], "brussels");
    assert_eq!(history["events"][0]["source"], "event-bus");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_event_id_is_none_and_the_nil_id_is_refused() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let body =
        |id: &str| format!(r#"{{"type":"weather.changed","payload":{{}},"event_id":"{id}"}}"#);
    let mut ids = Vec::new();
    for _ in 0..2 {
        let reply = post(server.address, PUBLISH, &body("")).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        ids.push(reply.json()["event_id"].clone());
    }
    assert_ne!(ids[0], ids[1]);
    let nil = post(server.address, PUBLISH, &body("00000000-0000-0000-0000-000000000000")).await;
    assert_eq!(nil.status, 422, "{nil:?}");
    let topics = server.embedded.topics().await.unwrap();
    assert_eq!(topics[0].events_total, 2);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_a_body_are_read_as_they_are_written() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let state = |version: &str| {
        format!(r#"{{"type":"world_state.updated","payload":{{"version":{version}}}}}"#)
    };
    let body = format!("\u{feff}{}", state("18446744073709551615"));
    let reply = post(server.address, PUBLISH, &body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    for version in ["18446744073709551616", "1.5", "-1"] {
        let reply = post(server.address, PUBLISH, &state(version)).await;
        assert_eq!((reply.status, &reply.json()["field"]), (422, &"payload".into()), "{version}");
    }
    let history = get(server.address, "/api/events/history/world_state.updated").await.json();
    assert_eq!(history["events"][0]["payload"]["version"], "18446744073709551615");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_the_latest_from_older_to_newer() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    // Rare among many others, so that the windows have to grow.
    for number in 0..700 {
        let event_type = if number % 100 == 0 { 1 } else { 2 };
        let one = typed(1, number..number + 1, event_type, None, 8);
        server.embedded.publish(&topic("weather"), one).await.unwrap();
    }
    let ids = async |limit: usize| {
        let path = format!("/api/events/history/weather.changed?limit={limit}");
        let history = get(server.address, &path).await.json();
        assert_eq!(history["complete"], true);
        let events = history["events"].as_array().unwrap().clone();
        events
            .iter()
            .map(|event| event["event_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let all: Vec<_> = (0..7).map(|n| worldbus_conformance::id(1, n * 100).to_string()).collect();
    assert_eq!(ids(100).await, all);
    assert_eq!(ids(3).await, all[4..]);
    let none = get(server.address, "/api/events/history/time.updated").await.json();
    assert_eq!(none, json!({"events": [], "complete": true}));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_told_by_problem_documents() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let large = format!(r#"{{"type":"time.updated","payload":{{"x":"{}"}}}}"#, "x".repeat(2 << 20));
    for (body, status, words) in [
        ("{", 400, "JSON"),
        ("[]", 422, ""),
        (r#"{"payload":{}}"#, 422, "event_type"),
        (r#"{"type":"weather.chnged","payload":{}}"#, 422, "weather.changed"),
        (r#"{"type":"time.updated","payload":{"hour":"noon"}}"#, 422, "hour"),
        (r#"{"type":"time.updated","payload":{"huor":1}}"#, 422, "huor"),
        (r#"{"type":"time.updated","payload":{},"source":"me"}"#, 422, "source"),
        (r#"{"type":"time.updated","payload":{},"extra":1}"#, 422, "extra"),
        (large.as_str(), 413, "bytes"),
    ] {
        let reply = post(server.address, PUBLISH, body).await;
        let body = &body[..body.len().min(80)];
        assert_eq!(reply.status, status, "{body}: {reply:?}");
        let problem = reply.json();
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].as_str().unwrap().contains(words), "{body}: {problem}");
    }
    for (path, status) in [
        ("/api/events/history/weather.chnged", 404),
        ("/api/events/history/weather.changed?limit=0", 400),
        ("/api/events/history/weather.changed?limit=1001", 400),
        ("/api/events/history/weather.changed?limit=x", 400),
        ("/api/events/history/weather.changed?lmit=1", 400),
        ("/api/events/stream?from=yesterday", 400),
        ("/api/events/stream?type=nothing.like.it", 400),
        ("/api/events/stream?topic=Not+One", 400),
        ("/api/events/stream?cursor=made-up", 400),
    ] {
        let reply = get(server.address, path).await;
        assert_eq!(reply.status, status, "{path}: {reply:?}");
        assert_eq!(reply.json()["status"], status);
    }
    assert!(server.embedded.topics().await.unwrap().is_empty(), "nothing was published");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_count_topics_types_and_streams() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let _stream = EventStream::open(server.address, "", None).await;
    // Counting begins when its reader is open, which nothing tells: so until it counts.
    let mut number = 0;
    let stats = soon("counts", async {
        loop {
            let published = batch(1, number..number + 10);
            server.embedded.publish(&topic("time"), published).await.unwrap();
            number += 10;
            let stats = get(server.address, "/api/events/stats").await.json();
            if stats["types"][0]["events"].as_u64().is_some() {
                return stats;
            }
        }
    });
    let stats = stats.await;
    assert_eq!(stats["transport"], "embedded");
    assert_eq!(stats["topics"][0]["topic"], "time");
    assert!(stats["topics"][0]["events_total"].as_u64().unwrap() >= 10);
    assert_eq!(stats["types"][0]["event_type"], "time.updated");
    assert_eq!((&stats["streams"]["sse"], &stats["dead_letters"]), (&1.into(), &0.into()));
    let described = get(server.address, "/openapi.json").await.json();
    for path in [PUBLISH, "/api/events/stats", "/api/events/stream", "/api/events/history/{type}"] {
        assert!(described["paths"][path].is_object(), "{path}");
    }
    server.stop().await;
}

async fn take(stream: &mut EventStream, count: usize) -> Vec<Sent> {
    let mut sent = Vec::new();
    while sent.len() < count {
        sent.push(soon("an event", stream.next()).await.unwrap());
    }
    sent
}

fn ids(sent: &[Sent]) -> Vec<String> {
    sent.iter().map(|sent| sent.data["event_id"].as_str().unwrap().to_owned()).collect()
}

async fn publish_three_topics(server: &Server) {
    for (producer, name) in [(1, "time"), (2, "weather"), (3, "npc")] {
        for number in 0..5 {
            let events = batch(producer, number * 4..number * 4 + 4);
            server.embedded.publish(&topic(name), events).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_resumes_anywhere_without_gap_or_double() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    publish_three_topics(&server).await;
    let mut whole = EventStream::open(server.address, "from=start", None).await;
    let all = take(&mut whole, 60).await;
    let mut expected = ids(&all);
    expected.sort();
    expected.dedup();
    assert_eq!(expected.len(), 60, "each once");
    let server = server.restart(dir.path()).await;
    for cut in [1, 2, 4, 7, 20, 23, 41, 59] {
        let id = &all[cut - 1].id;
        let mut by_header = EventStream::open(server.address, "from=start", Some(id)).await;
        let query = format!("cursor={id}");
        let mut by_query = EventStream::open(server.address, &query, None).await;
        for rest in [take(&mut by_header, 60 - cut).await, take(&mut by_query, 60 - cut).await] {
            let mut found = ids(&[&all[..cut], &rest].concat());
            found.sort();
            assert_eq!(found, expected, "cut behind event {cut}");
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_that_saw_nothing_resumes_where_it_stood() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    server.embedded.publish(&topic("time"), batch(1, 0..3)).await.unwrap();
    let mut idle = EventStream::open(server.address, "from=now", None).await;
    let id = idle.first_id().await;
    drop(idle);
    server.embedded.publish(&topic("time"), batch(1, 3..5)).await.unwrap();
    server.embedded.publish(&topic("later"), batch(2, 0..1)).await.unwrap();
    let mut back = EventStream::open(server.address, "from=now", Some(&id)).await;
    let found = ids(&take(&mut back, 3).await);
    let expected = [(1, 3), (1, 4), (2, 0)]
        .map(|(producer, n)| worldbus_conformance::id(producer, n).to_string());
    assert_eq!(found, expected);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_shows_what_was_asked_for_and_ends_at_shutdown() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let query = "type=weather.changed&entity=ghent,bruges&topic=weather";
    let mut stream = EventStream::open(server.address, query, None).await;
    stream.first_id().await;
    for (number, event_type, entity) in
        [(0, 1, "ghent"), (1, 2, "ghent"), (2, 1, "liege"), (3, 1, "bruges")]
    {
        let one = typed(1, number..number + 1, event_type, Some(entity), 8);
        server.embedded.publish(&topic("weather"), one.clone()).await.unwrap();
        server
            .embedded
            .publish(&topic("npc"), typed(2, number..number + 1, 1, Some("ghent"), 8))
            .await
            .unwrap();
    }
    let sent = take(&mut stream, 2).await;
    let entities: Vec<_> = sent.iter().map(|sent| sent.data["entity"].as_str().unwrap()).collect();
    assert_eq!(entities, ["ghent", "bruges"]);
    assert!(sent.iter().all(|sent| sent.data["world"] == "world"));
    let stopped = server.stop();
    let (end, ()) = tokio::join!(stream.next(), stopped);
    assert_eq!(end, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_key_nothing_is_told() {
    let dir = dir();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let server = Server::start_at(dir.path(), any, Some("swordfish")).await;
    for path in ["/api/events/stats", "/api/events/stream", "/api/events/history/time.updated"] {
        assert_eq!(get(server.address, path).await.status, 401, "{path}");
    }
    server.stop().await;
}
