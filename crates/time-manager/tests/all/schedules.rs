//! What is scheduled in game time comes when the clock reaches it, once, whichever instance runs.

use serde_json::{Value, json};

use crate::kit::{TOPIC, of_type, run, world};
use worldbus_events::{Event as _, v1};
use worldbus_testkit::{Instance, Place, Seen};

const HOUR_US: i64 = 25_000_000;
const WEATHER: &str = v1::WeatherChanged::TOPIC;

async fn add(instance: &Instance, text: &str, entity: &str) -> Value {
    let body = json!({
        "schedule": text, "event_type": "weather.changed", "entity": entity,
        "payload": {"region_id": entity, "wind_speed_dmps": 7}, "actor": "anna",
    });
    let (status, answer) = instance.post("/api/time/schedules", &body.to_string()).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn list(instance: &Instance) -> Vec<Value> {
    let (_, answer) = instance.get("/api/time/schedules").await;
    answer["schedules"].as_array().unwrap().clone()
}

/// The game hours at which something of an entity was due.
fn hours(all: &[Seen], entity: &str) -> Vec<f64> {
    let fired = of_type::<v1::ScheduleFired>(all).into_iter();
    let ours = fired.filter(|fired| fired.entity == entity);
    ours.map(|fired| fired.game_us as f64 / 3.6e9).collect()
}

async fn until(place: &Place, hour: i64) -> Vec<Seen> {
    place
        .events_until(TOPIC, |all| {
            of_type::<v1::HourChanged>(all).iter().any(|seen| seen.game_us >= hour * 3_600_000_000)
        })
        .await
}

#[tokio::test]
async fn scheduled_event_comes_typed_on_its_own_topic_with_who_it_is_about() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let added = add(&instance, "in 3 game hours", "harbour").await;
    assert_eq!((&added["schedule_id"], &added["once"]), (&json!("1"), &json!(true)));
    assert_eq!(added["next_date_time"], "2024-03-01T09:00:00");
    place.advance(2 * HOUR_US + 10_000);
    assert_eq!(hours(&until(&place, 2).await, "harbour"), [] as [f64; 0]);
    place.advance(2 * HOUR_US + 10_000);
    let all = until(&place, 4).await;
    assert_eq!(hours(&all, "harbour"), [3.0]);
    let events = place.events_until(WEATHER, |all| all.len() == 1).await;
    assert_eq!((events[0].entity.as_deref(), events[0].event_type), (Some("harbour"), 1));
    let event = &of_type::<v1::WeatherChanged>(&events)[0];
    assert_eq!((event.region_id.as_str(), event.wind_speed_dmps), ("harbour", 7));
    assert_eq!(list(&instance).await, [] as [Value; 0]);
    instance.stop().await;
}

#[tokio::test]
async fn schedules_move_with_pause_scale_and_set() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    add(&instance, "at 12:00", "noon").await;
    add(&instance, "every 2 hours", "two").await;
    place.advance(HOUR_US + 10_000);
    assert_eq!(instance.post("/api/time/stop", "").await.0, 200);
    until(&place, 1).await;
    place.advance(100 * HOUR_US + 10_000);
    assert_eq!(hours(&place.events(TOPIC).await, "two"), [] as [f64; 0]);
    let slower = r#"{"real_seconds_per_game_hour":50}"#;
    assert_eq!(instance.post("/api/time/scale", slower).await.0, 200);
    assert_eq!(instance.post("/api/time/start", "").await.0, 200);
    place.advance(4 * HOUR_US + 10_000);
    let all = until(&place, 3).await;
    assert_eq!((hours(&all, "two"), hours(&all, "noon")), (vec![2.0], vec![]));
    // A jump over noon: what is due once comes at the jump; what recurs is not made up for.
    let set = r#"{"hour":15,"minute":30}"#;
    assert_eq!(instance.post("/api/time/set", set).await.0, 200);
    place.advance(2 * HOUR_US + 10_000);
    let all = place.events_until(TOPIC, |all| hours(all, "two").len() == 2).await;
    assert_eq!((hours(&all, "two"), hours(&all, "noon")), (vec![2.0, 10.0], vec![9.5]));
    // Back before noon: what recurs comes again, what was due once does not.
    let set = r#"{"hour":11,"minute":30}"#;
    assert_eq!(instance.post("/api/time/set", set).await.0, 200);
    place.advance(3 * HOUR_US + 10_000);
    let all = place.events_until(TOPIC, |all| hours(all, "two").len() == 3).await;
    assert_eq!((hours(&all, "two"), hours(&all, "noon")), (vec![2.0, 10.0, 6.0], vec![9.5]));
    instance.stop().await;
}

#[tokio::test]
async fn schedule_survives_restarts_and_comes_once_from_two_instances() {
    let place = Place::new().await;
    let first = run(&place, 2_000).await;
    add(&first, "every 3 hours", "a").await;
    let once = add(&first, "in 10 hours", "b").await;
    first.stop().await;
    place.advance(4 * HOUR_US + 10_000);
    let (first, second) = (run(&place, 2_000).await, run(&place, 2_000).await);
    for _ in 0..75 {
        place.advance(HOUR_US / 10);
        tokio::task::yield_now().await;
    }
    place.advance(2_000_000);
    let all = place.events_until(TOPIC, |all| hours(all, "b").len() == 1).await;
    // It counts from when the command took effect, after the lead.
    let lead = 2.0 / 25.0;
    let about = |hour: f64| move |found: &f64| (found - hour - lead).abs() < 0.001;
    assert!(hours(&all, "b").iter().all(about(10.0)));
    let found = hours(&all, "a");
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().zip([3.0, 6.0, 9.0]).all(|(found, hour)| about(hour)(found)), "{found:?}");
    let events = place.events_until(WEATHER, |all| all.len() >= 4).await;
    assert_eq!(events.len(), 4);
    assert_eq!(once["schedule_id"], "2");
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn cancelled_schedule_comes_no_more_and_all_is_in_the_history() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    add(&instance, "every 2 hours", "a").await;
    add(&instance, "at 20:00", "b").await;
    place.advance(3 * HOUR_US + 10_000);
    until(&place, 3).await;
    assert_eq!(list(&instance).await.len(), 2);
    for id in ["1", "2"] {
        assert_eq!(instance.delete(&format!("/api/time/schedules/{id}")).await.0, 200);
        assert_eq!(instance.delete(&format!("/api/time/schedules/{id}")).await.0, 404);
    }
    assert_eq!(instance.delete("/api/time/schedules/seven").await.0, 404);
    assert_eq!(list(&instance).await, [] as [Value; 0]);
    place.advance(20 * HOUR_US + 10_000);
    let all = until(&place, 23).await;
    assert_eq!((hours(&all, "a"), hours(&all, "b")), (vec![2.0], vec![]));
    let (_, history) = instance.get("/api/time/history").await;
    let commands = history["commands"].as_array().unwrap();
    let names: Vec<_> = commands.iter().map(|c| c["command"].as_str().unwrap()).collect();
    assert_eq!(names, ["cancel", "cancel", "schedule", "schedule"]);
    assert_eq!(commands[3]["actor"], "anna");
    assert_eq!(commands[3]["detail"], "1: weather.changed every 2 hours");
    instance.stop().await;
}

#[tokio::test]
async fn event_type_may_be_called_type_as_in_publishing() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let body = json!({ "schedule": "in 3 game hours", "type": "weather.changed" });
    let (status, answer) = instance.post("/api/time/schedules", &body.to_string()).await;
    assert_eq!(
        (status.as_u16(), &answer["event_type"]),
        (200, &json!("weather.changed")),
        "{answer}"
    );
}

#[tokio::test]
async fn bad_schedules_are_refused_with_field_and_position() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let event = "time.day_activated";
    let cases = [
        (json!({"schedule": "at teatime", "event_type": event}), "schedule", "(character 4)"),
        (json!({"schedule": "at 2020-01-01", "event_type": event}), "schedule", "a time to come"),
        (
            json!({"schedule": "in 3 hours", "event_type": "time.day_activate"}),
            "event_type",
            "did you mean",
        ),
        (json!({"schedule": "in 3 hours", "event_type": "77"}), "event_type", "77"),
        (
            json!({"schedule": "in 3 hours", "event_type": event, "payload": {"hour": 3}}),
            "payload",
            "unrecognized field name 'hour'",
        ),
        (
            json!({"schedule": "in 3 hours", "event_type": event, "entity": "x".repeat(300)}),
            "entity",
            "256",
        ),
        (
            json!({"schedule": "in 3 hours", "event_type": event, "actor": "a\nb"}),
            "actor",
            "one line",
        ),
    ];
    for (body, field, expected) in cases {
        let (status, problem) = instance.post("/api/time/schedules", &body.to_string()).await;
        assert_eq!(status, 422, "{body}: {problem}");
        assert_eq!(problem["field"], field, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(expected), "{problem}");
    }
    assert_eq!(list(&instance).await, [] as [Value; 0]);
    instance.stop().await;
}

#[tokio::test]
async fn number_of_schedules_is_bounded() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let body = json!({"schedule": "every 9 days", "event_type": "time.day_activated"}).to_string();
    for _ in 0..worldbus_time_manager::SCHEDULE_COUNT_MAX {
        assert_eq!(instance.post("/api/time/schedules", &body).await.0, 200);
    }
    let (status, problem) = instance.post("/api/time/schedules", &body).await;
    assert_eq!(status, 409, "{problem}");
    assert_eq!(problem["type"], "urn:worldbus:problem:limit-reached");
    assert_eq!(instance.delete("/api/time/schedules/1").await.0, 200);
    instance.stop().await;
}

/// The schedules of the page about them: when, event type and payload of each `time schedule add`.
fn examples() -> Vec<Vec<String>> {
    let page = include_str!("../../../../docs/explanation/time.md");
    let lines = page.lines().filter_map(|line| line.strip_prefix("worldbus time schedule add "));
    lines.map(|line| line.split('\'').map(|word| word.trim().to_owned()).collect()).collect()
}

#[tokio::test]
async fn examples_of_the_page_about_schedules_ask_for_what_they_say() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let examples = examples();
    assert!(!examples.is_empty());
    for words in examples {
        let [_, schedule, event_type, payload, ..] = &words[..] else { panic!("{words:?}") };
        let payload: Value = serde_json::from_str(payload).unwrap();
        let body = json!({"schedule": schedule, "event_type": event_type, "payload": payload});
        let (status, answer) = instance.post("/api/time/schedules", &body.to_string()).await;
        assert_eq!(status, 200, "{body}: {answer}");
        assert_eq!(answer["warning"], Value::Null, "{answer}");
    }
    instance.stop().await;
}

#[tokio::test]
async fn scheduled_request_names_who_scheduled_it_and_a_scheduled_fact_is_warned_of() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let storm = json!({
        "schedule": "in 1 hour", "event_type": "weather.override_requested", "actor": "anna",
        "reason": "the boss fight",
        "payload": {"region_ids": ["paris"], "state": "WEATHER_STATE_STORM"},
    });
    let (status, answer) = instance.post("/api/time/schedules", &storm.to_string()).await;
    assert_eq!((status.as_u16(), &answer["warning"]), (200, &Value::Null), "{answer}");
    let fact = add(&instance, "in 1 hour", "paris").await;
    assert!(fact["warning"].as_str().unwrap().contains("weather.override_requested"), "{fact}");
    for payload in [
        json!({"region_ids": ["paris"]}),
        json!({"region_ids": ["atlantis"], "state": "WEATHER_STATE_FOG"}),
        json!({"state": "WEATHER_STATE_FOG", "duration_game_minutes": 0}),
    ] {
        let body = json!({
            "schedule": "in 1 hour", "event_type": "weather.override_requested", "payload": payload,
        });
        let (status, problem) = instance.post("/api/time/schedules", &body.to_string()).await;
        assert_eq!((status.as_u16(), &problem["field"]), (422, &json!("payload")), "{problem}");
    }
    place.advance(2 * HOUR_US);
    let asked = |all: &[Seen]| of_type::<v1::WeatherOverrideRequested>(all);
    let all = place.events_until(TOPIC, |all| !asked(all).is_empty()).await;
    let [request] = &asked(&all)[..] else { panic!("one request") };
    assert_eq!((request.actor.as_str(), request.reason.as_str()), ("anna", "the boss fight"));
    instance.stop().await;
}

#[tokio::test]
async fn weather_is_not_scheduled_on_a_clock_that_is_a_world_of_its_own() {
    let place = Place::new().await.with_world(world("[clocks.dungeon]"));
    let instance = run(&place, 0).await;
    let body = json!({
        "schedule": "in 1 minute", "event_type": "weather.override_requested",
        "payload": {"region_ids": ["paris"], "state": "WEATHER_STATE_FOG"},
    })
    .to_string();
    let (status, problem) = instance.post("/api/time/schedules?clock=dungeon", &body).await;
    assert_eq!((status.as_u16(), &problem["field"]), (422, &json!("event_type")), "{problem}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("no weather") && detail.contains("world's clock"), "{problem}");
    assert_eq!(instance.post("/api/time/schedules", &body).await.0, 200);
    instance.stop().await;
}
