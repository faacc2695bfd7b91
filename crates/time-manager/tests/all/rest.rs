//! The clock's REST routes: what they answer, and what they say to bad input.

use serde_json::json;

use crate::kit::{TOPIC, id, kept_clock, run, silent};
use worldbus_testkit::Place;

#[tokio::test]
async fn current_time_has_every_documented_field() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let (status, now) = instance.get("/api/time/current").await;
    assert_eq!(status, 200);
    let moons = now["moons"].clone();
    assert_eq!(moons[0]["name"], "Moon");
    let wanted = json!({
        "world": "europe", "year": 2024, "month": 3, "day": 1, "hour": 6, "minute": 0,
        "second": 0, "date": "2024-03-01", "time_string": "06:00", "phase": "dawn",
        "season": "spring", "total_minutes": 0, "real_seconds_per_game_hour": 25.0,
        "running": true, "epoch": 0, "season_name": "Spring", "month_name": "March",
        "day_name": "1 March", "weekday": "Friday", "era": {"name": "CE", "year": 2024},
        "moons": moons, "holidays": [],
    });
    assert_eq!(now, wanted);
    instance.stop().await;
}

#[tokio::test]
async fn without_lead_a_command_is_visible_at_once() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let body = r#"{"hour":21,"minute":30,"day":24,"month":12,"year":2030}"#;
    let (status, answer) = instance.post("/api/time/set", body).await;
    assert_eq!((status.as_u16(), &answer["epoch"]), (200, &json!(1)));
    assert!(answer["effective_at"].as_str().unwrap().starts_with("2026-01-01T00:00:00.12345"));
    place.advance(1);
    let (_, now) = instance.get("/api/time/current").await;
    let shown = (&now["date"], &now["time_string"], &now["phase"], &now["season"]);
    assert_eq!(shown, (&json!("2030-12-24"), &json!("21:30"), &json!("night"), &json!("winter")));
    instance.stop().await;
}

#[tokio::test]
async fn command_answers_when_its_announcement_is_durable() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    for round in 1..40 {
        let body = format!(r#"{{"hour":{}}}"#, round % 24);
        let (_, answer) = instance.post("/api/time/set", &body).await;
        assert_eq!((&answer["epoch"], &answer["announced"]), (&json!(round), &json!(true)));
        let published = place.events(TOPIC).await;
        assert!(published.iter().any(|event| event.id == id(round, 0, 4)), "round {round}");
        place.advance(1_000_000);
    }
    instance.stop().await;
}

#[tokio::test]
async fn command_on_a_silent_bus_is_taken_and_reports_that_it_was_not_announced() {
    let place = silent().await;
    let instance = run(&place, 0).await;
    let (status, answer) = instance.post("/api/time/set", r#"{"hour":12}"#).await;
    assert_eq!((status.as_u16(), &answer["announced"]), (200, &json!(false)));
    place.advance(1);
    assert_eq!(instance.get("/api/time/current").await.1["hour"], 12);
    instance.stop().await;
}

#[tokio::test]
async fn with_lead_a_command_answers_when_it_takes_effect() {
    let place = Place::new().await;
    let instance = run(&place, 2_000).await;
    let (_, answer) = instance.post("/api/time/set", r#"{"hour":12}"#).await;
    assert_eq!(answer["effective_at"], "2026-01-01T00:00:02.123457Z");
    assert_eq!(answer["time_string"], "12:00");
    assert_eq!(instance.get("/api/time/current").await.1["hour"], 6);
    place.advance(2_000_000);
    assert_eq!(instance.get("/api/time/current").await.1["hour"], 12);
    instance.stop().await;
}

#[tokio::test]
async fn stop_and_start_do_nothing_twice_and_keep_the_scale() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let scale = r#"{"real_seconds_per_game_hour":59.94}"#;
    let mut epochs = Vec::new();
    for (path, body) in
        [("scale", scale), ("stop", ""), ("stop", "{}"), ("start", ""), ("start", "{}")]
    {
        let (status, answer) = instance.post(&format!("/api/time/{path}"), body).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["real_seconds_per_game_hour"], 59.94);
        epochs.push(answer["epoch"].as_u64().unwrap());
        place.advance(1_000_000);
    }
    assert_eq!(epochs, [1, 2, 2, 3, 3]);
    instance.stop().await;
}

#[tokio::test]
async fn bad_input_is_refused_with_what_was_expected_and_changes_nothing() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let cases = [
        ("set", r#"{"hour":25}"#, "from 0 to 23"),
        ("set", r#"{"hour":-1}"#, "from 0 to 23"),
        ("set", r#"{"hour":1,"minute":60}"#, "from 0 to 59"),
        ("set", r#"{"hour":1,"day":30,"month":2}"#, "from 1 to 29"),
        ("set", r#"{"hour":1,"month":13}"#, "from 1 to 12"),
        ("set", r#"{"hour":1,"year":9999999}"#, "year: expected a number from"),
        ("set", r#"{"minute":1}"#, "hour"),
        ("set", r#"{"hour":1.5}"#, "hour"),
        ("set", r#"{"hour":1,"hours":2}"#, "field `hours`: not known"),
        ("set", "", "JSON"),
        ("scale", r#"{"real_seconds_per_game_hour":0}"#, "from 0.01 to 86400"),
        ("scale", r#"{"real_seconds_per_game_hour":-25}"#, "from 0.01 to 86400"),
        ("scale", r#"{"real_seconds_per_game_hour":86401}"#, "from 0.01 to 86400"),
        ("scale", r#"{"real_seconds_per_game_hour":1e300}"#, "from 0.01 to 86400"),
        ("scale", r#"{"real_seconds_per_game_hour":NaN}"#, "JSON"),
        ("scale", "{}", "real_seconds_per_game_hour"),
        ("stop", r#"{"now":true}"#, "field `now`: not known"),
        ("start", "[null,null]", "expected an object, found an array"),
    ];
    for (path, body, expected) in cases {
        let (status, problem) = instance.post(&format!("/api/time/{path}"), body).await;
        assert!(status.is_client_error(), "{path} {body}: {status}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(expected), "{path} {body}: {detail}");
    }
    assert_eq!(kept_clock(&place).await.segments().len(), 1);
    instance.stop().await;
}
