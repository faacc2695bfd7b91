//! Game time and wall time: two types that never add up.
//! Not here: how one follows from the other (`clock`), dates (`calendar`).

use serde::{Deserialize, Serialize};

/// An instant of a world: microseconds since the world's epoch, negative before it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct GameTime(pub i64);

/// An instant of the real world: microseconds since the Unix epoch.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct WallTime(pub i64);

impl GameTime {
    /// Microseconds of a game second.
    pub const SECOND_US: i64 = 1_000_000;
    /// Microseconds of a game minute.
    pub const MINUTE_US: i64 = 60 * Self::SECOND_US;
    /// Microseconds of a game hour.
    pub const HOUR_US: i64 = 60 * Self::MINUTE_US;
    /// Microseconds of a game day.
    pub const DAY_US: i64 = 24 * Self::HOUR_US;

    /// The instant that many microseconds after the epoch; clamped to what an `i64` holds.
    pub(crate) fn clamped(us: i128) -> Self {
        Self(us.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }

    /// The instant that many game hours after the epoch; clamped to what an `i64` holds.
    pub fn from_hours(hours: i64) -> Self {
        Self(hours.saturating_mul(Self::HOUR_US))
    }

    /// The instant that many game minutes after the epoch; clamped to what an `i64` holds.
    pub fn from_minutes(minutes: i64) -> Self {
        Self(minutes.saturating_mul(Self::MINUTE_US))
    }

    /// The instant that many game seconds after the epoch; clamped to what an `i64` holds.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(Self::SECOND_US))
    }

    /// Whole game seconds since the epoch, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(Self::SECOND_US)
    }

    /// Whole game minutes since the epoch, rounded down.
    pub fn minutes(self) -> i64 {
        self.0.div_euclid(Self::MINUTE_US)
    }

    /// Whole game hours since the epoch, rounded down.
    pub fn hours(self) -> i64 {
        self.0.div_euclid(Self::HOUR_US)
    }

    /// This instant moved by microseconds; clamped to what an `i64` holds.
    pub fn plus_us(self, us: i64) -> Self {
        Self(self.0.saturating_add(us))
    }
}

impl WallTime {
    /// This instant moved by microseconds; clamped to what an `i64` holds.
    pub fn plus_us(self, us: i64) -> Self {
        Self(self.0.saturating_add(us))
    }
}
