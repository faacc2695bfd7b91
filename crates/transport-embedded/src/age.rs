//! How old batches are: by the time that the log was open since their append, and by nothing
//! else. A wall clock that jumps makes nothing old; while no process has the log open, nothing
//! ages.
//!
//! Instead of a time per batch there are marks: at such an age of the log, such a commit
//! group was the next. What is of a group before a mark is at least as old as the mark.

use std::collections::VecDeque;

use crate::format::codec::{Kind, Put, unseal};
use crate::usage::Idle;

/// Marks within the shorter of the ages that are asked for: how exact an age is.
const MARKS_IN_AGE: i64 = 64;
/// The shortest time between two marks.
const INTERVAL_MS_MIN: i64 = 1_000;
/// Marks that are kept; beyond them older ones are thinned out, which makes nothing older.
const MARKS_MAX: usize = 1024;
/// The age of the log is written at least this often while anything else is: so much of it is
/// lost to a kill at the most.
const SAVE_MS: i64 = 60_000;

/// The age of a log, and when which batches came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ages {
    /// How long the log was open before this process had it.
    before_ms: i64,
    /// When this process opened it, in steady time.
    opened_ms: i64,
    marks: VecDeque<Mark>,
    /// The age that was written last.
    saved_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    age_ms: i64,
    /// Groups below it came before.
    group: u64,
}

impl Ages {
    /// Of a log without a record of its age: what it holds is as if appended now.
    pub(crate) fn new(next_group: u64, now_ms: i64) -> Self {
        let marks = VecDeque::from([Mark { age_ms: 0, group: next_group }]);
        Self { before_ms: 0, opened_ms: now_ms, marks, saved_ms: i64::MIN }
    }

    fn age_ms(&self, now_ms: i64) -> i64 {
        self.before_ms.saturating_add(now_ms.saturating_sub(self.opened_ms).max(0))
    }

    /// Sets a mark if it is time for one, and forgets those that are not needed for ages between
    /// these two; whether one was set.
    pub(crate) fn mark(&mut self, now_ms: i64, next_group: u64, shorter: i64, longer: i64) -> bool {
        let age_ms = self.age_ms(now_ms);
        let interval_ms = (shorter / MARKS_IN_AGE).max(INTERVAL_MS_MIN);
        let last = self.marks.back().map(|mark| mark.age_ms);
        if last.is_some_and(|last| age_ms.saturating_sub(last) < interval_ms) {
            return false;
        }
        // Of those that are older than both ages the newest is enough.
        while self.marks.get(1).is_some_and(|second| age_ms - second.age_ms >= longer) {
            self.marks.pop_front();
        }
        if self.marks.len() == MARKS_MAX {
            self.marks.remove(1);
        }
        self.marks.push_back(Mark { age_ms, group: next_group });
        true
    }

    /// Groups below this one are at least so old.
    pub(crate) fn older_than(&self, now_ms: i64, age_ms: i64) -> u64 {
        let until = self.age_ms(now_ms).saturating_sub(age_ms);
        let mark = self.marks.iter().rfind(|mark| mark.age_ms <= until);
        mark.map_or(0, |mark| mark.group)
    }

    /// At least how old a group is; 0 if that is not known.
    pub(crate) fn age_of(&self, now_ms: i64, group: u64) -> i64 {
        let after = self.marks.iter().find(|mark| mark.group > group);
        after.map_or(0, |mark| self.age_ms(now_ms).saturating_sub(mark.age_ms))
    }

    /// Whether it is to be written with what is written anyhow.
    pub(crate) fn is_due(&self, now_ms: i64) -> bool {
        self.age_ms(now_ms).saturating_sub(self.saved_ms) >= SAVE_MS
    }

    /// Whether it is to be written though nothing else is, for ages as short as this one.
    pub(crate) fn is_overdue(&self, now_ms: i64, shortest: i64) -> bool {
        let unsaved_ms = self.age_ms(now_ms).saturating_sub(self.saved_ms);
        unsaved_ms >= (shortest / MARKS_IN_AGE).max(SAVE_MS)
    }

    /// The record of it and of what is idle, which the caller writes.
    ///
    /// ```text
    /// saved_ms i64 │ marks u32 │ { age_ms i64 │ group u64 } × marks │ idle (see `Idle::encode`)
    /// ```
    pub(crate) fn save(&mut self, now_ms: i64, idle: &Idle) -> (Kind, u64, Vec<u8>) {
        self.saved_ms = self.age_ms(now_ms);
        let mut put = Put::default().i64(self.saved_ms).u32(self.marks.len() as u32);
        for mark in &self.marks {
            put = put.i64(mark.age_ms).u64(mark.group);
        }
        (Kind::Ages, 0, idle.encode(put).seal(Kind::Ages, 0))
    }

    /// Reads what [`Ages::save`] made; this process opened the log now.
    pub(crate) fn decode(sealed: &[u8], now_ms: i64) -> Option<(Self, Idle)> {
        let mut take = unseal(Kind::Ages, 0, sealed)?;
        let before_ms = take.i64()?;
        let mut marks = VecDeque::new();
        for _ in 0..take.u32()? {
            marks.push_back(Mark { age_ms: take.i64()?, group: take.u64()? });
        }
        let idle = Idle::decode(&mut take)?;
        Some((Self { before_ms, opened_ms: now_ms, marks, saved_ms: before_ms }, idle))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600 * 1000;

    #[test]
    fn batches_age_by_the_time_that_the_log_was_open() {
        let mut ages = Ages::new(0, 5);
        for day in 0..10 {
            ages.mark(5 + day * DAY, day as u64 * 100, DAY, 7 * DAY);
        }
        let now = 5 + 9 * DAY;
        assert_eq!(ages.older_than(now, 7 * DAY), 200);
        assert_eq!(ages.older_than(now + DAY / 2, 7 * DAY), 200);
        assert_eq!(ages.older_than(now, 30 * DAY), 0);
        assert_eq!((ages.age_of(now, 199), ages.age_of(now, 900)), (7 * DAY, 0));
        let (_, _, sealed) = ages.save(now, &Idle::default());
        let (again, _) = Ages::decode(&sealed, 1_000_000).unwrap();
        assert_eq!(again.older_than(1_000_000, 7 * DAY), 200, "nothing ages while it is closed");
        assert_eq!(again.older_than(1_000_000 + DAY, 7 * DAY), 300);
    }

    #[test]
    fn marks_are_bounded_and_thinning_them_out_makes_nothing_older() {
        let mut ages = Ages::new(0, 0);
        for second in 0..5_000 {
            ages.mark(second * 1_000, second as u64, 0, i64::MAX);
        }
        assert_eq!(ages.marks.len(), MARKS_MAX);
        let now = 4_999_000;
        for age in [0, 1_000, 500_000, 4_000_000, 4_999_000] {
            assert!(ages.older_than(now, age) <= ((now - age) / 1_000) as u64);
        }
        assert_eq!(ages.older_than(now, 500_000), 4_499);
    }
}
