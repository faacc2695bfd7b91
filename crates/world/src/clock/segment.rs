//! One stretch of a clock: anchors and an exact rational rate. Integers only, rounded down.
//! Not here: which segment is in force, and what a command makes of it (`clock`).

use serde::{Deserialize, Serialize};

use super::{ClockError, Scale};
use crate::time::{GameTime, WallTime};

/// A stretch of a world's clock. It covers the game times from its anchor, included, to where
/// the next segment's beginning finds it, excluded; none while it is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Counts the segments of a world's clock, from 0.
    pub epoch: u32,
    /// The wall time at which it begins.
    pub anchor_wall: WallTime,
    /// The game time at that instant.
    pub anchor_game: GameTime,
    /// Game microseconds in [`Self::den`] wall microseconds while it runs. Above 0.
    pub num: u64,
    /// See [`Self::num`]. Above 0.
    pub den: u64,
    /// The clock stands still; the rate is kept for its next start.
    pub paused: bool,
    /// Revision of the clock that made this segment.
    pub rev: u64,
}

impl Segment {
    pub(super) fn first(scale: Scale, anchor_wall: WallTime, anchor_game: GameTime) -> Self {
        let (num, den) = scale.rate();
        Self { epoch: 0, anchor_wall, anchor_game, num, den, paused: false, rev: 0 }
    }

    pub(super) fn check(&self) -> Result<(), ClockError> {
        if self.num == 0 || self.den == 0 {
            return Err(ClockError::BadScale { epoch: self.epoch, num: self.num, den: self.den });
        }
        Ok(())
    }

    /// The scale, also while paused. None if no [`Scale`] names this rate: a segment of our own
    /// making always has one.
    pub fn scale(&self) -> Option<Scale> {
        Scale::from_rate(self.num, self.den)
    }

    /// Real seconds in a game hour, also while paused.
    pub fn real_seconds_per_game_hour(&self) -> f64 {
        self.den as f64 * 3600.0 / self.num as f64
    }

    /// The game time at a wall time by this segment alone; its anchor before its beginning.
    pub fn game_at(&self, wall: WallTime) -> GameTime {
        if self.paused || wall <= self.anchor_wall {
            return self.anchor_game;
        }
        let elapsed = i128::from(wall.0) - i128::from(self.anchor_wall.0);
        let passed = mul_div(elapsed, self.num, self.den, false);
        GameTime(clamp(i128::from(self.anchor_game.0).saturating_add(passed)))
    }

    /// The first wall time at which this segment alone shows `game` or later; its beginning for
    /// what lies before the anchor. None if it is paused or the wall clock ends before.
    pub fn wall_at(&self, game: GameTime) -> Option<WallTime> {
        if self.paused {
            return None;
        }
        let ahead = i128::from(game.0) - i128::from(self.anchor_game.0);
        let elapsed = mul_div(ahead.max(0), self.den, self.num, true);
        i64::try_from(i128::from(self.anchor_wall.0).saturating_add(elapsed)).ok().map(WallTime)
    }
}

/// `value * num / den`, rounded down or up, for a value of 0 to 2^64. Saturates.
fn mul_div(value: i128, num: u64, den: u64, up: bool) -> i128 {
    let (num, den) = (i128::from(num), i128::from(den));
    let whole = (value / den).saturating_mul(num);
    let rest = (value % den).saturating_mul(num);
    let part = rest / den + i128::from(up && rest % den != 0);
    whole.saturating_add(part)
}

fn clamp(value: i128) -> i64 {
    value.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}
