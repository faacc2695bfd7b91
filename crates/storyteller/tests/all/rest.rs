//! The chronicle's REST routes: search, digest, contents, arcs, one entry, and bad input.

use crate::kit::{feast, much_later, place, run, storm, texts};
use worldbus_events::prost::Message as _;
use worldbus_events::{Event as _, v1};
use worldbus_testkit::{Instance, Place};

async fn written() -> (Place, tempfile::TempDir, Instance) {
    let place = place().await;
    let dir = tempfile::tempdir().unwrap();
    let instance = run(&place, dir.path()).await;
    for (hour, region) in [(10, "paris"), (20, "vienna"), (30, "paris")] {
        storm(&place, hour, region).await;
    }
    feast(&place, 40, "<b>Lantern</b> *Night*").await;
    much_later(&place).await;
    let ended = |event: &worldbus_testkit::Seen| {
        event.event_type == v1::StoryArcAdvanced::NUMBER
            && v1::StoryArcAdvanced::decode(event.payload.as_slice()).unwrap().ended
    };
    let is_done =
        |events: &[worldbus_testkit::Seen]| events.iter().filter(|e| ended(e)).count() == 2;
    place.events_until(v1::StoryEntryAdded::TOPIC, is_done).await;
    (place, dir, instance)
}

#[tokio::test]
async fn search_answers_with_exactly_these_fields_and_pages() {
    let (_place, _dir, instance) = written().await;
    let (status, answer) = instance.get("/api/chronicle?region=paris&limit=1").await;
    assert_eq!(status, 200, "{answer}");
    let entry = &answer["entries"][0];
    let mut fields: Vec<_> = entry.as_object().unwrap().keys().cloned().collect();
    fields.sort();
    assert_eq!(fields, ["arc", "game_time", "id", "region", "significance", "text"]);
    assert_eq!(
        (entry["region"].as_str(), entry["game_time"].as_str()),
        (Some("paris"), Some("2024-03-02T12:00:00"),)
    );
    let next = answer["next"].as_str().unwrap();
    let path = format!("/api/chronicle?region=paris&limit=10&cursor={next}");
    let (_, rest) = instance.get(&path).await;
    assert_eq!(rest["next"], serde_json::Value::Null);
    let (_, whole) = instance.get("/api/chronicle?region=paris").await;
    let all = [texts(&answer), texts(&rest)].concat();
    assert_eq!(all, texts(&whole));
    let other = format!("/api/chronicle?region=vienna&cursor={next}");
    assert_eq!(instance.get(&other).await.0, 400);
    instance.stop().await;
}

#[tokio::test]
async fn filters_narrow_what_is_found() {
    let (_place, _dir, instance) = written().await;
    let count = async |query: &str| {
        let (status, answer) = instance.get(&format!("/api/chronicle?{query}")).await;
        assert_eq!(status, 200, "{answer}");
        texts(&answer).len()
    };
    let all = count("").await;
    assert_eq!(count("q=vienna").await, count("region=vienna").await);
    assert!(count("q=lantern+night").await == 1);
    assert_eq!(
        count("from=2024-03-02T00:00:00").await + count("to=2024-03-02T00:00:00").await,
        all
    );
    assert_eq!(count("from=1440").await + count("to=1440").await, all);
    assert!(count("min_significance=400").await < all);
    let (_, arcs) = instance.get("/api/chronicle/arcs?kind=storm&region=vienna").await;
    let arc = &arcs["arcs"][0];
    assert_eq!(
        (arc["title"].as_str(), arc["ended"].as_bool()),
        (Some("The storm over Vienna"), Some(true),)
    );
    assert_eq!(arc["stages"].as_array().unwrap().len(), 2);
    assert_eq!(count(&format!("arc={}", arc["id"].as_str().unwrap())).await, 1);
    instance.stop().await;
}

#[tokio::test]
async fn one_entry_names_its_rule_and_its_events() {
    let (_place, _dir, instance) = written().await;
    let (_, answer) = instance.get("/api/chronicle?q=lantern").await;
    let id = answer["entries"][0]["id"].as_str().unwrap();
    let (status, entry) = instance.get(&format!("/api/chronicle/{id}")).await;
    assert_eq!((status.as_u16(), entry["rule"].as_str()), (200, Some("feast_begins")));
    assert_eq!(entry["event_ids"].as_array().unwrap().len(), 1);
    assert!(entry["text"].as_str().unwrap().contains("<b>Lantern</b> *Night*"));
    for id in ["00000000-0000-8000-8000-000000000000", "nothing"] {
        assert_eq!(instance.get(&format!("/api/chronicle/{id}")).await.0, 404);
    }
    instance.stop().await;
}

#[tokio::test]
async fn digest_is_of_the_hours_up_to_now_in_the_order_of_time() {
    let (place, _dir, instance) = written().await;
    place.advance(41 * 25_000_000);
    let (status, answer) = instance.get("/api/chronicle/digest?hours=24&region=paris").await;
    assert_eq!(status, 200, "{answer}");
    let times: Vec<_> = answer["entries"].as_array().unwrap().iter().collect();
    assert!(!times.is_empty());
    assert!(times.iter().all(|entry| entry["game_time"].as_str() > Some("2024-03-01T23:00:00")));
    let (_, all) = instance.get("/api/chronicle/digest?hours=168&limit=3").await;
    let times: Vec<_> = all["entries"].as_array().unwrap().iter().collect();
    assert_eq!(times.len(), 3);
    assert!(times.is_sorted_by_key(|entry| entry["game_time"].as_str()));
    instance.stop().await;
}

#[tokio::test]
async fn contents_are_the_months_of_the_calendar() {
    let (_place, _dir, instance) = written().await;
    let (_, contents) = instance.get("/api/chronicle/contents").await;
    assert_eq!(contents["world"], "Europe");
    let titles: Vec<_> = contents["chapters"].as_array().unwrap().iter().collect();
    assert_eq!(titles[0]["title"], "March 2024");
    assert_eq!(titles[0]["to"], "2024-03-03T00:00:00");
    assert!(contents["entry_count"].as_u64().unwrap() >= 5);
    instance.stop().await;
}

#[tokio::test]
async fn bad_input_is_refused_with_the_field() {
    let (_place, _dir, instance) = written().await;
    let many = (0..10_000).map(|n| format!("w{n}")).collect::<Vec<_>>().join("+");
    for (query, status, field) in [
        (format!("q={many}"), 400, "q"),
        ("q=%22*%22".to_owned(), 400, "q"),
        ("region=atlantis".to_owned(), 404, "region"),
        ("from=yesterday".to_owned(), 400, "from"),
        ("to=2024-13-01".to_owned(), 400, "to"),
        ("min_significance=1001".to_owned(), 400, "min_significance"),
        ("limit=0".to_owned(), 400, "limit"),
        ("limit=501".to_owned(), 400, "limit"),
        ("cursor=abc".to_owned(), 400, "cursor"),
        ("order=random".to_owned(), 400, "order"),
        ("arc=".to_owned(), 400, "arc"),
    ] {
        let (found, problem) = instance.get(&format!("/api/chronicle?{query}")).await;
        assert_eq!((found.as_u16(), problem["field"].as_str()), (status, Some(field)), "{problem}");
    }
    assert_eq!(instance.get("/api/chronicle/digest?hours=0").await.0, 400);
    assert_eq!(instance.get("/api/chronicle/digest?hours=8785").await.0, 400);
    assert_eq!(instance.get("/api/chronicle?colour=red").await.0, 400);
    for q in ["q=NEAR(a", "q=%22%22%22a", "q=a+OR+b", "q=text:a*", "q=%27;DROP+TABLE+entry"] {
        assert_eq!(instance.get(&format!("/api/chronicle?{q}")).await.0, 200, "{q}");
    }
    instance.stop().await;
}
