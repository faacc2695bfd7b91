//! Weather that was published by a machine whose wall clock was ahead: it goes on with the clock,
//! and nothing that was published is published again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::kit::{TOPIC, new_clock, run_by, tell};
use worldbus_bus::{ManualClock, WallClock as _};
use worldbus_events::{Event as _, prost::Message as _, v1};
use worldbus_testkit::{Place, Seen};
use worldbus_world::{GameTime, WallTime, WeatherState};

/// Real microseconds of a game hour at the default scale.
const HOUR_US: i64 = 25_000_000;
/// How far the clock was ahead: twelve game days.
const AHEAD_US: i64 = 12 * 24 * HOUR_US;

/// Each once: what an instance published and did not see acknowledged before it was stopped, the
/// next one publishes again, under the same id.
fn changes(seen: &[Seen]) -> Vec<v1::WeatherChanged> {
    let mut ids = HashSet::new();
    let ours = seen.iter().filter(|event| event.event_type == v1::WeatherChanged::NUMBER);
    let ours = ours.filter(|event| ids.insert(event.id));
    ours.map(|event| v1::WeatherChanged::decode(&event.payload[..]).unwrap()).collect()
}

/// Waits for a change at a game time or later.
async fn changed_at(place: &Place, game: GameTime) -> Vec<v1::WeatherChanged> {
    let there = |all: &[Seen]| changes(all).iter().any(|change| change.started_game_us >= game.0);
    changes(&place.events_until(TOPIC, there).await)
}

#[tokio::test]
async fn weather_goes_on_after_a_clock_that_was_ahead_and_repeats_no_change() {
    let place = Place::new().await;
    let mut clock = new_clock(&place);
    let ahead = Arc::new(ManualClock::new(place.now().0 + AHEAD_US));
    let begun = clock.game_at(WallTime(ahead.now_us()));
    let instance = run_by(&place, Arc::clone(&ahead)).await;
    // It looks back by its own clock, so it receives what is repeated only.
    while !instance.readiness.is_ready() {
        tell(&place, clock.last()).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for _ in 0..30 {
        ahead.advance(Duration::from_micros(HOUR_US.unsigned_abs()));
        tokio::task::yield_now().await;
    }
    let fog = r#"{"region":"paris","state":"fog","duration_game_minutes":100000}"#;
    assert_eq!(instance.post("/api/weather/set", fog).await.0, 200);
    // It takes effect behind what is out, which may be all up to now.
    ahead.advance(Duration::from_millis(1));
    let stood = clock.game_at(WallTime(ahead.now_us()));
    let is_fog = |change: &v1::WeatherChanged| change.new_state == WeatherState::Fog as i32;
    let forced = |all: &[Seen]| changes(all).iter().any(|c| c.forced && is_fog(c));
    place.events_until(TOPIC, forced).await;
    instance.stop().await;

    let resumed = clock.resume(WallTime(ahead.now_us()), place.now());
    clock.insert(resumed).unwrap();
    tell(&place, &resumed).await;
    let instance = run_by(&place, Arc::clone(&place.wall)).await;
    instance.ready().await;
    let (_, now) = instance.get("/api/weather/current?region=paris").await;
    assert!(now.to_string().contains("fog"), "the override holds: {now}");
    let storm = r#"{"region":"paris","state":"storm","duration_game_minutes":600}"#;
    assert_eq!(instance.post("/api/weather/set", storm).await.0, 200);
    for _ in 0..30 {
        place.advance(HOUR_US);
        tokio::task::yield_now().await;
    }
    let all = changed_at(&place, stood.plus_us(20 * GameTime::HOUR_US)).await;
    let mut last: HashMap<String, v1::WeatherChanged> = HashMap::new();
    for change in all.into_iter().filter(|change| change.started_game_us > begun.0) {
        if let Some(before) = last.get(&change.region_id) {
            assert_eq!(change.old_state, before.new_state, "{before:?} {change:?}");
            assert!(change.started_game_us >= before.started_game_us, "{before:?} {change:?}");
        }
        last.insert(change.region_id.clone(), change);
    }
    instance.stop().await;
}
