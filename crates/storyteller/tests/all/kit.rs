//! For this crate's tests: instances of the storyteller, each with a chronicle of its own or one
//! that they share, and events as the other services publish them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use worldbus_bus::Outgoing;
use worldbus_events::{Event, EventId, ProducerId, v1};
use worldbus_simulated::{Service as _, Setup};
use worldbus_storyteller::{DirectorMode, Settings, Storyteller};
use worldbus_testkit::{Instance, Place, Seen};
use worldbus_world::{Clock, GameTime};

pub const HOUR_US: i64 = GameTime::HOUR_US;

/// A place whose clock began now, as a time-manager announces.
pub async fn place() -> Place {
    let place = Place::new().await;
    announce(&place, 0).await;
    place
}

/// The clock, as a time-manager announces it again and again.
async fn announce(place: &Place, hour: i64) {
    let clock = clock(place);
    let segment = clock.last();
    let event = v1::ClockChanged {
        epoch: segment.epoch,
        anchor_wall_us: segment.anchor_wall.0,
        anchor_game_us: segment.anchor_game.0,
        scale_numerator: segment.num,
        scale_denominator: segment.den,
        revision: segment.rev,
        ..v1::ClockChanged::default()
    };
    publish(place, hour * HOUR_US, None, &event).await;
}

pub fn clock(place: &Place) -> Clock {
    Clock::new(place.world.scale, worldbus_world::WallTime(worldbus_testkit::BEGIN_US), GameTime(0))
}

pub fn settings(chronicle: PathBuf) -> Settings {
    Settings { chronicle, ..worldbus_service::config::defaults().unwrap() }
}

/// An instance with its chronicle in a directory, and without a director.
pub async fn run(place: &Place, dir: &Path) -> Instance {
    let settings = settings(dir.join("chronicle.db"));
    run_with(place, Settings { director: DirectorMode::Off, ..settings }).await
}

pub async fn run_with(place: &Place, settings: Settings) -> Instance {
    let instance = start(place, settings).await;
    instance.ready().await;
    instance
}

/// An instance that need not be ready.
pub async fn start(place: &Place, settings: Settings) -> Instance {
    place.run(|deps, world| Storyteller::check_and_start(Setup::new(deps, world), settings)).await
}

/// Publishes an event of a service at a game time, under an id that depends on nothing else.
pub async fn publish<E: Event>(place: &Place, game_us: i64, entity: Option<&str>, event: &E) {
    let payload = event.encode_to_vec();
    let mark = payload.iter().fold(7_u64, |hash, byte| hash.wrapping_mul(31) ^ u64::from(*byte));
    let producer = ProducerId::from_bits(u64::from(E::NUMBER) + 1);
    let wall = clock(place).last().wall_at(GameTime(game_us)).unwrap();
    let outgoing = Outgoing {
        event_type: E::NUMBER,
        id: Some(EventId { producer, sequence: game_us as u64 ^ (mark & 0xffff) }),
        timestamp_ms: Some(wall.0.div_euclid(1000)),
        entity,
        payload: &payload,
        ..Outgoing::default()
    };
    let topic = worldbus_bus::Topic::new(E::TOPIC).unwrap();
    let publisher = place.bus.publisher("test", &place.world.id);
    publisher.enqueue_raw(&topic, outgoing).await.unwrap().await.unwrap();
}

pub async fn storm(place: &Place, hour: i64, region: &str) {
    let event = v1::WeatherChanged {
        region_id: region.into(),
        old_state: v1::WeatherState::HeavyRain.into(),
        new_state: v1::WeatherState::Storm.into(),
        wind_gust_dmps: 230,
        started_game_us: hour * HOUR_US,
        ..Default::default()
    };
    publish(place, hour * HOUR_US, Some(region), &event).await;
}

pub async fn feast(place: &Place, hour: i64, name: &str) {
    let date = Some(v1::Date { year: 2024, month: 3, day: 2 });
    let event = v1::HolidayStarted { holiday: "f".into(), name: name.into(), date };
    publish(place, hour * HOUR_US, Some("f"), &event).await;
}

/// A city that changes hands, and a faction with a new leader, which is written at once.
pub async fn ruler(place: &Place, hour: i64, region: &str, ruler: &str) {
    let set = |path: String| v1::StateChange {
        path,
        operation: v1::StateOperation::Set.into(),
        value: serde_json::to_vec(ruler).unwrap(),
    };
    let changes = vec![set(format!("region/{region}/ruler")), set(format!("{ruler}/leader"))];
    let event = v1::WorldStateUpdated { changes, ..Default::default() };
    publish(place, hour * HOUR_US, None, &event).await;
}

/// An hour so far ahead that nothing waits any more and every arc timed out.
pub async fn much_later(place: &Place) {
    for hour in [8_000, 8_001] {
        let event = v1::HourChanged { game_us: hour * HOUR_US, ..Default::default() };
        publish(place, hour * HOUR_US, None, &event).await;
    }
    announce(place, 8_002).await;
}

/// Announces the clock behind [`much_later`] again and again, as a time-manager does.
pub async fn go_on(place: &Place) {
    for hour in 8_003.. {
        announce(place, hour).await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

/// What was published as entries and steps of arcs, by id.
pub fn story(events: &[Seen]) -> Vec<(EventId, Vec<u8>)> {
    let mut story: Vec<_> = events.iter().map(|event| (event.id, event.payload.clone())).collect();
    story.sort();
    story
}

pub fn texts(answer: &Value) -> Vec<&str> {
    let entries = answer["entries"].as_array().unwrap();
    entries.iter().map(|entry| entry["text"].as_str().unwrap()).collect()
}
