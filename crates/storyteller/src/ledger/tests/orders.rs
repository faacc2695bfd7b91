//! Whatever the order in which events of a story are delivered, how often, and where the process
//! restarts: the same entries and steps, under the same ids.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::kit::{Script, ledger, restored};
use crate::ledger::{ArcState, Changes, News, Order, Saved, order};
use crate::observe::Observation;
use worldbus_events::v1::{Severity, WeatherState};

/// A store as a fold of the changes.
#[derive(Clone, Default)]
struct Kept {
    arcs: BTreeMap<String, ArcState>,
    waiting: BTreeMap<Order, Observation>,
    done: BTreeSet<Order>,
    news: BTreeMap<u128, News>,
    count: usize,
}

impl Kept {
    fn keep(&mut self, changes: Changes) {
        for arc in changes.arcs {
            self.arcs.insert(arc.id.clone(), arc);
        }
        for waits in changes.waiting {
            self.waiting.insert(order(&waits), waits);
        }
        for done in changes.done {
            self.waiting.remove(&done);
            self.done.insert(done);
        }
        for forgotten in changes.forgotten {
            self.done.remove(&forgotten);
        }
        for news in changes.news {
            let id = match &news {
                News::Entry(entry) => entry.id,
                News::Advance(advance) => advance.id,
            };
            let known = self.news.insert(id.to_u128(), news.clone());
            assert!(known.is_none_or(|known| known == news), "one id, two contents: {news:?}");
            self.count += 1;
        }
    }

    fn saved(&self) -> Saved {
        Saved {
            arcs: self.arcs.values().filter(|arc| !arc.ended).cloned().collect(),
            waiting: self.waiting.values().cloned().collect(),
            done: self.done.iter().copied().collect(),
        }
    }
}

fn script(seeds: &[(u8, u8, u16)]) -> Script {
    use WeatherState::{Clear, HeavyRain, Rain, Snow, Storm};

    let mut script = Script::default();
    let mut day = 1.0;
    for (what, region, later) in seeds {
        day += f64::from(*later) / 2_000.0;
        let region = ["brussels", "paris"][usize::from(*region) % 2];
        match what % 9 {
            0 => script.changed(day, region, Clear, Rain),
            1 => script.changed(day, region, HeavyRain, Storm),
            2 => script.changed(day, region, Storm, Clear),
            3 => script.severe(day, region, Storm, Severity::Warning, 220),
            4 => script.alert_ended(day, region, false),
            5 => script.changed(day, region, Clear, Snow),
            6 => script.ruler(day, region, ["a", "b"][usize::from(*later % 2)]),
            7 => script.feast(day as i32, "Feast"),
            _ => script.hour(day),
        }
    }
    script.hour(day + 400.0);
    // A feast begins at midnight.
    script.observed.sort_by_key(|observed| observed[0].wall_ms);
    script
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_order_of_delivery_with_restarts_and_repeats_gives_the_same(
        seeds in prop::collection::vec((0..9_u8, 0..2_u8, 0..200_u16), 1..60),
        delays in prop::collection::vec(0..5_000_i64, 61),
        restarts in prop::collection::btree_set(0..61_usize, 0..4),
        repeats in prop::collection::btree_set(0..61_usize, 0..6),
        together in 1..8_usize,
    ) {
        let script = script(&seeds);
        let mut expected = Kept::default();
        let mut reference = ledger();
        for observed in &script.observed {
            expected.keep(reference.take(observed.clone(), None));
        }
        let end = script.observed[script.observed.len() - 1].clone();
        expected.keep(reference.take(Vec::new(), Some(end[0].wall_ms)));
        expected.keep(reference.take(end.clone(), None));
        expected.keep(reference.take(Vec::new(), Some(i64::MAX / 2)));

        // Each event is delivered less than the grace after its time.
        let mut delivered: Vec<_> = script.observed.iter().enumerate().collect();
        delivered.sort_by_key(|(index, observed)| observed[0].wall_ms + delays[*index]);
        let mut kept = Kept::default();
        let mut other = ledger();
        // Some of them together, and the same twice, also together.
        for (number, batch) in delivered.chunks(together).enumerate() {
            let all = batch.iter().flat_map(|(_, observed)| (*observed).clone());
            let mut all: Vec<_> = all.collect();
            if repeats.contains(&number) {
                all.extend(batch[0].1.clone());
            }
            kept.keep(other.take(all.clone(), None));
            if repeats.contains(&(number + 1)) {
                kept.keep(other.take(all, None));
            }
            if restarts.contains(&number) {
                // What was done before the crash and not stored is delivered again.
                let before = kept.saved();
                let _lost = other.take(delivered[(number + 1) % delivered.len()].1.clone(), None);
                other = restored(before);
            }
        }
        kept.keep(other.take(Vec::new(), Some(end[0].wall_ms)));
        kept.keep(other.take(end, None));
        kept.keep(other.take(Vec::new(), Some(i64::MAX / 2)));
        prop_assert_eq!(&kept.news, &expected.news);
    }
}
