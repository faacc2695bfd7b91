//! The overrides of a region by when they are in force there, sorted, so that a look costs what is
//! in force at its instant, and not what ever was. Not here: what they do (`layers`).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Kind, Override};
use crate::time::GameTime;

/// Stretches that are kept of all regions together; beyond them it begins again.
const KEPT_COUNT_MAX: usize = 1 << 18;

/// The overrides that concern a region.
#[derive(Debug, Default)]
pub(in super::super) struct Spans {
    /// Places of the records, bottom first.
    order: Vec<usize>,
    has_locks: bool,
    /// Sorted, each once.
    edges: Vec<GameTime>,
    /// By start.
    stretches: Vec<Stretch>,
}

/// For which an override is in force.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: GameTime,
    to: GameTime,
    /// Place in the order.
    rank: usize,
    /// The latest end of this one and those before it.
    reach: GameTime,
}

impl Spans {
    fn new(records: &[Override], region: &str) -> Self {
        let mut order: Vec<usize> =
            (0..records.len()).filter(|at| records[*at].concerns(region)).collect();
        order.sort_by_key(|at| (records[*at].priority, records[*at].rev));
        let layers = || order.iter().map(|at| &records[*at]);
        let mut edges: Vec<GameTime> = layers().flat_map(Override::edges).collect();
        edges.sort_unstable();
        edges.dedup();
        let of = |(rank, record): (usize, &Override)| {
            let stretches = stretches(record, region).into_iter();
            stretches.map(move |(from, to)| Stretch { from, to, rank, reach: to })
        };
        let mut stretches: Vec<Stretch> = layers().enumerate().flat_map(of).collect();
        stretches.sort_by_key(|stretch| (stretch.from, stretch.rank));
        let mut reach = GameTime(i64::MIN);
        for stretch in &mut stretches {
            reach = reach.max(stretch.to);
            stretch.reach = reach;
        }
        let has_locks = layers().any(|record| record.kind == Kind::Lock);
        Self { order, has_locks, edges, stretches }
    }

    pub(in super::super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Whether one of them looks at other instants than that of a look.
    pub(in super::super) fn has_locks(&self) -> bool {
        self.has_locks
    }

    /// All of them, bottom first.
    pub(in super::super) fn all<'a>(&self, records: &'a [Override]) -> Vec<&'a Override> {
        self.order.iter().map(|at| &records[*at]).collect()
    }

    /// Those in force at an instant, bottom first.
    pub(in super::super) fn in_force<'a>(
        &self,
        records: &'a [Override],
        time: GameTime,
    ) -> Vec<&'a Override> {
        let begun = self.stretches.partition_point(|stretch| stretch.from <= time);
        let reaching = self.stretches[..begun].iter().rev().take_while(|s| time < s.reach);
        let mut ranks: Vec<usize> =
            reaching.inspect(|_| count_look()).filter(|s| time < s.to).map(|s| s.rank).collect();
        ranks.sort_unstable();
        ranks.into_iter().map(|rank| &records[self.order[rank]]).collect()
    }

    /// The first edge after an instant.
    pub(in super::super) fn edge_after(&self, time: GameTime) -> Option<GameTime> {
        self.edges.get(self.edges.partition_point(|edge| *edge <= time)).copied()
    }

    /// The last edge at an instant or before.
    pub(in super::super) fn edge_until(&self, time: GameTime) -> Option<GameTime> {
        self.edges[..self.edges.partition_point(|edge| *edge <= time)].last().copied()
    }
}

/// When a record is in force in a region that it concerns, in order.
fn stretches(record: &Override, region: &str) -> Vec<(GameTime, GameTime)> {
    const NEVER: GameTime = GameTime(i64::MAX);
    let here = |regions: &[String]| regions.is_empty() || regions.iter().any(|id| id == region);
    let mut lifts: Vec<(GameTime, GameTime)> = record
        .lifted
        .iter()
        .filter(|lift| here(&lift.regions))
        .map(|lift| (lift.from, lift.to.unwrap_or(NEVER)))
        .filter(|(lifted, back)| lifted < back)
        .collect();
    lifts.sort_unstable();
    let (mut from, end) = (record.start, record.end.unwrap_or(NEVER));
    let mut found = Vec::new();
    for (lifted, back) in lifts {
        if from < lifted.min(end) {
            found.push((from, lifted.min(end)));
        }
        from = from.max(back);
    }
    if from < end {
        found.push((from, end));
    }
    found
}

/// The spans of the regions that were looked at; a copy begins empty, and so it is after a change.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Regions>);

#[derive(Debug, Default)]
struct Regions {
    /// All that records and lifts name; the others are alike.
    named: Option<HashSet<String>>,
    by_region: HashMap<String, Arc<Spans>>,
    stretch_count: usize,
}

impl Clone for Kept {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Kept {
    /// Those of a region.
    pub(super) fn of(&self, records: &[Override], region: &str) -> Arc<Spans> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let named = kept.named.get_or_insert_with(|| named(records));
        let key = if named.contains(region) { region } else { "" };
        if let Some(spans) = kept.by_region.get(key) {
            return Arc::clone(spans);
        }
        let spans = Arc::new(Spans::new(records, region));
        kept.stretch_count += spans.stretches.len();
        if kept.stretch_count > KEPT_COUNT_MAX {
            kept.by_region.clear();
            kept.stretch_count = spans.stretches.len();
        }
        kept.by_region.insert(key.to_owned(), Arc::clone(&spans));
        spans
    }

    pub(super) fn forget(&mut self) {
        let kept = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        if kept.named.is_some() {
            *kept = Regions::default();
        }
    }
}

fn named(records: &[Override]) -> HashSet<String> {
    let of_lifts = records.iter().flat_map(|record| &record.lifted).flat_map(|lift| &lift.regions);
    records.iter().flat_map(|record| &record.regions).chain(of_lifts).cloned().collect()
}

/// Counts work, for tests.
#[cfg(not(test))]
pub(in super::super) fn count_look() {}

#[cfg(test)]
thread_local! {
    /// Stretches that this thread has looked at, and locks that it followed.
    pub(in super::super) static LOOKS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
pub(in super::super) fn count_look() {
    LOOKS.with(|looks| looks.set(looks.get() + 1));
}
