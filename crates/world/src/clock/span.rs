//! What a segment contributes to an interval of wall time: its beginning and its boundaries.
//! Not here: what is published at a boundary, and when (the services).

use super::Segment;
use crate::time::{GameTime, WallTime};

/// The part of a segment that an interval of wall time sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The segment.
    pub segment: Segment,
    /// The segment begins inside the interval.
    pub starts: bool,
    /// Where the segment before it stood at that beginning: the game time before the jump, equal
    /// to the anchor if there was none, also where the segment continues. None if no segment before
    /// is known: the world began.
    pub before: Option<GameTime>,
    /// First game time covered.
    pub from: GameTime,
    /// First game time that is no longer covered.
    pub to: GameTime,
}

/// A numbered instant of game time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boundary {
    /// Game time divided by the step: the count of steps since the world's epoch.
    pub number: i64,
    /// The instant.
    pub game: GameTime,
    /// Its nominal wall time: the first at which the segment shows it.
    pub wall: WallTime,
    /// The segment's epoch.
    pub epoch: u32,
}

/// The boundaries of a [`Span`], in order. Random access is free, so skipping is cheap.
#[derive(Clone, Debug)]
pub struct Boundaries {
    segment: Segment,
    step_us: i64,
    next: i64,
    end: i64,
}

impl Span {
    pub(super) fn of(
        segment: Segment,
        before: Option<Segment>,
        end: WallTime,
        after: WallTime,
        until: WallTime,
    ) -> Option<Self> {
        let anchor = segment.anchor_wall;
        if until < anchor || end < after || end < anchor {
            return None;
        }
        let starts = after < anchor;
        // A boundary's wall time lies in (after, until] exactly when its game time lies in
        // (game_at(after), game_at(until)].
        let first = if starts { segment.anchor_game } else { segment.game_at(after).plus_us(1) };
        let seen = segment.game_at(until).plus_us(1);
        let end = match end {
            WallTime(i64::MAX) => GameTime(i64::MAX),
            end => segment.game_at(end),
        };
        let to = if segment.paused { first } else { seen.min(end).max(first) };
        let before = match segment.continues {
            Some(_) => Some(segment.anchor_game),
            None => before.map(|b| b.game_at(anchor)),
        };
        (starts || first < to).then_some(Self { segment, starts, before, from: first, to })
    }

    /// The multiples of `step_us` in this span; none for a step of 0 or less.
    pub fn boundaries(&self, step_us: i64) -> Boundaries {
        let (next, end) = if step_us > 0 {
            (div_ceil(self.from.0, step_us), div_ceil(self.to.0, step_us))
        } else {
            (0, 0)
        };
        Boundaries { segment: self.segment, step_us: step_us.max(1), next, end }
    }
}

impl Boundaries {
    /// Leaves out all but the last `count` boundaries; returns how many were left out.
    pub fn keep_last(&mut self, count: u32) -> u64 {
        let skipped = self.remaining().saturating_sub(u64::from(count));
        self.next = self.next.saturating_add_unsigned(skipped);
        skipped
    }

    /// How many boundaries are left.
    pub fn remaining(&self) -> u64 {
        u64::try_from(i128::from(self.end) - i128::from(self.next)).unwrap_or(0)
    }
}

impl Iterator for Boundaries {
    type Item = Boundary;

    fn next(&mut self) -> Option<Boundary> {
        if self.next >= self.end {
            return None;
        }
        let number = self.next;
        let game = GameTime(number.checked_mul(self.step_us)?);
        let wall = self.segment.wall_at(game)?;
        self.next += 1;
        Some(Boundary { number, game, wall, epoch: self.segment.epoch })
    }
}

fn div_ceil(value: i64, step: i64) -> i64 {
    value.div_euclid(step) + i64::from(value.rem_euclid(step) != 0)
}
