//! A world's clock: an ordered list of segments, each a straight line from wall time to game time.
//! Nothing accumulates, so nothing drifts. Not here: reading the wall clock, dates, timers.

mod curve;
mod resume;
mod scale;
mod segment;
mod span;
mod speeds;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::time::{GameTime, WallTime};

pub use curve::{Curve, CurveError, PIECE_COUNT_MAX, Piece};
pub use scale::{Scale, ScaleError};
pub use segment::Segment;
pub use span::{Boundaries, Boundary, Span};
pub use speeds::{PhaseSpeeds, SpeedError};

/// A clock keeps this many of its latest segments; enough for any catch-up that services allow.
pub const SEGMENT_COUNT_MAX: usize = 64;

/// What a command does to a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Run on at the scale that was kept.
    Start,
    /// Stand still, and keep the scale for the next start.
    Pause,
    /// Jump to a game time.
    Set(GameTime),
    /// Jump by microseconds of game time.
    Skip(i64),
    /// Run at another scale; a paused clock stays paused and keeps the scale for its start.
    Scale(Scale),
    /// Run at another scale, and faster or slower by a curve, or evenly.
    Curve(Scale, Option<Curve>),
}

/// Why a segment is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// A numerator or denominator of 0.
    #[error("segment {epoch} has the scale {num}/{den}: expected both parts above 0")]
    BadScale {
        /// The segment's epoch.
        epoch: u32,
        /// Its numerator.
        num: u64,
        /// Its denominator.
        den: u64,
    },
    /// A scale of too many digits for a curve.
    #[error("segment {epoch} has a scale of too many digits for phase speeds: expected fewer")]
    TooFine {
        /// The segment's epoch.
        epoch: u32,
    },
    /// More beyond the anchor than a microsecond is worth.
    #[error("segment {epoch} has the rest {rest}: expected less than a microsecond is worth")]
    BadRest {
        /// The segment's epoch.
        epoch: u32,
        /// Its rest.
        rest: u64,
    },
    /// A clock needs a segment.
    #[error("a clock needs at least one segment")]
    Empty,
}

/// The segments of a world's clock by epoch, at least one, at most [`SEGMENT_COUNT_MAX`]. Of those
/// that have begun the newest is in force; so one that begins before an older one replaces it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Segment>", into = "Vec<Segment>")]
pub struct Clock {
    segments: Vec<Segment>,
}

impl Clock {
    /// A new world's clock: it runs at `scale` from `game` on, which is at `wall`.
    pub fn new(scale: Scale, wall: WallTime, game: GameTime) -> Self {
        Self { segments: vec![Segment::first(scale, wall, game)] }
    }

    /// A clock of segments as kept in a state store, in any order; one of each epoch.
    ///
    /// # Errors
    /// See [`ClockError`].
    pub fn from_segments(segments: impl IntoIterator<Item = Segment>) -> Result<Self, ClockError> {
        let mut all = segments.into_iter();
        let first = all.next().ok_or(ClockError::Empty)?;
        first.check()?;
        let mut clock = Self { segments: vec![first] };
        for segment in all {
            clock.insert(segment)?;
        }
        Ok(clock)
    }

    /// The segments, oldest first.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The newest segment; it may begin in the future.
    pub fn last(&self) -> &Segment {
        &self.segments[self.segments.len() - 1]
    }

    /// The segment in force at a wall time; the oldest one before its own beginning.
    pub fn segment_at(&self, wall: WallTime) -> &Segment {
        &self.segments[self.index_at(wall)]
    }

    /// The game time at a wall time. Before the oldest segment it is that segment's beginning.
    pub fn game_at(&self, wall: WallTime) -> GameTime {
        self.segment_at(wall).game_at(wall)
    }

    /// The segment that a command makes at `effective`, or when the newest segment begins if that
    /// is later. It is not inserted. Services take an `effective` after every instant for which
    /// they have published boundaries.
    ///
    /// Nothing is lost over pauses and skips, however many; a change of scale or curve rounds
    /// down by less than a microsecond.
    pub fn change(&self, change: Change, effective: WallTime) -> Segment {
        let last = self.last();
        let wall = effective.max(last.anchor_wall);
        let mut next = Segment {
            epoch: last.epoch.wrapping_add(1),
            anchor_wall: wall,
            rev: last.rev + 1,
            continues: None,
            ..*last
        };
        match change {
            Change::Start => next.paused = false,
            Change::Pause => next.paused = true,
            Change::Scale(scale) => (next.num, next.den) = scale.rate(),
            Change::Curve(scale, curve) => {
                ((next.num, next.den), next.curve) = (scale.rate(), curve);
            }
            Change::Set(_) | Change::Skip(_) => {}
        }
        (next.anchor_game, next.rest) = last.stand(wall, &next);
        match change {
            Change::Set(game) => (next.anchor_game, next.rest) = (game, 0),
            // Where it lands a microsecond may be worth less.
            Change::Skip(us) if next.curve.is_some() => {
                (next.anchor_game, next.rest) = (next.anchor_game.plus_us(us), 0);
            }
            Change::Skip(us) => next.anchor_game = next.anchor_game.plus_us(us),
            _ => {}
        }
        next
    }

    /// Takes a segment in, in order of its epoch; one of a known epoch replaces it if its
    /// revision is higher. Beyond [`SEGMENT_COUNT_MAX`] the oldest falls out, which also means
    /// that a segment older than all of a full clock is not taken. True if the clock changed.
    ///
    /// # Errors
    /// See [`ClockError`]: the clock stays as it was.
    pub fn insert(&mut self, segment: Segment) -> Result<bool, ClockError> {
        segment.check()?;
        let (at, known) = match self.segments.binary_search_by_key(&segment.epoch, |s| s.epoch) {
            Ok(at) => (at, true),
            Err(at) => (at, false),
        };
        if known && self.segments[at].rev >= segment.rev {
            return Ok(false);
        }
        if known {
            self.segments[at] = segment;
            return Ok(true);
        }
        if self.segments.len() == SEGMENT_COUNT_MAX {
            if at == 0 {
                return Ok(false);
            }
            self.segments.insert(at, segment);
            self.segments.remove(0);
        } else {
            self.segments.insert(at, segment);
        }
        Ok(true)
    }

    /// What the clock covers in the wall interval (`after`, `until`], segment by segment.
    ///
    /// A boundary belongs to the segment that covers its *game time*, so consecutive intervals
    /// yield each boundary exactly once over pauses and changes of scale.
    pub fn spans(&self, after: WallTime, until: WallTime) -> impl Iterator<Item = Span> + '_ {
        let ends = self.ends();
        (0..self.segments.len()).filter_map(move |i| {
            let before = i.checked_sub(1).map(|p| self.segments[p]);
            Span::of(self.segments[i], before, ends[i], after, until)
        })
    }

    /// The multiples of `step_us` of game time that the clock passes in (`after`, `until`].
    pub fn boundaries(
        &self,
        after: WallTime,
        until: WallTime,
        step_us: i64,
    ) -> impl Iterator<Item = Boundary> + '_ {
        self.spans(after, until).flat_map(move |span| span.boundaries(step_us))
    }

    /// The next multiple of `step_us` that the clock passes after a wall time, by the segments
    /// known now. None where it stands still for good: wait for the next segment.
    pub fn next_boundary(&self, after: WallTime, step_us: i64) -> Option<Boundary> {
        self.boundaries(after, WallTime(i64::MAX), step_us).next()
    }

    fn index_at(&self, wall: WallTime) -> usize {
        self.segments.iter().rposition(|s| s.anchor_wall <= wall).unwrap_or(0)
    }

    /// Where each segment ends: where the first of those behind it begins.
    fn ends(&self) -> [WallTime; SEGMENT_COUNT_MAX] {
        let mut ends = [WallTime(i64::MAX); SEGMENT_COUNT_MAX];
        let mut end = WallTime(i64::MAX);
        for (index, segment) in self.segments.iter().enumerate().rev() {
            ends[index] = end;
            end = end.min(segment.anchor_wall);
        }
        ends
    }
}

impl TryFrom<Vec<Segment>> for Clock {
    type Error = ClockError;

    fn try_from(segments: Vec<Segment>) -> Result<Self, ClockError> {
        Self::from_segments(segments)
    }
}

impl From<Clock> for Vec<Segment> {
    fn from(clock: Clock) -> Self {
        clock.segments
    }
}
