//! The rules of the chronicle as data: which event becomes an entry, how much it matters, in which
//! words; and which stories run over several events. Not here: applying them (`ledger`).

mod arcs;
mod condition;
mod plan;
mod prose;
mod read;
#[cfg(test)]
mod tests;

use crate::grammar::Phrases;
use worldbus_world::{World, WorldFileError};

pub(crate) use arcs::{ArcRule, Per, Stage, Step};
pub(crate) use condition::Condition;
pub(crate) use plan::{Incident, IncidentCommand, Plan};
pub(crate) use prose::Prose;

/// The rules that are built in.
pub(crate) const BUILT_IN: &str = include_str!("../../../worlds/chronicle.toml");
/// The name of their file, for errors.
pub(crate) const BUILT_IN_NAME: &str = "worlds/chronicle.toml";
/// Bytes of a file of rules.
pub(crate) const FILE_BYTES_MAX: u64 = 1 << 20;
/// Rules that a file may have: their rank is part of the ids of entries.
pub(crate) const RULE_COUNT_MAX: usize = 200;
/// Kinds of arcs that a file may have.
pub(crate) const ARC_COUNT_MAX: usize = 50;

/// All rules of a chronicle.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// Changes with the file: part of the ids of entries.
    pub(crate) version: u64,
    /// How long an event waits for those that came before it: wall time.
    pub(crate) grace_ms: i64,
    /// Choices that templates share.
    pub(crate) phrases: Phrases,
    /// What becomes of single events.
    pub(crate) entries: Vec<Rule>,
    /// Stories over several events.
    pub(crate) arcs: Vec<ArcRule>,
    /// How the director works.
    pub(crate) director: Plan,
}

/// What becomes of an event.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// Its name: what an entry states as its rule.
    pub(crate) id: String,
    /// The event type.
    pub(crate) on: String,
    /// All must hold.
    pub(crate) when: Vec<Condition>,
    /// What is written.
    pub(crate) prose: Prose,
}

impl Rules {
    /// The rules that are built in.
    ///
    /// # Panics
    /// Never: a test reads them.
    #[expect(clippy::expect_used, reason = "a test reads what is built in")]
    pub(crate) fn built_in() -> Self {
        Self::parse(BUILT_IN_NAME, BUILT_IN).expect("the built-in rules are valid")
    }

    /// The rules of a file's text; `file` is its name for errors.
    ///
    /// # Errors
    /// The first mistake: file, line, key, what was expected and what was found.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, WorldFileError> {
        read::rules(file, text)
    }

    /// What an arc is called.
    pub(crate) fn title(&self, kind: &str, region: Option<&str>, world: &World) -> Option<String> {
        let arc = self.arcs.iter().find(|arc| arc.kind == kind)?;
        Some(arc.title_of(region, &self.phrases, world))
    }
}
