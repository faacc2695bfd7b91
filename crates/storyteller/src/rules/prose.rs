//! What is written, and how much it matters. Not here: when.

use crate::grammar::{Chance, Phrases, Scope, Template};
use worldbus_world::World;

/// The most that anything matters: the talk of the year.
pub(crate) const SIGNIFICANCE_MAX: i64 = 1000;

/// Several ways to write one thing.
#[derive(Clone, Debug)]
pub(crate) struct Prose {
    /// How much it matters.
    pub(crate) significance: Significance,
    /// At least one.
    pub(crate) texts: Vec<Template>,
}

/// A base and what is added for measures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Significance {
    /// 0 to 1000.
    pub(crate) base: i64,
    /// What is added.
    pub(crate) terms: Vec<Term>,
}

/// So much for each `per` of a field above `above`, up to `max`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    /// A number.
    pub(crate) of: String,
    /// From where it counts.
    pub(crate) above: i64,
    /// For each so many, above 0.
    pub(crate) per: i64,
    /// So much.
    pub(crate) add: i64,
    /// The most that it adds.
    pub(crate) max: i64,
}

impl Significance {
    /// 0 to 1000.
    pub(crate) fn of(&self, scope: &dyn Scope) -> u16 {
        let term = |term: &Term| {
            let value = scope.value(&term.of).and_then(|value| value.number()).unwrap_or(0);
            let over = value.saturating_sub(term.above).max(0);
            (over / term.per).saturating_mul(term.add).min(term.max)
        };
        let sum = self.terms.iter().map(term).fold(self.base, i64::saturating_add);
        u16::try_from(sum.clamp(0, SIGNIFICANCE_MAX)).unwrap_or(0)
    }
}

impl Prose {
    /// One of the texts, by a seed and what names the entry.
    pub(crate) fn text(
        &self,
        scope: &dyn Scope,
        phrases: &Phrases,
        world: &World,
        entry: u128,
    ) -> String {
        let mut chance = Chance::new(world.seed, entry);
        match self.texts.get(chance.below(self.texts.len())) {
            Some(template) => template.render(scope, phrases, world, &mut chance),
            None => String::new(),
        }
    }
}
