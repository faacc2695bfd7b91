//! The overrides of a world with the wall times at which commands take effect, so that what is
//! forced is known as of any wall time. Whoever has it, and the clock, computes the weather that
//! the weather-manager does. Not here: how commands are taken, kept and announced.

use std::collections::BTreeSet;

use super::{Lift, Override, Overrides};
use crate::time::WallTime;

/// When a command takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The command's revision.
    pub rev: u64,
    /// From then on what it did counts.
    pub wall: WallTime,
    /// The revision that it undid, if it is an undo.
    pub undone: Option<u64>,
}

/// Overrides, and when what commands did to them takes effect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// The latest command's revision, 0 before the first.
    pub rev: u64,
    /// The highest revision of commands that are not listed any more.
    pub forgotten_rev: u64,
    /// Commands by revision. One that is not listed has taken effect.
    pub commands: Vec<Effective>,
    /// By all commands, also those that have not taken effect yet.
    pub overrides: Overrides,
}

impl Timeline {
    /// What is forced, as of a wall time: by the commands that took effect until then.
    pub fn overrides(&self, at: WallTime) -> Overrides {
        let later = || self.commands.iter().filter(|command| command.wall > at);
        let not_yet: BTreeSet<u64> = later().map(|command| command.rev).collect();
        if not_yet.is_empty() {
            return self.overrides.clone();
        }
        let undone_later: BTreeSet<u64> = later().filter_map(|command| command.undone).collect();
        let mut overrides = Overrides::default();
        for record in self.overrides.records().iter().filter(|r| !not_yet.contains(&r.rev)) {
            let lifts = record.lifted.iter().filter(|lift| !not_yet.contains(&lift.rev)).cloned();
            let lifts = lifts.map(|lift| match undone_later.contains(&lift.rev) {
                true => Lift { to: None, ..lift },
                false => lift,
            });
            overrides.push(Override { lifted: lifts.collect(), ..record.clone() });
        }
        overrides
    }

    /// The revision in force at a wall time: part of the identity of events.
    pub fn rev_at(&self, at: WallTime) -> u64 {
        let last = self.commands.iter().rfind(|command| command.wall <= at);
        last.map_or(0, |command| command.rev).max(self.forgotten_rev)
    }
}
