//! REST and the live stream over real sockets.

use std::collections::HashSet;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use crate::server::http::{EventStream, Sent, get, post};
use crate::server::{Server, dir};
use worldbus_bus::{DeadEvent, Outcome, Position, SubscriptionName, Transport};
use worldbus_conformance::{batch, next, soon, spec, topic, typed};
use worldbus_events::{About, BatchBuilder, EventId, NewEvent, ProducerId};
use worldbus_transport_embedded::Options;

const PUBLISH: &str = "/api/events/publish";

#[tokio::test(flavor = "multi_thread")]
async fn published_event_is_durable_and_in_the_history() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let body =
        r#"{"type":"weather.changed","payload":{},"entity":"brussels","place":"grand place"}"#;
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
    assert_eq!(history["events"][0]["place"], "grand place");
    assert_eq!(history["events"][0]["source"], "event-bus");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fact_of_a_service_is_published_with_a_warning_and_a_request_without() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let publish = async |event_type: &str| {
        let body = json!({"type": event_type, "payload": {}}).to_string();
        let reply = post(server.address, PUBLISH, &body).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    };
    for (fact, instead) in [
        ("weather.changed", "publish weather.override_requested"),
        ("time.updated", "the time stays as it is"),
    ] {
        let published = publish(fact).await;
        let warning = published["warning"].as_str().unwrap();
        assert!(warning.starts_with(fact) && warning.contains(instead), "{warning}");
    }
    for name in ["weather.override_requested", "world_state.updated"] {
        assert_eq!(publish(name).await.get("warning"), None);
    }
    let topics = server.embedded.topics().await.unwrap();
    assert_eq!(topics.iter().map(|topic| topic.events_total).sum::<u64>(), 4);
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
async fn bad_input_is_reported_by_problem_documents() {
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
        ("/api/events/stream?topic=time,wether", 400),
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
    // Counting begins when its reader is open, which nothing reports: so until it counts.
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

/// The same batches in another order.
async fn publish_three_topics_otherwise(server: &Server) {
    for number in (0..5).rev() {
        for (producer, name) in [(3, "npc"), (2, "weather"), (1, "time")] {
            let events = batch(producer, number * 4..number * 4 + 4);
            server.embedded.publish(&topic(name), events).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cursor_of_another_log_goes_on_by_time_reports_it_and_loses_nothing() {
    let (dir, other) = (dir(), dir());
    let (server, second) = (Server::start(dir.path()).await, Server::start(other.path()).await);
    publish_three_topics(&server).await;
    publish_three_topics_otherwise(&second).await;
    let mut whole = EventStream::open(server.address, "from=start", None).await;
    let all = take(&mut whole, 60).await;
    for cut in [1, 30, 59] {
        let id = &all[cut - 1].id;
        let mut stream = EventStream::open(second.address, "from=now", Some(id)).await;
        let begun = stream.first_id().await;
        assert_ne!(&begun, id);
        let [resumed, gap] = take(&mut stream, 2).await.try_into().unwrap();
        assert_eq!((resumed.event.as_str(), resumed.id.as_str()), ("resumed", ""));
        assert_eq!(resumed.data["reason"], "another_log");
        // Events of tests happened long before any log began.
        assert_eq!((gap.event.as_str(), &gap.data["reason"]), ("gap", &"log_began".into()));
        // Both logs are younger than how far it goes back.
        let rest = take(&mut stream, 60).await;
        let (seen, sent) = (ids(&all[..cut]), ids(&rest));
        assert_eq!(sent.iter().collect::<HashSet<_>>().len(), 60, "none twice from one log");
        let handled: HashSet<_> = seen.iter().chain(&sent).cloned().collect();
        assert_eq!(handled, ids(&all).into_iter().collect());
        // Who leaves before the first event comes back by time, and who saw one, exactly.
        let mut again = EventStream::open(second.address, "", Some(&begun)).await;
        assert_eq!(ids(&take(&mut again, 60).await), sent);
        let mut exact = EventStream::open(second.address, "", Some(&rest[6].id)).await;
        assert_eq!(ids(&take(&mut exact, 53).await), sent[7..]);
    }
    server.stop().await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cursors_of_earlier_versions_are_taken_as_of_this_log() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    publish_three_topics(&server).await;
    let all = take(&mut EventStream::open(server.address, "from=start", None).await, 60).await;
    // Each batch of four is a commit; topics are in the order of their publication.
    for (cursor, left) in
        [("2;c2.0.3", 60 - 11), ("2;c15.0.0", 0), ("2;s", 60), ("1;s;time=4.2", 42)]
    {
        let id = BASE64_URL_SAFE_NO_PAD.encode(cursor);
        let mut stream = EventStream::open(server.address, "", Some(&id)).await;
        stream.first_id().await;
        let more = batch(9, 0..1);
        if left == 0 {
            server.embedded.publish(&topic("time"), more).await.unwrap();
            assert_eq!(take(&mut stream, 1).await[0].event, "time.updated");
            continue;
        }
        let found = take(&mut stream, left).await;
        assert_eq!(ids(&found), ids(&all[60 - left..]), "{cursor}");
        // What comes out names the log.
        let last = BASE64_URL_SAFE_NO_PAD.decode(&found[left - 1].id).unwrap();
        assert_eq!((last[0], last.len() < 24), (3, true), "{last:?}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cursor_past_retention_gets_a_gap() {
    let dir = dir();
    let keep = Options { retention_bytes: 20_000, unread_bytes: 0, ..Options::default() };
    let server = Server::start_keeping(dir.path(), keep).await;
    let mut stream = EventStream::open(server.address, "", None).await;
    let seen = stream.first_id().await;
    drop(stream);
    for number in 0..20 {
        let large = typed(1, number..number + 1, 6, None, 4_000);
        server.embedded.publish(&topic("time"), large).await.unwrap();
    }
    soon("retention", async {
        while server.embedded.topics().await.unwrap()[0].bytes > 20_000 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let kept = server.embedded.topics().await.unwrap()[0].first_offset;
    let mut stream = EventStream::open(server.address, "", Some(&seen)).await;
    let gap = take(&mut stream, 1).await.remove(0);
    assert_eq!((gap.event.as_str(), &gap.data["reason"]), ("gap", &"retention".into()));
    assert_eq!((&gap.data["topic"], gap.data.get("batches")), (&"time".into(), None));
    assert!(gap.data["from_time"].as_str() <= gap.data["until_time"].as_str(), "{gap:?}");
    let first = take(&mut stream, 1).await.remove(0);
    assert_eq!(ids(&[first]), [worldbus_conformance::id(1, kept).to_string()]);
    // By offsets it is known how many.
    let id = BASE64_URL_SAFE_NO_PAD.encode("1;s;time=2.0");
    let mut stream = EventStream::open(server.address, "", Some(&id)).await;
    assert_eq!(take(&mut stream, 1).await[0].data["batches"], kept - 2);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_cursors_are_refused_or_read_within_bounds() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    server.embedded.publish(&topic("time"), batch(1, 0..1)).await.unwrap();
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let many = ";a=1.0".repeat(300);
    for wrong in [
        "%00".to_owned(),
        encode(&[3]),
        encode(&[3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        encode(&[&[3][..], &[0xff; 30]].concat()),
        encode(&[&[3, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0][..], many.as_bytes()].concat()),
        "A".repeat(5000),
    ] {
        let reply = get(server.address, &format!("/api/events/stream?cursor={wrong}")).await;
        let problem = reply.json();
        assert_eq!((reply.status, &problem["field"]), (400, &"cursor".into()), "{problem}");
        assert!(problem["detail"].as_str().unwrap().len() < 200, "{problem}");
    }
    // An unknown log, and the last commit of all.
    let mut last = vec![3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    last.extend([[0xff; 9].as_slice(), &[1]].concat().repeat(2));
    last.extend([0, 0]);
    let mut stream = EventStream::open(server.address, "", Some(&encode(&last))).await;
    let sent = take(&mut stream, 3).await;
    let events: Vec<_> = sent.iter().map(|sent| sent.event.as_str()).collect();
    assert_eq!(events, ["resumed", "gap", "time.updated"]);
    assert_eq!(sent[1].data["reason"], "log_began");
    assert_eq!(sent[0].data["from_time"], i64::MIN);
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
async fn without_the_key_nothing_is_shown() {
    let dir = dir();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let server = Server::start_at(dir.path(), any, Some("swordfish")).await;
    for path in ["/api/events/stats", "/api/events/stream", "/api/events/history/time.updated"] {
        assert_eq!(get(server.address, path).await.status, 401, "{path}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_topic_of_a_stream_is_refused_with_what_is_alike() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let refused = get(server.address, "/api/events/stream?topic=wether").await.json();
    assert_eq!(refused["field"], "topic");
    assert!(refused["detail"].as_str().unwrap().contains("did you mean weather"), "{refused}");
    // Known by the catalogue although nothing was published yet, or by what was published.
    server.embedded.publish(&topic("quest"), batch(1, 0..1)).await.unwrap();
    let mut stream = EventStream::open(server.address, "topic=quest,time&from=start", None).await;
    assert_eq!(take(&mut stream, 1).await.len(), 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn type_of_another_topic_is_refused_with_its_own() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let path = "/api/events/stream?topic=time&type=weather.changed";
    let refused = get(server.address, path).await.json();
    assert_eq!((&refused["field"], &refused["status"]), (&"type".into(), &400.into()));
    assert!(refused["detail"].as_str().unwrap().contains("topic weather"), "{refused}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_of_a_world_leaves_out_the_others() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    for (number, world) in ["europe", "europe:dungeon", "mars"].into_iter().enumerate() {
        let mut one = BatchBuilder::new("test", world);
        let id = EventId { producer: ProducerId::from_bits(number as u64 + 1), sequence: 1 };
        let (event_type, timestamp_ms, payload) = (1, 1000, &[][..]);
        let (entity, place, metadata) = (None, None, None);
        one.push(NewEvent { event_type, id, timestamp_ms, entity, place, payload, metadata })
            .unwrap();
        server.embedded.publish(&topic("weather"), one.finish().unwrap()).await.unwrap();
    }
    for (query, expected) in
        [("world=mars", &["mars"][..]), ("world=mars,europe", &["europe", "mars"])]
    {
        let query = format!("from=start&{query}");
        let mut stream = EventStream::open(server.address, &query, None).await;
        let sent = take(&mut stream, expected.len()).await;
        let worlds: Vec<_> = sent.iter().map(|sent| sent.data["world"].clone()).collect();
        assert_eq!(worlds, expected);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entity_of_any_text_can_be_asked_for() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    for (number, entity) in ["a", "a,b", " b "].into_iter().enumerate() {
        let number = number as u64;
        let one = typed(1, number..number + 1, 1, Some(entity), 8);
        server.embedded.publish(&topic("weather"), one).await.unwrap();
    }
    for (query, expected) in [("a%2Cb", "a,b"), ("%20b%20", " b "), ("a", "a")] {
        let query = format!("from=start&entity={query}");
        let mut stream = EventStream::open(server.address, &query, None).await;
        assert_eq!(take(&mut stream, 1).await[0].data["entity"], expected);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_of_a_place_has_what_happened_there_and_what_is_the_place() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let market = About::from("npc-7").at("ghent, market");
    let abouts = [market, About::from("npc-7").at("ghent"), "npc-8".into(), "ghent".into()];
    for (number, about) in abouts.into_iter().chain([About::default()]).enumerate() {
        let number = number as u64;
        let one = typed(1, number..number + 1, 1, about, 8);
        server.embedded.publish(&topic("weather"), one).await.unwrap();
    }
    for (query, expected) in [
        ("place=ghent%2C%20market", &[0][..]),
        ("place=ghent", &[1, 3]),
        ("place=ghent&entity=npc-7", &[1]),
        ("place=ghent,npc-8", &[1, 2, 3]),
    ] {
        let mut stream =
            EventStream::open(server.address, &format!("from=start&{query}"), None).await;
        let expected: Vec<_> =
            expected.iter().map(|&n| worldbus_conformance::id(1, n).to_string()).collect();
        assert_eq!(ids(&take(&mut stream, expected.len()).await), expected, "{query}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_of_many_topics_resumes_by_ids_of_few_bytes() {
    const TOPICS: u64 = 250;
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let publish = async |turn: u64| {
        let name = |n: u64| topic(&format!("a-topic-with-a-long-name-number-{n:03}"));
        let appends = (0..TOPICS).map(|n| {
            let (name, two) = (name(n), batch(n + 1, turn * 2..turn * 2 + 2));
            let embedded = server.embedded.clone();
            async move { embedded.publish(&name, two).await.unwrap() }
        });
        futures_util::future::join_all(appends).await;
    };
    publish(0).await;
    let mut whole = EventStream::open(server.address, "", None).await;
    let first = whole.first_id().await;
    publish(1).await;
    let all = take(&mut whole, 2 * TOPICS as usize).await;
    assert!(all.iter().all(|sent| sent.id.len() <= 30), "{}", all[0].id);
    let mut expected = ids(&all);
    expected.sort();
    expected.dedup();
    assert_eq!(expected.len(), all.len(), "each once, and none of before");
    for cut in [0, 1, 250, 499] {
        let id = if cut == 0 { &first } else { &all[cut - 1].id };
        let mut resumed = EventStream::open(server.address, "", Some(id)).await;
        let rest = take(&mut resumed, all.len() - cut).await;
        assert_eq!(ids(&rest), ids(&all[cut..]), "behind {cut}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_of_one_view_get_the_same_bytes_each_event_once() {
    const CLIENTS: usize = 20;
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let mut streams = Vec::new();
    for _ in 0..CLIENTS {
        let mut stream = EventStream::open(server.address, "", None).await;
        stream.first_id().await;
        streams.push(stream);
    }
    for number in 0..50 {
        let events = batch(1, number * 4..number * 4 + 4);
        server.embedded.publish(&topic("time"), events).await.unwrap();
    }
    let first = take(&mut streams[0], 200).await;
    let expected: Vec<_> = (0..200).map(|n| worldbus_conformance::id(1, n).to_string()).collect();
    assert_eq!(ids(&first), expected);
    for stream in &mut streams[1..] {
        assert_eq!(take(stream, 200).await, first);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_counted_without_reading_them_and_listed_by_pages() {
    const LETTERS: usize = 5;
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let mut consumer =
        server.embedded.subscribe(spec("s", &["time"], Position::Start)).await.unwrap();
    for number in 0..LETTERS as u64 {
        let large = typed(1, number..number + 1, 6, None, 900 << 10);
        server.embedded.publish(&topic("time"), large).await.unwrap();
        let delivered = next(&mut consumer).await;
        let (reason, attempts) = ("no".to_owned(), 1);
        let times = (1, 2);
        let (first_failed_ms, last_failed_ms) = times;
        let dead = DeadEvent { index: 0, reason, attempts, first_failed_ms, last_failed_ms };
        let settler = consumer.settler();
        settler.dead_letter(&delivered.lease, vec![dead]).await.unwrap();
        settler.settle(&delivered.lease, Outcome::Ack).await.unwrap();
    }
    let counted = async |server: &Server| {
        get(server.address, "/api/events/stats").await.json()["dead_letters"].as_u64().unwrap()
    };
    assert_eq!(counted(&server).await, LETTERS as u64);
    let page = server.embedded.dead_letter_page(None, None, 10).await.unwrap();
    assert!(page.len() < LETTERS, "a page has a bound in bytes: {}", page.len());
    let remote = server.connect().await;
    let all = remote.dead_letters(None, 10).await.unwrap();
    let offsets: Vec<_> = all.iter().filter_map(|letter| letter.offset).collect();
    assert_eq!(offsets, [4, 3, 2, 1, 0], "newest first, each once");
    assert_eq!(remote.dead_letters(None, 3).await.unwrap().len(), 3);
    let name = SubscriptionName::new("s").unwrap();
    let ids = [all[0].id.clone(), all[3].id.clone()];
    assert!(remote.discard_dead_letters(&name, &ids).await.unwrap().is_empty());
    assert_eq!(counted(&server).await, 3);
    let server = server.restart(dir.path()).await;
    assert_eq!(counted(&server).await, 3);
    server.stop().await;
}
