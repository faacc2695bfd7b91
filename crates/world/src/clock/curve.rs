//! A clock that runs faster in some parts of the day than in others, exactly: between wall time and
//! game time stands *effort*, which grows evenly with wall time, and by a whole number, its slope,
//! with each game microsecond. So both directions are integer arithmetic and nothing accumulates.
//! Not here: which parts a day has (`speeds`), how effort follows from wall time (`segment`).

use serde::{Deserialize, Serialize};

use crate::time::GameTime;

/// Parts of a cycle.
pub const PIECE_COUNT_MAX: usize = 4;
/// The finest unit of effort; larger ones are refused, so that no product overflows 128 bits.
const UNITS_MAX: u64 = 1_000_000;
/// As long as a day may be: 1,000 hours.
const CYCLE_US_MAX: i64 = 1_000 * GameTime::HOUR_US;

/// How the speed of a clock follows the game time: pieces of a cycle, each with a slope. The slope
/// of a piece that runs at the clock's own scale is [`Curve::units`]; half of it is twice as fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct Curve {
    cycle_us: i64,
    offset_us: i64,
    units: u64,
    /// The first `count` count.
    pieces: [Piece; PIECE_COUNT_MAX],
    count: usize,
    /// Effort of a whole cycle.
    effort: i128,
}

/// A piece of a [`Curve`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// Where in the cycle it begins, in game microseconds.
    pub start_us: i64,
    /// Effort of one of its game microseconds. Above 0.
    pub slope: u64,
}

/// Why there is no such curve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("curve: expected {expected}")]
pub struct CurveError {
    /// What a curve must be.
    pub expected: &'static str,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    cycle_us: i64,
    offset_us: i64,
    units: u64,
    pieces: Vec<Piece>,
}

impl Curve {
    /// A curve whose cycle begins at each game time that, with the offset, is a multiple of it.
    ///
    /// # Errors
    /// Not 1 to 4 pieces in order from 0, a slope of 0, or one that is too fine.
    pub fn new(
        cycle_us: i64,
        offset_us: i64,
        units: u64,
        pieces: &[Piece],
    ) -> Result<Self, CurveError> {
        let is = |ok: bool, expected| if ok { Ok(()) } else { Err(CurveError { expected }) };
        is((1..=CYCLE_US_MAX).contains(&cycle_us), "a cycle of up to 1000 hours")?;
        is((0..cycle_us).contains(&offset_us), "an offset within the cycle")?;
        is((1..=UNITS_MAX).contains(&units), "up to 1000000 units")?;
        is((1..=PIECE_COUNT_MAX).contains(&pieces.len()), "1 to 4 pieces")?;
        is(pieces[0].start_us == 0, "a first piece at 0")?;
        let rising = pieces.windows(2).all(|two| two[0].start_us < two[1].start_us);
        let within = pieces.iter().all(|piece| piece.start_us < cycle_us);
        is(rising && within, "pieces in order, within the cycle")?;
        let fine = |piece: &Piece| (1..=UNITS_MAX).contains(&piece.slope);
        is(pieces.iter().all(fine), "slopes from 1 to 1000000")?;
        let mut kept = [Piece::default(); PIECE_COUNT_MAX];
        kept[..pieces.len()].copy_from_slice(pieces);
        let count = pieces.len();
        let mut curve = Self { cycle_us, offset_us, units, pieces: kept, count, effort: 0 };
        curve.effort = curve.within(cycle_us);
        Ok(curve)
    }

    /// The length of the cycle, in game microseconds.
    pub fn cycle_us(&self) -> i64 {
        self.cycle_us
    }

    /// Game time 0 is this far into a cycle, in game microseconds.
    pub fn offset_us(&self) -> i64 {
        self.offset_us
    }

    /// Effort of a game microsecond at the clock's own scale.
    pub fn units(&self) -> u64 {
        self.units
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces[..self.count]
    }

    /// Real seconds that a whole cycle takes over those at the clock's own scale.
    pub fn stretch(&self) -> f64 {
        self.effort as f64 / (self.cycle_us as f64 * self.units as f64)
    }

    /// Effort from the beginning of the cycle of game time 0 to a game time.
    pub(super) fn effort_at(&self, game: GameTime) -> i128 {
        let at = i128::from(game.0) + i128::from(self.offset_us);
        let cycle = i128::from(self.cycle_us);
        at.div_euclid(cycle) * self.effort + self.within(at.rem_euclid(cycle) as i64)
    }

    /// The latest game time that an effort reaches; clamped to what an `i64` holds.
    pub(super) fn game_at(&self, effort: i128) -> GameTime {
        let (cycles, mut left) = (effort.div_euclid(self.effort), effort.rem_euclid(self.effort));
        let mut at = 0;
        for (index, piece) in self.pieces().iter().enumerate() {
            let length = i128::from(self.end_of(index) - piece.start_us);
            let slope = i128::from(piece.slope);
            let passed = (left / slope).min(length);
            at += passed;
            left -= passed * slope;
            if passed < length {
                break;
            }
        }
        let game = cycles.saturating_mul(i128::from(self.cycle_us)).saturating_add(at);
        GameTime::clamped(game.saturating_sub(i128::from(self.offset_us)))
    }

    /// Effort of the game microsecond that follows a game time.
    pub(super) fn slope_at(&self, game: GameTime) -> u64 {
        let at = i128::from(game.0) + i128::from(self.offset_us);
        let at = at.rem_euclid(i128::from(self.cycle_us)) as i64;
        let piece = self.pieces().iter().rfind(|piece| piece.start_us <= at);
        piece.map_or(self.units, |piece| piece.slope)
    }

    fn within(&self, at_us: i64) -> i128 {
        let pieces = self.pieces().iter().enumerate();
        let part = |(index, piece): (usize, &Piece)| {
            let length = at_us.min(self.end_of(index)) - piece.start_us;
            i128::from(length.max(0)) * i128::from(piece.slope)
        };
        pieces.map(part).sum()
    }

    fn end_of(&self, index: usize) -> i64 {
        self.pieces().get(index + 1).map_or(self.cycle_us, |next| next.start_us)
    }
}

impl TryFrom<Form> for Curve {
    type Error = CurveError;

    fn try_from(form: Form) -> Result<Self, CurveError> {
        Self::new(form.cycle_us, form.offset_us, form.units, &form.pieces)
    }
}

impl From<Curve> for Form {
    fn from(curve: Curve) -> Self {
        let Curve { cycle_us, offset_us, units, .. } = curve;
        Self { cycle_us, offset_us, units, pieces: curve.pieces().to_vec() }
    }
}
