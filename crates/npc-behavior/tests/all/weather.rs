//! Weather of a studio's own service, without a weather-manager.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use crate::kit::{HOUR_US, MINUTE_US, activities, announce_clock, new_clock, run};
use worldbus_events::v1;
use worldbus_npc_behavior::TOPIC;
use worldbus_testkit::{DEADLINE, Instance, Place, Seen};
use worldbus_world::GameTime;

async fn publish(
    place: &Place,
    source: &str,
    (region, hour): (&str, i64),
    state: v1::WeatherState,
) {
    let event = v1::WeatherChanged {
        region_id: region.to_owned(),
        new_state: state.into(),
        started_game_us: GameTime::from_hours(hour).0,
        ..v1::WeatherChanged::default()
    };
    place.bus.publisher(source, "europe").publish(&event).await.unwrap();
}

async fn sheltered(instance: &Instance, region: &str) -> u64 {
    let (_, answer) = instance.get(&format!("/api/people/statistics?region={region}")).await;
    answer["by_activity"]["shelter"].as_u64().unwrap_or(0)
}

/// The weather takes a while from the bus to the people.
async fn until_sheltered(instance: &Instance, region: &str) {
    let enough = async {
        while sheltered(instance, region).await <= 10 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(DEADLINE, enough).await.expect("people go to shelter");
}

#[tokio::test]
async fn storm_of_a_studios_own_weather_sends_its_region_to_shelter_also_after_a_restart() {
    let place = Place::new().await;
    announce_clock(&place, new_clock(&place).last()).await;
    let instance = run(&place, 0).await;
    let (status, _) = instance.get("/api/people/statistics").await;
    assert_eq!(status, 503, "no weather is known");
    publish(&place, "skies", ("vienna", 0), v1::WeatherState::Clear).await;
    instance.ready().await;
    place.advance(4 * HOUR_US);
    assert_eq!(sheltered(&instance, "vienna").await, 0);

    publish(&place, "skies", ("vienna", 4), v1::WeatherState::Storm).await;
    // An hour, and the storm becomes known within it.
    for _ in 0..60 {
        place.advance(MINUTE_US);
        sheltered(&instance, "vienna").await;
    }
    until_sheltered(&instance, "vienna").await;
    let storms = |seen: &[Seen]| {
        let done = activities(seen).into_values();
        let by_weather = done.filter(|event| event.cause == v1::NpcCause::Weather as i32);
        by_weather.map(|event| event.cause_event_id).collect::<Vec<_>>()
    };
    let seen = place.events_until(TOPIC, |seen| storms(seen).len() > 10).await;
    let published = place.events("weather").await;
    let storm = published.last().unwrap().id.to_string();
    assert!(storms(&seen).iter().all(|id| *id == storm), "{:?}", storms(&seen));
    instance.stop().await;

    let instance = run(&place, 0).await;
    place.advance(HOUR_US);
    until_sheltered(&instance, "vienna").await;
    instance.stop().await;
}

#[tokio::test]
async fn weather_that_a_weather_manager_publishes_is_left_to_its_announcements() {
    let place = Place::new().await;
    announce_clock(&place, new_clock(&place).last()).await;
    let instance = run(&place, 0).await;
    publish(&place, "weather-manager", ("vienna", 0), v1::WeatherState::Storm).await;
    publish(&place, "skies", ("atlantis", 0), v1::WeatherState::Storm).await;
    publish(&place, "skies", ("paris", 0), v1::WeatherState::Storm).await;
    instance.ready().await;
    let entry = place.state.get("npc/europe/weather-changes").await.unwrap().unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&entry.value).unwrap();
    assert_eq!(kept.as_object().unwrap().keys().collect::<Vec<_>>(), ["paris"]);
    assert_eq!(kept["paris"]["1"][0], json!(v1::WeatherState::Storm as i32));
    instance.stop().await;
}
