//! For this crate's tests: instances of the weather-manager, the clock that they hear, and the ids
//! of its events.

use std::sync::Arc;
use std::time::Duration;

use worldbus_bus::ManualClock;
use worldbus_events::{Event as _, EventId, ProducerId, v1};
use worldbus_service::config::defaults;
use worldbus_service::start::Error;
use worldbus_service::{Deps, Part};
use worldbus_simulated::{Lead, Service as _, Setup};
use worldbus_testkit::{DEADLINE, Instance, Place};
use worldbus_weather_manager::{NAME, Settings, WeatherManager};
use worldbus_world::{Clock, GameTime, Segment, Slots, World, producer_id};

/// The service's topic.
pub const TOPIC: &str = v1::WeatherChanged::TOPIC;

/// What starts an instance with a lead.
pub async fn start(
    deps: Deps,
    world: Arc<World>,
    lead_ms: u64,
    settings: Settings,
) -> Result<Part, Error> {
    let lead = Lead::new(Duration::from_millis(lead_ms))?;
    WeatherManager::check_and_start(Setup { lead, ..Setup::new(deps, world) }, settings).await
}

pub async fn run(place: &Place, lead_ms: u64) -> Instance {
    place.run(|deps, world| start(deps, world, lead_ms, defaults().unwrap())).await
}

/// An instance whose machine has a wall clock of its own.
pub async fn run_by(place: &Place, wall: Arc<ManualClock>) -> Instance {
    place.run_by(wall, |deps, world| start(deps, world, 0, defaults().unwrap())).await
}

/// A clock of the sample world that begins now.
pub fn new_clock(place: &Place) -> Clock {
    Clock::new(place.world.scale, place.now(), GameTime(0))
}

/// Publishes a segment of the clock, as a time-manager would.
pub async fn tell(place: &Place, segment: &Segment) {
    let event = v1::ClockChanged {
        epoch: segment.epoch,
        anchor_wall_us: segment.anchor_wall.0,
        anchor_game_us: segment.anchor_game.0,
        scale_numerator: segment.num,
        scale_denominator: segment.den,
        paused: segment.paused,
        reason: "set".to_owned(),
        revision: segment.rev,
        anchor_rest: segment.rest,
        continues_wall_us: segment.continues.map(|wall| wall.0),
        ..v1::ClockChanged::default()
    };
    place.bus.publisher("time-manager", "europe").publish(&event).await.unwrap();
}

/// The id of a region's weather.changed under no override.
pub fn changed_id(epoch: u32, game: GameTime, region: usize) -> EventId {
    let producer = ProducerId::from_bits(producer_id("europe", NAME, epoch, 0));
    let sequence = Slots::new(32, 12).sequence(game.seconds(), 0, Some(region));
    EventId { producer, sequence }
}

/// Waits until the state that the instances share has the segment.
pub async fn kept(place: &Place, epoch: u32) {
    let kept = async {
        loop {
            let entry = place.state.get("weather/europe/clock").await.unwrap();
            let clock: Option<Clock> =
                entry.and_then(|entry| serde_json::from_slice(&entry.value).ok());
            if clock.is_some_and(|clock| clock.last().epoch == epoch) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, kept).await.expect("not received in time");
}
