//! Named clocks, several worlds, phase speeds, skips, and who did what.

use serde_json::json;

use crate::kit::{TOPIC, of_type, run, world};
use worldbus_events::v1;
use worldbus_testkit::{Place, Seen};

const HOUR_US: i64 = 25_000_000;

fn of_world(all: &[Seen], world: &str) -> Vec<Seen> {
    all.iter().filter(|event| event.world == world).cloned().collect()
}

#[tokio::test]
async fn named_clocks_run_side_by_side_each_with_segments_and_events_of_its_own() {
    let more = "[clocks.dungeon]\nreal_seconds_per_game_hour = 50\n[clocks.arena]";
    let place = Place::new().await.with_world(world(more));
    let instance = run(&place, 0).await;
    let body = r#"{"hour":20,"actor":"game master"}"#;
    assert_eq!(instance.post("/api/time/set?clock=dungeon", body).await.0, 200);
    assert_eq!(instance.post("/api/time/stop?clock=arena", "").await.0, 200);
    place.advance(2 * HOUR_US + 10_000);
    let (_, clocks) = instance.get("/api/time/clocks").await;
    let shown: Vec<_> = clocks["clocks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["name"].clone(), c["world"].clone(), c["time_string"].clone()))
        .collect();
    let wanted = [
        (json!(""), json!("europe"), json!("08:00")),
        (json!("arena"), json!("europe:arena"), json!("06:00")),
        (json!("dungeon"), json!("europe:dungeon"), json!("21:00")),
    ];
    assert_eq!(shown, wanted);
    let hour = |hour: u32| {
        move |seen: &[Seen]| of_type::<v1::HourChanged>(seen).iter().any(|event| event.hour == hour)
    };
    let all = place
        .events_until(TOPIC, |all| {
            hour(21)(&of_world(all, "europe:dungeon")) && hour(8)(&of_world(all, "europe"))
        })
        .await;
    assert!(!hour(20)(&of_world(&all, "europe")), "the world's own clock was set");
    let jumped = of_type::<v1::Jumped>(&of_world(&all, "europe:dungeon"));
    assert_eq!(jumped[0].actor, "game master");
    let (_, history) = instance.get("/api/time/history?clock=arena").await;
    assert_eq!(history["commands"].as_array().unwrap().len(), 1);
    let (status, problem) = instance.get("/api/time/current?clock=moon").await;
    assert_eq!((status.as_u16(), &problem["field"]), (404, &json!("clock")));
    assert!(problem["detail"].as_str().unwrap().contains("arena, dungeon"), "{problem}");
    instance.stop().await;
    place.advance(HOUR_US);
    let again = run(&place, 0).await;
    let (_, dungeon) = again.get("/api/time/current?clock=dungeon").await;
    assert_eq!((&dungeon["hour"], &dungeon["minute"]), (&json!(21), &json!(30)));
    again.stop().await;
}

#[tokio::test]
async fn two_worlds_share_a_bus_and_a_state_store() {
    let place = Place::new().await;
    let first = run(&place, 0).await;
    let mut other = world("");
    other.id = "asia".to_owned();
    let place = place.with_world(other);
    let second = run(&place, 0).await;
    assert_eq!(second.post("/api/time/set", r#"{"hour":23}"#).await.0, 200);
    place.advance(HOUR_US / 60 + 1_000);
    assert_eq!(first.get("/api/time/current").await.1["hour"], 6);
    assert_eq!(second.get("/api/time/current").await.1["hour"], 23);
    let ticks = |all: &[Seen], world| of_type::<v1::TimeUpdated>(&of_world(all, world));
    let all = place
        .events_until(TOPIC, |all| {
            ["europe", "asia"].iter().all(|world| ticks(all, world).len() >= 2)
        })
        .await;
    assert!(ticks(&all, "europe").iter().all(|tick| tick.hour == 6));
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn phase_speeds_of_the_world_file_and_of_a_command_make_nights_faster() {
    let place = Place::new().await.with_world(world("[clock]\nphase_speeds = { night = 2 }"));
    let instance = run(&place, 0).await;
    let now = async |us: i64| {
        place.advance(us + 1_000);
        let (_, now) = instance.get("/api/time/current").await;
        now["time_string"].as_str().unwrap().to_owned()
    };
    assert_eq!(now(14 * HOUR_US).await, "20:00");
    assert_eq!(now(HOUR_US).await, "22:00");
    let even = r#"{"phase_speeds":{}}"#;
    assert_eq!(instance.post("/api/time/scale", even).await.0, 200);
    assert_eq!(now(HOUR_US).await, "23:00");
    let slow = r#"{"real_seconds_per_game_hour":50,"phase_speeds":{"night":0.5}}"#;
    assert_eq!(instance.post("/api/time/scale", slow).await.0, 200);
    assert_eq!(now(2 * HOUR_US).await, "23:30");
    instance.stop().await;
}

#[tokio::test]
async fn each_command_is_remembered_with_who_when_and_why_over_a_restart() {
    let place = Place::new().await;
    let instance = run(&place, 2_000).await;
    let body = r#"{"hours":5,"minutes":30,"actor":"anna","reason":"caravan"}"#;
    let (status, answer) = instance.post("/api/time/skip", body).await;
    assert_eq!((status.as_u16(), &answer["epoch"]), (200, &json!(1)));
    instance.stop().await;
    let again = run(&place, 2_000).await;
    let (_, history) = again.get("/api/time/history").await;
    let wanted = json!({
        "taken_at": "2026-01-01T00:00:00.123457Z", "effective_at": "2026-01-01T00:00:02.123457Z",
        "command": "skip", "detail": "19800 game seconds", "actor": "anna", "reason": "caravan",
        "epoch": 1, "date_time": "2024-03-01T11:34:48",
    });
    assert_eq!(history["commands"], json!([wanted]));
    assert_eq!(history["segments"][1]["command"], "start");
    again.stop().await;
}

#[tokio::test]
async fn bad_commands_are_refused_with_the_field() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let long = format!(r#"{{"reason":"{}"}}"#, "x".repeat(201));
    let cases = [
        ("skip", "{}", "expected a duration"),
        ("skip", r#"{"hours":-1}"#, "to go back, set the clock"),
        ("skip", r#"{"days":366001}"#, "days: expected"),
        ("skip", r#"{"weeks":1}"#, "field `weeks`: not known"),
        ("scale", "{}", "real_seconds_per_game_hour, phase_speeds"),
        ("scale", r#"{"phase_speeds":{"noon":2}}"#, "phase_speeds.noon: expected one of dawn"),
        ("scale", r#"{"phase_speeds":{"night":0}}"#, "phase_speeds.night: expected a speed"),
        (
            "scale",
            r#"{"phase_speeds":{"dawn":97.03,"day":89.01,"dusk":83.09,"night":79.01}}"#,
            "common measure",
        ),
        (
            "scale",
            r#"{"real_seconds_per_game_hour":33.33333333333333,"phase_speeds":{"night":3}}"#,
            "too many digits",
        ),
        ("stop", long.as_str(), "reason: expected at most 200 bytes"),
    ];
    for (path, body, expected) in cases {
        let (status, problem) = instance.post(&format!("/api/time/{path}"), body).await;
        assert_eq!(status, 422, "{path} {body}: {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(expected), "{path} {body}: {detail}");
    }
    let (_, history) = instance.get("/api/time/history").await;
    assert_eq!(history["commands"], json!([]));
    instance.stop().await;
}
