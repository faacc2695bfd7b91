//! One stretch of a clock: anchors and an exact rational rate. Integers only, rounded down; what
//! rounding leaves is carried to the next segment, so that no number of pauses makes a clock drift.
//! Not here: which segment is in force, and what a command makes of it (`clock`).

use serde::{Deserialize, Serialize};

use super::curve::Curve;
use super::{ClockError, Scale};
use crate::time::{GameTime, WallTime};

/// With a curve the parts of the rate stay below this, so that no product overflows 128 bits.
const CURVED_RATE_MAX: u64 = 1 << 50;

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
    /// How far the clock is beyond its anchor's microsecond, in `den`ths of one; with a curve in
    /// `den`ths of a unit of its effort. Less than a microsecond is worth.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rest: u64,
    /// How the speed follows the game time; none for an even clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curve: Option<Curve>,
    /// It goes on from where the segments before it stood at this wall time, which had not come:
    /// a machine's clock was ahead. What they bring until then was published, or is to be by them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<WallTime>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl Segment {
    pub(super) fn first(scale: Scale, anchor_wall: WallTime, anchor_game: GameTime) -> Self {
        let (num, den) = scale.rate();
        let (paused, rest, curve, continues) = (false, 0, None, None);
        Self {
            epoch: 0,
            anchor_wall,
            anchor_game,
            num,
            den,
            paused,
            rev: 0,
            rest,
            curve,
            continues,
        }
    }

    /// Whether a clock takes this segment.
    ///
    /// # Errors
    /// A scale of 0, one of too many digits for its curve, more rest than a microsecond is worth.
    pub fn check(&self) -> Result<(), ClockError> {
        let Self { epoch, num, den, rest, .. } = *self;
        if num == 0 || den == 0 {
            return Err(ClockError::BadScale { epoch, num, den });
        }
        let (units, slope) = self.units_and_slope();
        if self.curve.is_some() && (num.max(den) > CURVED_RATE_MAX / units.max(slope)) {
            return Err(ClockError::TooFine { epoch });
        }
        if rest >= den.saturating_mul(slope) {
            return Err(ClockError::BadRest { epoch, rest });
        }
        Ok(())
    }

    /// The scale, also while paused. None if no [`Scale`] names this rate: a segment of our own
    /// making always has one.
    pub fn scale(&self) -> Option<Scale> {
        Scale::from_rate(self.num, self.den)
    }

    /// Real seconds in a game hour, also while paused, where the curve leaves them as they are.
    pub fn real_seconds_per_game_hour(&self) -> f64 {
        self.den as f64 * 3600.0 / self.num as f64
    }

    /// The game time at a wall time by this segment alone; its anchor before its beginning.
    pub fn game_at(&self, wall: WallTime) -> GameTime {
        if self.paused || wall <= self.anchor_wall {
            return self.anchor_game;
        }
        let elapsed = wall.0.abs_diff(self.anchor_wall.0);
        if self.curve.is_none()
            && let Some(product) = elapsed.checked_mul(self.num)
            && let Some(sum) = product.checked_add(self.rest)
        {
            return GameTime(self.anchor_game.0.saturating_add_unsigned(sum / self.den));
        }
        self.reached(elapsed).0
    }

    /// The first wall time at which this segment alone shows `game` or later; its beginning for
    /// what lies before the anchor. None if it is paused or the wall clock ends before.
    pub fn wall_at(&self, game: GameTime) -> Option<WallTime> {
        if self.paused {
            return None;
        }
        let ahead = (self.effort_at(game) - self.effort_at(self.anchor_game)).max(0);
        // Beyond 128 bits the wall clock has ended long before.
        let wanted = ahead.saturating_mul(i128::from(self.den)) - i128::from(self.rest);
        let speed = i128::from(self.num) * i128::from(self.units_and_slope().0);
        let (whole, part) = (wanted.max(0) / speed, wanted.max(0) % speed);
        let elapsed = whole + i128::from(part > 0);
        i64::try_from(i128::from(self.anchor_wall.0).saturating_add(elapsed)).ok().map(WallTime)
    }

    /// Where this segment stands at a wall time: the game time, and what is left beyond it as
    /// [`Self::rest`] of a segment of that scale and curve. Between equal ones nothing is lost.
    pub(super) fn stand(&self, wall: WallTime, next: &Self) -> (GameTime, u64) {
        let (game, rest) = if self.paused || wall <= self.anchor_wall {
            (self.anchor_game, self.rest)
        } else {
            self.reached(wall.0.abs_diff(self.anchor_wall.0))
        };
        let worth = |segment: &Self| {
            let slope = segment.curve.map_or(1, |curve| curve.slope_at(game));
            u128::from(slope) * u128::from(segment.den)
        };
        let (ours, theirs) = (worth(self), worth(next));
        if ours == theirs {
            return (game, rest);
        }
        let scaled = u128::from(rest).checked_mul(theirs).map_or(0, |product| product / ours);
        (game, u64::try_from(scaled).unwrap_or(0))
    }

    /// The game time after some wall time, and what is left beyond it.
    fn reached(&self, elapsed: u64) -> (GameTime, u64) {
        let speed = u128::from(self.num) * u128::from(self.units_and_slope().0);
        let sum = u128::from(elapsed).saturating_mul(speed).saturating_add(self.rest.into());
        let den = u128::from(self.den);
        let effort = i128::try_from(sum / den).unwrap_or(i128::MAX);
        let part = (sum % den) as u64;
        let Some(curve) = self.curve else {
            return (
                GameTime::clamped(i128::from(self.anchor_game.0).saturating_add(effort)),
                part,
            );
        };
        let effort = curve.effort_at(self.anchor_game).saturating_add(effort);
        let game = curve.game_at(effort);
        // Less than the slope, and its product with `den` fits: see `check`.
        let over = u64::try_from(effort - curve.effort_at(game)).unwrap_or(0);
        (game, over.saturating_mul(self.den).saturating_add(part))
    }

    fn effort_at(&self, game: GameTime) -> i128 {
        self.curve.map_or(i128::from(game.0), |curve| curve.effort_at(game))
    }

    /// Effort of a game microsecond at the clock's own scale, and the most that one may take.
    fn units_and_slope(&self) -> (u64, u64) {
        self.curve.map_or((1, 1), |curve| {
            let most = curve.pieces().iter().map(|piece| piece.slope).max();
            (curve.units(), most.unwrap_or(1))
        })
    }
}
