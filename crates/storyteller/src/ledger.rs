//! The chronicle as a state machine: observations in, entries and steps of arcs out. A pure
//! function: the same observations give the same entries, in whatever order they come.
//!
//! Entries of single events are written at once. What depends on order, the arcs, waits: an
//! observation is applied once an event came that is later by the grace of the rules. Until then
//! those of other services may come; they are put in order by the time of their events. What comes
//! later than that joins the end, in the order of arrival. What was applied is remembered by id,
//! so that a repeated delivery changes nothing.
//!
//! Not here: storing (`store`), publishing (`publish`).

mod arc;
mod news;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ids::Ids;
use crate::observe::Observation;
use crate::rules::Rules;
use steps::Steps;
use worldbus_events::EventId;
use worldbus_world::World;

pub(crate) use arc::ArcState;
pub(crate) use news::{Advance, Entry, News, Publication};

/// Observations that were applied and are remembered; the oldest are forgotten.
pub(crate) const DONE_COUNT_MAX: usize = 16_384;
/// Observations that wait for those before them; beyond them the first is applied at once.
pub(crate) const WAITING_COUNT_MAX: usize = 16_384;
/// Arcs that are open at a time; beyond them none begins.
pub(crate) const OPEN_COUNT_MAX: usize = 20_000;

/// Where an observation stands: wall time of its event, the event, which of the event's it is.
pub(crate) type Order = (i64, u128, u32);

/// What a ledger is restored from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Saved {
    /// Arcs that are open.
    pub(crate) arcs: Vec<ArcState>,
    /// Observations that wait.
    pub(crate) waiting: Vec<Observation>,
    /// The latest that were applied.
    pub(crate) done: Vec<Order>,
}

/// What has to be stored, as a whole or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// What is to be published, in order.
    pub(crate) news: Vec<News>,
    /// Arcs as they are now.
    pub(crate) arcs: Vec<ArcState>,
    /// Observations that wait from now on.
    pub(crate) waiting: Vec<Observation>,
    /// Those that were applied.
    pub(crate) done: Vec<Order>,
    /// Those that are forgotten.
    pub(crate) forgotten: Vec<Order>,
}

/// The chronicle of one world.
#[derive(Debug)]
pub(crate) struct Ledger {
    rules: Arc<Rules>,
    world: Arc<World>,
    ids: Ids,
    steps: Steps,
    waiting: BTreeMap<Order, Observation>,
    done: BTreeSet<Order>,
    /// The latest wall time of an event.
    newest_ms: i64,
    /// The last that was applied.
    applied: Option<Order>,
}

impl Changes {
    /// Nothing has to be stored.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether what the ledger remembers changes, not only what was written.
    pub(crate) fn is_of_ledger(&self) -> bool {
        !(self.arcs.is_empty() && self.waiting.is_empty() && self.done.is_empty())
    }
}

impl Ledger {
    /// A ledger with what was saved.
    pub(crate) fn new(rules: Arc<Rules>, world: Arc<World>, saved: Saved) -> Self {
        let ids = Ids::new(&world.id, rules.version);
        let steps = Steps::new(Arc::clone(&rules), Arc::clone(&world), ids.clone(), saved.arcs);
        let waiting = saved.waiting.into_iter().map(|waits| (order(&waits), waits)).collect();
        let done: BTreeSet<Order> = saved.done.into_iter().collect();
        let applied = done.last().copied();
        Self { rules, world, ids, steps, waiting, done, newest_ms: i64::MIN, applied }
    }

    /// Takes what events mean, and that an event of the time `passed_ms` has come, whatever it was.
    pub(crate) fn take(
        &mut self,
        observations: Vec<Observation>,
        passed_ms: Option<i64>,
    ) -> Changes {
        let mut changes = Changes::default();
        for observation in observations {
            let entries = entries(&observation, &self.rules, &self.world, &self.ids);
            changes.news.extend(entries.into_iter().map(News::Entry));
            self.newest_ms = self.newest_ms.max(observation.wall_ms);
            if self.steps.is_for(&observation) && !self.is_known(&order(&observation)) {
                changes.waiting.push(observation.clone());
                self.waiting.insert(order(&observation), observation);
            }
        }
        self.newest_ms = self.newest_ms.max(passed_ms.unwrap_or(i64::MIN));
        self.drain(&mut changes);
        changes
    }

    /// Whether an observation waits or was applied, or is older than what is remembered.
    fn is_known(&self, order: &Order) -> bool {
        let is_forgotten = self.done.len() >= DONE_COUNT_MAX
            && self.done.first().is_some_and(|oldest| order < oldest);
        is_forgotten || self.done.contains(order) || self.waiting.contains_key(order)
    }

    /// Applies what has waited long enough, in order.
    fn drain(&mut self, changes: &mut Changes) {
        let until = self.newest_ms.saturating_sub(self.rules.grace_ms);
        while let Some(first) = self.waiting.first_entry() {
            let is_due = first.key().0 <= until;
            if !is_due && self.waiting.len() <= WAITING_COUNT_MAX {
                break;
            }
            let Some((order, observation)) = self.waiting.pop_first() else { break };
            if self.applied.is_some_and(|applied| order < applied) {
                metrics::counter!("worldbus_chronicle_late_events_total").increment(1);
            }
            self.applied = self.applied.max(Some(order));
            self.remember(order, changes);
            self.steps.apply(&observation, changes);
        }
        // The same waited and was applied within this call.
        let done: BTreeSet<Order> = changes.done.iter().copied().collect();
        changes.waiting.retain(|waits| !done.contains(&order(waits)));
    }

    fn remember(&mut self, order: Order, changes: &mut Changes) {
        self.done.insert(order);
        changes.done.push(order);
        if self.done.len() > DONE_COUNT_MAX {
            changes.forgotten.extend(self.done.pop_first());
        }
    }
}

fn order(observation: &Observation) -> Order {
    (observation.wall_ms, observation.event, observation.index)
}

/// The entries that rules make of one observation alone.
fn entries(observation: &Observation, rules: &Rules, world: &World, ids: &Ids) -> Vec<Entry> {
    let fitting = rules.entries.iter().enumerate().filter(|(_, rule)| {
        rule.on == observation.on && rule.when.iter().all(|when| when.holds(observation))
    });
    let entry = |(rank, rule): (usize, &crate::rules::Rule)| {
        let id = ids.entry(observation.event, observation.index, rank);
        Entry {
            id,
            game_us: observation.game_us,
            region: observation.region.clone(),
            significance: rule.prose.significance.of(observation),
            text: rule.prose.text(observation, &rules.phrases, world, id.to_u128()),
            arc: None,
            rule: rule.id.clone(),
            causes: EventId::from_u128(observation.event).into_iter().collect(),
            wall_ms: observation.wall_ms,
        }
    };
    fitting.map(entry).collect()
}
