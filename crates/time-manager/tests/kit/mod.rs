//! For this crate's tests: instances of the time-manager, its clock as it is kept, and the ids of
//! its events.
#![allow(clippy::unwrap_used, reason = "a test kit panics")]
#![allow(dead_code, unreachable_pub, reason = "not every test file uses all of it")]

mod silent;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use worldbus_events::{Event as _, EventId, ProducerId, v1};
use worldbus_testkit::{Instance, Place};
use worldbus_time_manager::{NAME, Settings, start};
use worldbus_world::{Clock, GameTime, Segment, Slots, WallTime, producer_id};

pub use silent::Silent;

/// The service's topic.
pub const TOPIC: &str = v1::TimeUpdated::TOPIC;

pub async fn run(place: &Place, lead_ms: u64) -> Instance {
    let settings = Settings { lead: Duration::from_millis(lead_ms), ..Settings::default() };
    place.run(|deps, world| start(deps, world, settings)).await
}

/// A place whose bus takes nothing and does not say so.
pub async fn silent() -> Place {
    Place::over(|log| Arc::new(Silent(log))).await
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
    EventId { producer, sequence: Slots::new(5, 0).sequence(number, rank, None) }
}
