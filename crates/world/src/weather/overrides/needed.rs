//! Which overrides the weather from an instant on follows from: those that are not over, and what a
//! lock among them holds, which was in force when it began. Not here: who forgets the others.

use std::collections::BTreeSet;

use super::{Kind, Override, Overrides};
use crate::time::GameTime;

/// What is to be kept for the weather from an instant on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// Revisions of records.
    pub revs: BTreeSet<u64>,
    /// Lifts that were over by then do not matter.
    pub since: GameTime,
}

impl Overrides {
    /// What the weather at `time` and later follows from.
    pub fn needed_from(&self, time: GameTime) -> Needed {
        let open = self.records().iter().filter(|record| !record.over(time));
        let mut needed = Needed { revs: open.map(|record| record.rev).collect(), since: time };
        // What a lock holds may be a lock in turn, which began before it: so the last ones first,
        // and each is looked at once.
        let mut locks: Vec<&Override> =
            self.records().iter().filter(|record| record.kind == Kind::Lock).collect();
        locks.sort_by_key(|lock| (lock.start, lock.rev));
        for lock in locks.into_iter().rev() {
            if needed.revs.contains(&lock.rev) && lock.start < time {
                needed.since = needed.since.min(lock.start);
                let held = self.records().iter().filter(|record| lock.may_hold(record));
                needed.revs.extend(held.map(|record| record.rev));
            }
        }
        needed
    }
}

impl Override {
    /// Whether a record may have been in force in a region of this lock when it began.
    fn may_hold(&self, record: &Self) -> bool {
        let is_shared = self.regions.is_empty()
            || record.regions.is_empty()
            || self.regions.iter().any(|region| record.regions.contains(region));
        is_shared && record.start <= self.start && !record.over(self.start)
    }
}
