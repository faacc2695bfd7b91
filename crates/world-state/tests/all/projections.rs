//! What events write into the state: time, weather, alerts, crowds.

use std::collections::BTreeSet;
use std::io::Write as _;

use serde_json::{Value, json};

use crate::kit::State;
use worldbus_events::prost::Message as _;
use worldbus_events::v1;
use worldbus_service::config::defaults;
use worldbus_simulated::{Service as _, Setup};
use worldbus_testkit::{DEADLINE, Instance};
use worldbus_world_state::{Settings, WorldState};

async fn fields_until(instance: &Instance, entity: &str, wanted: &Value) {
    let there = async {
        loop {
            let (_, found) = instance.get(&format!("/api/state/{entity}")).await;
            if found["fields"] == *wanted {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    if tokio::time::timeout(DEADLINE, there).await.is_err() {
        panic!("{:?}", instance.get(&format!("/api/state/{entity}")).await);
    }
}

#[tokio::test]
async fn weather_alerts_time_and_crowds_are_in_the_state_and_only_changes_make_steps() {
    let (state, instance) = State::begun().await;
    let weather = state.place.bus.publisher("weather-manager", "europe");
    let storm = v1::WeatherChanged {
        new_state: v1::WeatherState::Storm.into(),
        temperature_decicelsius: 85,
        wind_speed_dmps: 201,
        precipitation_rate_umph: 7_500,
        ..v1::WeatherChanged::default()
    };
    weather.publish_about("brussels", &storm).await.unwrap();
    let severe = v1::WeatherSevere {
        state: v1::WeatherState::Storm.into(),
        severity: v1::Severity::Warning.into(),
        onset_game_us: 60_000_000,
        end_game_us: 600_000_000,
        alert_id: "a-1".to_owned(),
        ..v1::WeatherSevere::default()
    };
    weather.publish_about("brussels", &severe).await.unwrap();
    let brussels = json!({
        "weather": "storm", "temperature_c": 8.5, "wind_speed_mps": 20.1,
        "precipitation_mm_per_h": 7.5, "weather_forced": false,
        "alert": "storm", "alert_id": "a-1", "alert_severity": "warning",
        "alert_onset_minutes": 1, "alert_end_minutes": 10,
    });
    fields_until(&instance, "region/brussels", &brussels).await;

    // The same again, of another world, and then what is new.
    weather.publish_about("brussels", &storm).await.unwrap();
    let elsewhere = state.place.bus.publisher("weather-manager", "asia");
    elsewhere.publish_about("brussels", &v1::WeatherChanged::default()).await.unwrap();
    let ended = v1::WeatherAlertEnded { alert_id: "a-1".to_owned(), ..Default::default() };
    weather.publish_about("brussels", &ended).await.unwrap();
    let brussels = json!({
        "weather": "storm", "temperature_c": 8.5, "wind_speed_mps": 20.1,
        "precipitation_mm_per_h": 7.5, "weather_forced": false,
    });
    fields_until(&instance, "region/brussels", &brussels).await;
    let (_, entity) = instance.get("/api/state/region/brussels").await;
    assert_eq!((&entity["version"], &entity["world_version"]), (&json!(3), &json!(3)));

    let time = state.place.bus.publisher("time-manager", "europe");
    let hour = v1::HourChanged {
        date: Some(v1::Date { year: 2024, month: 3, day: 1 }),
        hour: 7,
        phase: v1::Phase::Day.into(),
        is_day: true,
        game_us: 3_600_000_000,
        ..v1::HourChanged::default()
    };
    time.publish(&hour).await.unwrap();
    let clock = json!({
        "date": "2024-03-01", "hour": 7, "phase": "day", "is_day": true, "total_minutes": 60,
    });
    fields_until(&instance, "world/clock", &clock).await;

    let npc = state.place.bus.publisher("npc-behavior", "europe");
    let crowd = v1::NpcCrowdChanged { count: 12, capacity: 40, ..Default::default() };
    let market = worldbus_events::About::from("brussels-market").at("brussels");
    npc.publish_about(market, &crowd).await.unwrap();
    let market = json!({"crowd": 12, "capacity": 40, "region": "brussels"});
    fields_until(&instance, "place/brussels-market", &market).await;
    let (_, changes) = instance.get("/api/state/changes?from_version=3").await;
    let step = &changes["changes"][0];
    assert_eq!(
        (&step["actor"], &step["reason"]),
        (&json!("projection"), &json!("time.hour_changed"))
    );
}

#[tokio::test]
async fn events_of_a_batch_are_written_together_and_in_order() {
    written_together(State::new().await).await;
}

#[tokio::test]
async fn events_of_a_batch_are_written_together_and_in_order_over_postgres() {
    written_together(State::over_postgres().await).await;
}

async fn written_together(state: State) {
    const COUNT: u32 = 200;
    let (state, instance) = state.begin().await;
    let npc = state.place.bus.publisher("npc-behavior", "europe");
    let mut pending = Vec::new();
    for count in 1..=COUNT {
        let crowd = v1::NpcCrowdChanged { count, ..Default::default() };
        pending.push(npc.enqueue(Some("the-market"), &crowd).await.unwrap());
    }
    for pending in pending {
        pending.await.unwrap();
    }
    let market = json!({"crowd": COUNT, "capacity": 0, "region": "the-market"});
    fields_until(&instance, "place/the-market", &market).await;
    let steps = state.steps().await;
    let crowds = steps.iter().map(|step| {
        let event = v1::WorldStateUpdated::decode(step.event.as_slice()).unwrap();
        let crowd = event.changes.iter().find(|change| change.path.ends_with("/crowd")).unwrap();
        String::from_utf8(crowd.value.clone()).unwrap().parse().unwrap()
    });
    assert_eq!(crowds.collect::<Vec<u32>>(), (1..=COUNT).collect::<Vec<_>>());
    // Steps of one transaction were made at one moment.
    let moments: BTreeSet<_> = steps.iter().map(|step| step.wall).collect();
    assert!(moments.len() <= COUNT as usize / 10, "{} transactions", moments.len());
}

#[tokio::test]
async fn file_of_projections_takes_the_place_of_those_built_in_and_a_missing_field_is_refused() {
    let state = State::new().await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let text = "[[projections]]\non = \"weather.changed\"\nentity = \"sky/{entity}\"\n\
        fields = { is = \"{payload.new_state}\" }\n";
    file.write_all(text.as_bytes()).unwrap();
    let mut settings: Settings = defaults().unwrap();
    settings.state_database = format!("sqlite:{}", file.path().with_extension("db").display());
    settings.state_projections = Some(file.path().to_owned());
    let instance = state.run_with(settings.clone()).await;
    let weather = state.place.bus.publisher("weather-manager", "europe");
    let fog = v1::WeatherChanged { new_state: v1::WeatherState::Fog.into(), ..Default::default() };
    weather.publish_about("paris", &fog).await.unwrap();
    fields_until(&instance, "sky/paris", &json!({"is": "WEATHER_STATE_FOG"})).await;
    assert_eq!(instance.get("/api/state/region/paris").await.0, 404);

    file.write_all(b"bad = \"{payload.nothing}\"\n").unwrap();
    std::fs::write(file.path(), text.replace("new_state", "nothing")).unwrap();
    let start = |deps, world| async {
        let refused =
            WorldState::check_and_start(Setup::new(deps, world), settings).await.map(drop);
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(":4: projections[0].fields.is: expected a field"), "{refused}");
        Ok(worldbus_service::Part::new("none", Default::default()))
    };
    state.place.run(start).await.stop().await;
}
