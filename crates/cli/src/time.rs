//! The verbs of game time, through the time-manager.

pub(crate) mod schedule;
