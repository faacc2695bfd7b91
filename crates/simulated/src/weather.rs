//! The weather of a world for whoever is not the weather-manager: from its announcements, those of
//! the clock, and the world's file, to the bit what the weather-manager computes.
//!
//! An announcement carries every override with all its numbers (`weather.overrides_announced`), in
//! parts where the set is large. [`announce`] makes one, [`OverridesFollower`] puts its parts
//! together, and [`WeatherFollower`] computes. All of it is pure: it receives what was decoded and
//! takes the wall time as an argument.
//!
//! Not here: reading the bus, keeping what was received in a state store (`follow`).

mod parts;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::clock::segment;
use worldbus_events::v1::{ClockChanged, WeatherOverridesAnnounced};
use worldbus_events::{EventId, ProducerId};
use worldbus_world::{
    Clock, Conditions, GameTime, Overrides, Slots, Timeline, WallTime, Weather, WeatherState,
    World, producer_id,
};

pub use parts::{PART_BYTES_MAX, PART_COUNT_MAX, announce};

/// Announcements whose parts have not all come are kept so many at a time, the latest ones.
const INCOMPLETE_COUNT_MAX: usize = 4;

/// The service that publishes the weather, and how many ranks its events have in their identity.
pub const PUBLISHER: &str = "weather-manager";
/// See [`PUBLISHER`].
pub const RANK_COUNT: usize = 32;
/// The rank of `weather.changed`.
pub const CHANGED_RANK: usize = 0;

/// The id of the `weather.changed` of a region at a game time, by the clock's epoch and the
/// overrides' revision there; `region` is its index, and how many regions the world has.
pub fn changed_id(
    world: &str,
    (epoch, rev): (u32, u64),
    game: GameTime,
    (region, count): (usize, usize),
) -> EventId {
    let producer = ProducerId::from_bits(producer_id(world, PUBLISHER, epoch, rev));
    let slots = Slots::new(RANK_COUNT, count);
    EventId { producer, sequence: slots.sequence(game.seconds(), CHANGED_RANK, Some(region)) }
}

/// An announcement that no weather-manager publishes. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid announcement: {0}")]
pub struct Invalid(String);

impl Invalid {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// The overrides of one world, as they were announced.
#[derive(Clone, Debug, Default)]
pub struct OverridesFollower {
    known: Option<(Order, Timeline)>,
    incomplete: BTreeMap<Order, Incomplete>,
}

/// Names an announcement; the highest counts.
type Order = (u64, u32, i64);

/// The parts of an announcement that have come, by number.
#[derive(Clone, Debug, Default)]
struct Incomplete {
    part_count: u32,
    parts: BTreeMap<u32, WeatherOverridesAnnounced>,
}

impl OverridesFollower {
    /// Receives a part of an announcement. True if other overrides are known now: its last part
    /// came, and nothing later is known. Parts may come in any order and several times.
    ///
    /// # Errors
    /// [`Invalid`]: the part, or what the parts make together.
    pub fn receive(&mut self, part: WeatherOverridesAnnounced) -> Result<bool, Invalid> {
        let order = (part.revision, part.epoch, part.announced_wall_us);
        if !(1..=PART_COUNT_MAX).contains(&part.part_count) || part.part >= part.part_count {
            let text = format!("part {} of {}", part.part, part.part_count);
            return Err(Invalid::new(text));
        }
        if self.known.as_ref().is_some_and(|(known, _)| *known >= order) {
            return Ok(false);
        }
        let incomplete = self.incomplete.entry(order).or_default();
        if incomplete.parts.is_empty() {
            incomplete.part_count = part.part_count;
        } else if incomplete.part_count != part.part_count {
            let text = format!("{} parts, and {}", incomplete.part_count, part.part_count);
            return Err(Invalid::new(text));
        }
        incomplete.parts.insert(part.part, part);
        if incomplete.parts.len() < incomplete.part_count as usize {
            while self.incomplete.len() > INCOMPLETE_COUNT_MAX {
                self.incomplete.pop_first();
            }
            return Ok(false);
        }
        let whole = self.incomplete.remove(&order).unwrap_or_default();
        let timeline = parts::timeline(whole.parts.into_values())?;
        self.known = Some((order, timeline));
        self.incomplete.retain(|other, _| *other > order);
        Ok(true)
    }

    /// The overrides as they were announced last; none before the first announcement.
    pub fn timeline(&self) -> Option<&Timeline> {
        self.known.as_ref().map(|(_, timeline)| timeline)
    }
}

/// The weather of one world, as its weather-manager computes it.
#[derive(Debug)]
pub struct WeatherFollower {
    weather: Weather,
    clock: Option<Clock>,
    overrides: OverridesFollower,
}

/// What the weather of an instant follows from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// The clock's epoch.
    pub epoch: u32,
    /// The game time.
    pub game: GameTime,
    /// The revision of the overrides: part of the identity of events that follow from them.
    pub rev: u64,
    /// What is forced.
    pub overrides: Overrides,
}

impl WeatherFollower {
    /// Knows neither the clock nor overrides yet.
    pub fn new(world: &World) -> Self {
        let overrides = OverridesFollower::default();
        Self { weather: Weather::new(world), clock: None, overrides }
    }

    /// Receives an announcement of the world's clock. True if the clock changed.
    ///
    /// # Errors
    /// [`Invalid`]: no clock has such a segment.
    pub fn clock_changed(&mut self, event: &ClockChanged) -> Result<bool, Invalid> {
        let invalid = |error: &dyn std::error::Error| Invalid::new(error.to_string());
        let segment = segment(event).map_err(|error| invalid(&error))?;
        if let Some(clock) = &mut self.clock {
            return clock.insert(segment).map_err(|error| invalid(&error));
        }
        self.clock = Some(Clock::from_segments([segment]).map_err(|error| invalid(&error))?);
        Ok(true)
    }

    /// Receives a part of an announcement of overrides: see [`OverridesFollower::receive`].
    ///
    /// # Errors
    /// [`Invalid`]: the part, or what the parts make together.
    pub fn overrides_announced(
        &mut self,
        part: WeatherOverridesAnnounced,
    ) -> Result<bool, Invalid> {
        self.overrides.receive(part)
    }

    /// The clock; none before its first announcement.
    pub fn clock(&self) -> Option<&Clock> {
        self.clock.as_ref()
    }

    /// The overrides, with those that have not taken effect; none before their first announcement.
    pub fn timeline(&self) -> Option<&Timeline> {
        self.overrides.timeline()
    }

    /// Computes the weather at any game time, with what is forced by a [`Basis`].
    pub fn weather(&self) -> &Weather {
        &self.weather
    }

    /// What the weather at a wall time follows from; none while the clock or the overrides are not
    /// known.
    pub fn basis(&self, wall: WallTime) -> Option<Basis> {
        let (clock, timeline) = (self.clock.as_ref()?, self.timeline()?);
        let (epoch, game) = (clock.segment_at(wall).epoch, clock.game_at(wall));
        let (rev, overrides) = (timeline.rev_at(wall), timeline.overrides(wall));
        Some(Basis { epoch, game, rev, overrides })
    }

    /// The conditions in a region at a wall time; none while too little is known.
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn conditions(&self, region: usize, wall: WallTime) -> Option<Conditions> {
        let basis = self.basis(wall)?;
        Some(self.weather.conditions(region, basis.game, &basis.overrides))
    }

    /// The state of a region at a wall time, cheaper than [`Self::conditions`].
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn state(&self, region: usize, wall: WallTime) -> Option<WeatherState> {
        let basis = self.basis(wall)?;
        Some(self.weather.state(region, basis.game, &basis.overrides))
    }
}
