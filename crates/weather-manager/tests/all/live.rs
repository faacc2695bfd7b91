//! Verbs of live operations and what is published because of them: transitions, alerts, undo,
//! the log, and the weather at other times.

use std::collections::HashSet;

use serde_json::json;

use crate::kit::{TOPIC, new_clock, run, tell};
use worldbus_events::{Event, EventId, ProducerId, v1};
use worldbus_testkit::{Instance, Place, Seen};
use worldbus_weather_manager::NAME;
use worldbus_world::{GameTime, Overrides, Slots, Weather, producer_id};

const GAME_HOUR_US: i64 = 25_000_000;

async fn begun() -> (Place, Instance) {
    let place = Place::new().await;
    tell(&place, new_clock(&place).last()).await;
    let instance = run(&place, 0).await;
    instance.ready().await;
    (place, instance)
}

fn of_type<E: Event>(seen: &[Seen]) -> Vec<E> {
    let ours = seen.iter().filter(|event| event.event_type == E::NUMBER);
    ours.map(|event| E::decode(&event.payload[..]).unwrap()).collect()
}

#[tokio::test]
async fn transitions_are_announced_ten_game_minutes_ahead_and_completed() {
    let (place, instance) = begun().await;
    place.advance(24 * GAME_HOUR_US);
    let weather = Weather::new(&place.world);
    let none = Overrides::default();
    let mut wanted = HashSet::new();
    for hour in 1..24 {
        let change = GameTime::from_hours(hour);
        for region in 0..weather.region_count() {
            let before = weather.state(region, change.plus_us(-1), &none);
            if before != weather.state(region, change, &none) {
                for (rank, minutes) in [(0, 0), (10, -10), (11, 10)] {
                    let at = change.plus_us(minutes * GameTime::MINUTE_US).seconds();
                    let producer = ProducerId::from_bits(producer_id("europe", NAME, 0, 0));
                    let sequence = Slots::new(32, 12).sequence(at, rank, Some(region));
                    wanted.insert(EventId { producer, sequence });
                }
            }
        }
    }
    assert!(wanted.len() > 60, "{}", wanted.len());
    let seen = place.events_with(TOPIC, wanted).await;
    for started in of_type::<v1::WeatherTransitionStarted>(&seen) {
        assert_eq!(started.end_game_us - started.start_game_us, 20 * GameTime::MINUTE_US);
        assert_ne!(started.from_state, started.to_state);
    }
    instance.stop().await;
}

#[tokio::test]
async fn an_alert_is_raised_updated_and_ended_under_one_name() {
    let (place, instance) = begun().await;
    let storm = json!({"regions": ["vienna"], "duration_game_minutes": 600,
        "start": "600", "effect": {"kind": "set_state", "state": "blizzard"}});
    let (status, answer) = instance.post("/api/weather/overrides", &storm.to_string()).await;
    assert_eq!(status, 200, "{answer}");
    // Out of view until six hours before; then longer, by another override.
    place.advance(5 * GAME_HOUR_US);
    let raised = |seen: &[Seen]| {
        let severe = of_type::<v1::WeatherSevere>(seen);
        severe.iter().any(|alert| alert.region_id == "vienna" && alert.forced)
    };
    place.events_until(TOPIC, raised).await;
    let (_, alerts) = instance.get("/api/weather/alerts?region=vienna").await;
    let alert = alerts["alerts"][0]["alert_id"].clone();
    let longer = json!({"regions": ["vienna"], "duration_game_minutes": 720,
        "start": "600", "effect": {"kind": "set_state", "state": "blizzard", "intensity": 1.0}});
    let (status, answer) = instance.post("/api/weather/overrides", &longer.to_string()).await;
    assert_eq!(status, 200, "{answer}");
    place.advance(1);
    let updated = |seen: &[Seen]| !of_type::<v1::WeatherAlertUpdated>(seen).is_empty();
    let seen = place.events_until(TOPIC, updated).await;
    let [update] = &of_type::<v1::WeatherAlertUpdated>(&seen)[..] else { panic!("one update") };
    assert_eq!(json!(update.alert_id), alert);
    assert_eq!(update.end_game_us, GameTime::from_minutes(1320).0);
    place.advance(18 * GAME_HOUR_US);
    let ended = |seen: &[Seen]| {
        let ended = of_type::<v1::WeatherAlertEnded>(seen);
        ended.iter().any(|event| json!(event.alert_id) == alert && !event.called_off)
    };
    let seen = place.events_until(TOPIC, ended).await;
    let ended = of_type::<v1::WeatherAlertEnded>(&seen);
    let ended = ended.iter().find(|event| json!(event.alert_id) == alert).unwrap();
    assert_eq!(ended.ended_game_us, update.end_game_us);
    instance.stop().await;
}

#[tokio::test]
async fn undo_reverts_the_last_command_and_the_log_shows_who_did_what() {
    let (place, instance) = begun().await;
    let post = async |path: &str, body: serde_json::Value| {
        place.advance(1_000_000);
        let (status, answer) = instance.post(path, &body.to_string()).await;
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let state = async || {
        place.advance(1);
        let (_, now) = instance.get("/api/weather/current?region=vienna").await;
        (now["state"].clone(), now["forced"].clone())
    };
    let fog = json!({"region": "vienna", "state": "fog", "actor": "anna", "reason": "a ball"});
    post("/api/weather/set", fog).await;
    post("/api/weather/set", json!({"region": "vienna", "state": "storm", "actor": "cleo"})).await;
    assert_eq!(state().await, (json!("storm"), json!(true)));
    let (_, log) = instance.get("/api/weather/overrides").await;
    assert_eq!(log["overrides"][0]["actor"], "cleo");
    let undone = post("/api/weather/undo", json!({"actor": "bert", "reason": "too loud"})).await;
    assert_eq!(undone["command"]["undone"], 2);
    assert_eq!(state().await, (json!("fog"), json!(true)));
    post("/api/weather/undo", json!({})).await;
    assert_eq!(state().await.1, false);
    let (status, _) = instance.post("/api/weather/undo", "").await;
    assert_eq!(status, 409, "nothing is left");
    let (status, _) = instance.post("/api/weather/undo", "[null,null]").await;
    assert_eq!(status, 422, "an array has no actor and no reason");
    let (_, log) = instance.get("/api/weather/overrides").await;
    assert_eq!(log["overrides"], json!([]));
    let who = |at: usize| (&log["commands"][at]["verb"], &log["commands"][at]["actor"]);
    assert_eq!(who(3), (&json!("set"), &json!("anna")));
    assert_eq!(who(1), (&json!("undo"), &json!("bert")));
    let four = |seen: &[Seen]| of_type::<v1::WeatherCorrected>(seen).len() == 2;
    let seen = place.events_until(TOPIC, four).await;
    assert_eq!(of_type::<v1::WeatherOverrideSet>(&seen)[0].actor, "anna");
    assert_eq!(of_type::<v1::WeatherCorrected>(&seen)[0].undone_revision, 2);
    instance.stop().await;
}

#[tokio::test]
async fn list_of_overrides_shows_all_of_an_effect_as_it_was_asked_for() {
    let (place, instance) = begun().await;
    let path =
        json!([{"latitude": 48.208, "longitude": 16.373}, {"latitude": 50.0, "longitude": -0.5}]);
    let effects = [
        json!({"kind": "set_state", "state": "fog", "intensity": 0.9}),
        json!({"kind": "offset", "temperature_c": -8.5, "wind_mps": 2.0, "rain_factor": 1.5}),
        json!({"kind": "lock"}),
        json!({"kind": "season_shift", "days": -183}),
        json!({"kind": "storm_cell", "path": path, "radius_km": 80.0, "speed_kmh": 40.5,
            "state": "storm", "intensity": 1.0}),
    ];
    for effect in &effects {
        let request = json!({"regions": ["vienna", "paris"], "effect": effect, "priority": -3,
            "start": "600", "duration_game_minutes": 600, "fade_in_game_minutes": 7,
            "fade_out_game_minutes": 30, "actor": "anna"});
        let (status, answer) = instance.post("/api/weather/overrides", &request.to_string()).await;
        assert_eq!(status, 200, "{answer}");
        place.advance(1_000_000);
    }
    let (status, answer) = instance.post("/api/weather/clear", r#"{"region":"paris"}"#).await;
    assert_eq!(status, 200, "{answer}");
    let (_, log) = instance.get("/api/weather/overrides").await;
    let shown = log["overrides"].as_array().unwrap();
    assert_eq!(shown.iter().map(|entry| entry["effect"].clone()).collect::<Vec<_>>(), effects);
    let game_us = |minutes| json!(GameTime::from_minutes(minutes).0);
    for entry in &shown[..4] {
        assert_eq!(
            (&entry["start_game_us"], &entry["end_game_us"]),
            (&game_us(600), &game_us(1200))
        );
        assert_eq!((&entry["priority"], &entry["fade_in_game_minutes"]), (&json!(-3), &json!(7.0)));
        let [lift] = &entry["lifts"].as_array().unwrap()[..] else { panic!("{entry}") };
        assert_eq!((&lift["revision"], &lift["regions"]), (&json!(6), &json!(["paris"])));
        assert!(lift["from_game_us"].as_i64() > Some(0) && lift["to"].is_null(), "{lift}");
    }
    instance.stop().await;
}

#[tokio::test]
async fn one_override_is_cleared_by_its_id() {
    let (place, instance) = begun().await;
    let lock = json!({"effect": {"kind": "lock"}}).to_string();
    let (_, answer) = instance.post("/api/weather/overrides", &lock).await;
    assert_eq!(answer["command"]["id"], "all-1");
    place.advance(1_000_000);
    let (status, answer) = instance.post("/api/weather/clear", r#"{"id":"all-1"}"#).await;
    assert_eq!(status, 200, "{answer}");
    place.advance(1);
    let cleared = |seen: &[Seen]| !of_type::<v1::WeatherOverrideCleared>(seen).is_empty();
    let seen = place.events_until(TOPIC, cleared).await;
    assert_eq!(of_type::<v1::WeatherOverrideCleared>(&seen)[0].override_id, "all-1");
    instance.stop().await;
}

#[tokio::test]
async fn the_weather_at_a_time_is_the_history_and_the_forecast_of_it() {
    let (place, instance) = begun().await;
    place.advance(30 * GAME_HOUR_US);
    let (_, forecast) = instance.get("/api/weather/forecast?region=paris&hours=40").await;
    let later = forecast["forecast"][33]["game_time"].as_str().unwrap();
    let path = format!("/api/weather/at?region=paris&game_time={later}");
    let (status, at) = instance.get(&path).await;
    assert_eq!(status, 200, "{at}");
    let path = "/api/weather/history?region=paris&from=0&to=6000&step_hours=3";
    let (_, history) = instance.get(path).await;
    let entries = history["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 34);
    let same = entries.iter().find(|entry| entry["game_time"] == later).unwrap();
    for key in ["state", "temperature_c", "visibility_m", "wind_gust_mps"] {
        assert_eq!((&at[key], &at[key]), (&same[key], &forecast["forecast"][33][key]));
    }
    let path = "/api/weather/statistics?region=paris&from=0&to=6000&step_hours=3";
    let (_, figures) = instance.get(path).await;
    let shares = figures["state_shares"].as_object().unwrap().values();
    assert_eq!((figures["count"].as_u64(), shares.len() > 1), (Some(34), true));
    let (_, guess) = instance.get("/api/weather/forecast?region=paris&kind=fallible").await;
    let known = |hour: usize| guess["forecast"][hour]["confidence"]["wind"].as_f64().unwrap();
    assert!((known(0) - 1.0).abs() < 1e-9 && known(23) < known(1), "{guess}");
    instance.stop().await;
}

#[tokio::test]
async fn days_and_the_ground_are_published() {
    let (place, instance) = begun().await;
    place.advance(25 * GAME_HOUR_US);
    let days = |seen: &[Seen]| of_type::<v1::WeatherDailySummary>(seen).len() == 12;
    let seen = place.events_until(TOPIC, days).await;
    for day in of_type::<v1::WeatherDailySummary>(&seen) {
        assert!(day.temperature_min_decicelsius <= day.temperature_max_decicelsius);
        assert!(day.wet_hours <= 24 && day.dominant_state > 0);
    }
    instance.stop().await;
}

#[tokio::test]
async fn refused_override_is_explained_by_names_and_units_of_the_request() {
    let (_place, instance) = begun().await;
    let offset = |more: &str| format!(r#"{{"effect":{{"kind":"offset",{more}}}}}"#);
    let lock = |more: &str| format!(r#"{{"effect":{{"kind":"lock"}},{more}}}"#);
    for (body, detail) in [
        (offset(r#""temperature_c":75"#), "temperature_c: expected -60 to 60, found 75"),
        (offset(r#""wind_mps":-50.5"#), "wind_mps: expected -50 to 50, found -50.5"),
        (offset(r#""rain_factor":1e300"#), "rain_factor: expected 0 to 10, found 1000"),
        (
            r#"{"effect":{"kind":"season_shift","days":99999}}"#.to_owned(),
            "days: expected -366 to 366, found 99999",
        ),
        (lock(r#""priority":99999"#), "priority: expected -32768 to 32767, found 99999"),
        (
            lock(r#""fade_out_game_minutes":5"#),
            "fade_out_game_minutes: expected duration_game_minutes as well",
        ),
        (
            lock(r#""fade_out_game_minutes":30,"duration_game_minutes":20"#),
            "fade_out_game_minutes: expected fades of at most 20 game minutes together",
        ),
        (
            lock(r#""fade_in_game_minutes":999999,"duration_game_minutes":20"#),
            "fade_in_game_minutes: expected 0 to 43200, found 999999",
        ),
    ] {
        let (status, problem) = instance.post("/api/weather/overrides", &body).await;
        let text = problem["detail"].as_str().unwrap();
        assert!(status == 422 && text.starts_with(detail), "{body}: {problem}");
        assert!(detail.starts_with(problem["field"].as_str().unwrap()), "{problem}");
    }
    instance.stop().await;
}

#[tokio::test]
async fn wrong_overrides_and_times_are_refused_with_what_was_expected() {
    let (_place, instance) = begun().await;
    let cell = |radius: &str, path: &str| {
        format!(
            r#"{{"effect":{{"kind":"storm_cell","path":{path},"radius_km":{radius},
                "speed_kmh":10,"state":"storm"}}}}"#
        )
    };
    let here = r#"[{"latitude":48,"longitude":16}]"#;
    for (body, field) in [
        (cell("-5", here), "radius_km"),
        (cell("1e300", here), "radius_km"),
        (cell("0.5", here), "radius_km"),
        (r#"{"effect":{"kind":"lock","state":"rain"}}"#.to_owned(), "effect"),
        (r#"{"effect":{"kind":"offset"}}"#.to_owned(), "effect"),
        (r#"{"effect":{"kind":"offset","wind_mps":0.01,"rain_factor":1}}"#.to_owned(), "effect"),
        (r#"{"effect":{"kind":"season_shift","days":0}}"#.to_owned(), "days"),
        (cell("5", "[[16,48]]"), "effect"),
        (cell("5", "[]"), "path"),
        (cell("5", r#"[{"latitude":148,"longitude":16}]"#), "path.latitude"),
        (r#"{"effect":{"kind":"lock"},"regions":["atlantis"]}"#.to_owned(), "regions"),
        (r#"{"effect":{"kind":"lock"},"start":"-5"}"#.to_owned(), "start"),
        (
            r#"{"effect":{"kind":"lock"},"duration_game_minutes":-1}"#.to_owned(),
            "duration_game_minutes",
        ),
        (
            r#"{"effect":{"kind":"lock"},"fade_out_game_minutes":5}"#.to_owned(),
            "fade_out_game_minutes",
        ),
        (r#"{"effect":{"kind":"offset","rain_factor":-1}}"#.to_owned(), "rain_factor"),
        (r#"{"effect":{"kind":"set_state","state":"hail"}}"#.to_owned(), "state"),
        (format!(r#"{{"effect":{{"kind":"lock"}},"actor":"{}"}}"#, "a".repeat(65)), "actor"),
    ] {
        let (status, problem) = instance.post("/api/weather/overrides", &body).await;
        assert!(status.is_client_error() && problem["field"] == field, "{body}: {problem}");
    }
    for (path, field) in [
        ("at?region=paris&game_time=tomorrow", "game_time"),
        ("at?region=paris&game_time=2023-02-30T00:00:00", "game_time"),
        ("history?region=paris&from=60&to=0", "to"),
        ("history?region=paris&from=0&to=6000000", "to"),
        ("statistics?region=paris&from=0&to=600&step_hours=0", "step_hours"),
        ("at?region=atlantis", "region"),
    ] {
        let (status, problem) = instance.get(&format!("/api/weather/{path}")).await;
        assert!(status.is_client_error() && problem["field"] == field, "{path}: {problem}");
    }
    let (status, _) = instance.post("/api/weather/clear", r#"{"id":"paris-7"}"#).await;
    assert_eq!(status, 404);
    instance.stop().await;
}

#[tokio::test]
async fn a_world_full_of_overrides_reports_it_and_clearing_makes_room() {
    let (place, instance) = begun().await;
    // Long texts, so that it is full soon.
    let more = json!({"regions": ["paris"], "effect": {"kind": "lock"},
        "actor": "🜁".repeat(16), "reason": "🜂".repeat(50)})
    .to_string();
    let refused = loop {
        let (status, answer) = instance.post("/api/weather/overrides", &more).await;
        if status != 200 {
            break (status, answer);
        }
    };
    assert_eq!(refused.0, 409, "{}", refused.1);
    assert_eq!(refused.1["type"], "urn:worldbus:problem:limit-reached");
    let fog = json!({"region": "paris", "state": "fog",
        "actor": "🜁".repeat(16), "reason": "🜂".repeat(50)})
    .to_string();
    let fog = fog.as_str();
    assert_eq!(instance.post("/api/weather/set", fog).await.0, 409);
    for (path, body) in
        [("undo", "{}"), ("clear", r#"{"id":"paris-3"}"#), ("clear", r#"{"region":"paris"}"#)]
    {
        let (status, answer) = instance.post(&format!("/api/weather/{path}"), body).await;
        assert_eq!(status, 200, "{path} {body}: {answer}");
    }
    place.advance(1_000_000);
    let cleared = |seen: &[Seen]| of_type::<v1::WeatherOverrideCleared>(seen).len() == 2;
    place.events_until(TOPIC, cleared).await;
    // There is room once the instance knows that those are durable, a moment after they are seen.
    let made = async { while instance.post("/api/weather/set", fog).await.0 != 200 {} };
    tokio::time::timeout(worldbus_testkit::DEADLINE, made).await.unwrap();
    let (_, log) = instance.get("/api/weather/overrides").await;
    assert!(log["commands"].as_array().unwrap().len() < 10, "{log}");
    instance.stop().await;
}
