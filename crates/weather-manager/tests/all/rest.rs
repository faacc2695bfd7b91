//! The weather's REST routes: the forecast comes true, and bad input is refused with a reason.

use serde_json::{Value, json};

use crate::kit::{new_clock, run, tell};
use worldbus_testkit::{Instance, Place};
use worldbus_world::{Change, GameTime};

async fn begun(lead_ms: u64) -> (Place, Instance) {
    let place = Place::new().await;
    tell(&place, new_clock(&place).last()).await;
    let instance = run(&place, lead_ms).await;
    instance.ready().await;
    (place, instance)
}

#[tokio::test]
async fn without_a_clock_the_weather_reports_that_it_waits() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let (status, problem) = instance.get("/api/weather/current?region=paris").await;
    assert_eq!(status, 503);
    assert!(problem["detail"].as_str().unwrap().contains("time-manager"), "{problem}");
    assert!(!instance.readiness.is_ready());
    let clock = new_clock(&place);
    tell(&place, clock.last()).await;
    // As the time-manager does.
    place.advance(5_000_000);
    tell(&place, clock.last()).await;
    instance.ready().await;
    instance.stop().await;
}

#[tokio::test]
async fn forecast_comes_true_in_every_region_for_three_days() {
    let (place, instance) = begun(0).await;
    let clock = new_clock(&place);
    let (_, list) = instance.get("/api/weather/regions").await;
    let regions: Vec<String> = list["regions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|region| region["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(regions.len(), 12);
    let mut forecasts = Vec::new();
    for region in &regions {
        let path = format!("/api/weather/forecast?region={region}&hours=72");
        let (_, answer) = instance.get(&path).await;
        forecasts.push(answer["forecast"].as_array().unwrap().clone());
    }
    for hour in 0..72 {
        let begins = clock.last().wall_at(GameTime::from_hours(hour as i64)).unwrap();
        place.wall.set_us(begins.0);
        let (_, all) = instance.get("/api/weather/current").await;
        for (now, forecast) in all["regions"].as_array().unwrap().iter().zip(&forecasts) {
            let plan = &forecast[hour];
            assert_eq!(plan["hour"], json!(hour));
            for (key, value) in plan.as_object().unwrap().iter().filter(|(key, _)| *key != "hour") {
                assert_eq!(&now[key], value, "{key} of {} at hour {hour}", now["region"]);
            }
        }
    }
    instance.stop().await;
}

#[tokio::test]
async fn override_holds_until_it_is_cleared_and_shows_in_the_forecast() {
    let (place, instance) = begun(0).await;
    let body = r#"{"region":"vienna","state":"fog"}"#;
    assert_eq!(instance.post("/api/weather/set", body).await.0, 200);
    place.advance(1);
    let (_, answer) = instance.get("/api/weather/forecast?region=vienna&hours=168").await;
    let fog = |entry: &Value| entry["state"] == "fog" && entry["forced"] == true;
    assert!(answer["forecast"].as_array().unwrap().iter().all(fog));
    place.advance(1);
    let clear = r#"{"region":"vienna"}"#;
    let (status, answer) = instance.post("/api/weather/clear", clear).await;
    assert_eq!((status.as_u16(), &answer["forced"]), (200, &json!(false)));
    place.advance(1);
    let (_, now) = instance.get("/api/weather/current?region=vienna").await;
    assert_eq!(now["forced"], false);
    instance.stop().await;
}

#[tokio::test]
async fn with_lead_a_command_answers_when_it_takes_effect() {
    let (place, instance) = begun(2_000).await;
    let body = r#"{"region":"vienna","state":"storm"}"#;
    let (_, answer) = instance.post("/api/weather/set", body).await;
    assert_eq!(answer["effective_at"], "2026-01-01T00:00:02.123457Z");
    let (_, now) = instance.get("/api/weather/current?region=vienna").await;
    assert_eq!(now["forced"], false);
    place.advance(2_000_000);
    let (_, now) = instance.get("/api/weather/current?region=vienna").await;
    assert_eq!((&now["state"], &now["forced"]), (&json!("storm"), &json!(true)));
    instance.stop().await;
}

/// Without a wait in between: whoever asks after the announcement is durable asks the new clock.
#[tokio::test]
async fn request_is_answered_under_the_clock_that_was_announced_before_it() {
    let (place, instance) = begun(0).await;
    let mut clock = new_clock(&place);
    for round in 1..40 {
        place.advance(1_000_000);
        let game = GameTime::from_hours(round * 24 * 31);
        let segment = clock.change(Change::Set(game), place.now());
        clock.insert(segment).unwrap();
        tell(&place, &segment).await;
        let wanted = json!(place.world.calendar().at(game).to_string());
        if round % 2 == 0 {
            let body = r#"{"region":"vienna","state":"fog"}"#;
            let (_, answer) = instance.post("/api/weather/set", body).await;
            assert_eq!(answer["game_time"], wanted, "round {round}");
        } else {
            let (_, answer) = instance.get("/api/weather/forecast?region=vienna").await;
            assert_eq!(answer["forecast"][0]["game_time"], wanted, "round {round}");
        }
    }
    instance.stop().await;
}

#[tokio::test]
async fn bad_input_is_refused_with_what_was_expected() {
    let (_place, instance) = begun(0).await;
    for (path, status, expected) in [
        ("current?region=viena", 404, "near: vienna"),
        ("current?place=vienna", 400, "`place`: not known"),
        ("forecast?hours=3", 400, "region"),
        ("forecast?region=vienna&hours=0", 400, "1 to 168"),
        ("forecast?region=vienna&hours=169", 400, "1 to 168"),
        ("forecast?region=vienna&hours=x", 400, "hours"),
        ("forecast?region=atlantis", 404, "/api/weather/regions"),
    ] {
        let (found, problem) = instance.get(&format!("/api/weather/{path}")).await;
        let detail = problem["detail"].as_str().unwrap();
        assert!(found == status && detail.contains(expected), "{path}: {found} {detail}");
    }
    for (body, status, expected) in [
        (r#"{"region":"vienna","state":"hail"}"#, 422, "heavy_rain"),
        (r#"{"region":"viena","state":"rain"}"#, 404, "vienna"),
        (r#"{"region":"vienna","state":"rain","intensity":1.1}"#, 422, "from 0 to 1"),
        (r#"{"region":"vienna","state":"rain","duration_game_minutes":0}"#, 422, "1 to"),
        (r#"{"region":"vienna","state":"rain","minutes":5}"#, 422, "field `minutes`: not known"),
        (r#"{"region":"vienna"}"#, 422, "state"),
        ("rain", 400, "JSON"),
    ] {
        let (found, problem) = instance.post("/api/weather/set", body).await;
        let detail = problem["detail"].as_str().unwrap();
        assert!(found == status && detail.contains(expected), "{body}: {found} {detail}");
    }
    instance.stop().await;
}
