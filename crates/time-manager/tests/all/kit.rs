//! For this crate's tests: instances of the time-manager, its clock as it is kept, and the ids of
//! its events.

mod record;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde_json::Value;

use worldbus_bus::ManualClock;
use worldbus_events::{Event, EventId, ProducerId, v1};
use worldbus_service::config::defaults;
use worldbus_service::start::Error;
use worldbus_service::{Deps, Part};
use worldbus_simulated::{Lead, Service as _, Setup};
use worldbus_testkit::{Instance, Place, Seen, Watched};
use worldbus_time_manager::{CatchUp, NAME, Settings, TimeManager};
use worldbus_world::{Clock, GameTime, Segment, Slots, WallTime, World, producer_id};

pub use record::Record;

/// Moons and holidays of the sample world: entities of events.
static ENTITIES: LazyLock<usize> = LazyLock::new(|| {
    let calendar = World::sample().calendar();
    calendar.rules().moons().len() + calendar.rules().holidays().len()
});

/// The service's topic.
pub const TOPIC: &str = v1::TimeUpdated::TOPIC;

/// What starts an instance with a lead.
async fn start(
    deps: Deps,
    world: Arc<World>,
    lead_ms: u64,
    settings: Settings,
) -> Result<Part, Error> {
    let lead = Lead::new(Duration::from_millis(lead_ms))?;
    TimeManager::check_and_start(Setup { lead, ..Setup::new(deps, world) }, settings).await
}

pub async fn run(place: &Place, lead_ms: u64) -> Instance {
    place.run(|deps, world| start(deps, world, lead_ms, defaults().unwrap())).await
}

/// An instance that ticks once a game day.
pub async fn run_slowly(place: &Place) -> Instance {
    let settings = Settings { cadence_game_minutes: 1_440, ..defaults().unwrap() };
    place.run(|deps, world| start(deps, world, 0, settings)).await
}

/// An instance with a rule for what it missed.
pub async fn run_with_rule(place: &Place, catch_up: CatchUp) -> Instance {
    let settings = Settings { catch_up, ..defaults().unwrap() };
    place.run(|deps, world| start(deps, world, 0, settings)).await
}

/// An instance whose machine has a wall clock of its own.
pub async fn run_by(place: &Place, wall: Arc<ManualClock>, lead_ms: u64) -> Instance {
    place.run_by(wall, |deps, world| start(deps, world, lead_ms, defaults().unwrap())).await
}

/// The sample world with more in its file.
pub fn world(more: &str) -> World {
    let file = include_str!("../../../../worlds/europe.toml");
    World::parse("europe.toml", &format!("{file}\n{more}\n")).unwrap()
}

/// The fantasy world: another calendar, two moons, phases of the day by the sun.
pub fn isles() -> World {
    let file = include_str!("../../../../worlds/isles.toml");
    World::parse("isles.toml", file).unwrap()
}

/// What is seen of a type, decoded.
pub fn of_type<E: Event>(seen: &[Seen]) -> Vec<E> {
    let ours = seen.iter().filter(|event| event.event_type == E::NUMBER);
    ours.map(|event| E::decode(&event.payload[..]).unwrap()).collect()
}

/// Asserts that each producer's events came in the order of their ids. The repetitions of the clock
/// are numbered apart.
pub fn assert_in_order(all: &[Seen]) {
    let mut last = HashMap::new();
    for event in all.iter().filter(|event| event.event_type != v1::ClockChanged::NUMBER) {
        let sequence = event.id.sequence.cast_signed();
        let before = last.insert(event.id.producer, sequence);
        assert!(before < Some(sequence), "{event:?} after {before:?}");
    }
}

/// A place whose bus takes nothing and does not say so.
pub async fn silent() -> Place {
    Place::over(|log| Watched::new(log, |_, _| std::future::pending())).await
}

/// The clock as it is in the state store.
pub async fn kept_clock(place: &Place) -> Clock {
    let entry = place.state.get("clock/europe").await.unwrap().unwrap();
    let kept: Value = serde_json::from_slice(&entry.value).unwrap();
    let segments = kept["segments"].as_array().unwrap().iter();
    let parse = |e: &Value| serde_json::from_value::<Segment>(e["segment"].clone()).unwrap();
    Clock::from_segments(segments.map(parse)).unwrap()
}

/// The ids of time.updated at each game minute that the clock passed until a wall time.
pub fn minutes(clock: &Clock, until: WallTime) -> HashSet<EventId> {
    let after = clock.segments()[0].anchor_wall.plus_us(-1);
    let minutes = clock.boundaries(after, until, GameTime::MINUTE_US);
    minutes.map(|b| id(b.epoch, b.number, 3)).collect()
}

/// The id of a time event by the rank of its type.
pub fn id(epoch: u32, number: i64, rank: usize) -> EventId {
    let producer = ProducerId::from_bits(producer_id("europe", NAME, epoch, 0));
    EventId { producer, sequence: Slots::new(17, *ENTITIES).sequence(number, rank, None) }
}
