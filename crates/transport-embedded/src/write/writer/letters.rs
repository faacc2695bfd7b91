//! Dead letters that are replayed or discarded: one commit takes them out of where they are and
//! gives them back to their subscription.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cursors::Bindings;
use crate::shared::Shared;
use crate::subscription::runtime::Live;
use crate::write::plan::Staged;
use crate::write::queue::{Letter, TakeOut};
use worldbus_bus::{Error, Kind};

/// What was taken out, once the commit has succeeded.
pub(super) struct TakenOut {
    live: Arc<Live>,
    /// Topics of what was replayed, and where that begins.
    topics: Vec<(u32, u64)>,
    missing: Vec<u64>,
}

impl TakenOut {
    pub(super) fn stage(
        take_out: TakeOut,
        staged: &mut Staged<'_>,
        bindings: &mut Bindings<'_>,
    ) -> Result<Self, Error> {
        let TakeOut { live, letters, replay } = take_out;
        // First what may be refused.
        if live.is_deleted() {
            let context = format!("subscription {} was deleted", live.name);
            return Err(Error::refused(Kind::NotFound, context));
        }
        let mut topics = BTreeMap::new();
        // What was deleted while this was on its way has no letters, and gets no topic.
        let there = |letter: &&Letter| {
            replay && staged.has_dead(letter.number) && !staged.is_deleted(letter.topic)
        };
        let replayed: Vec<u32> = letters.iter().filter(there).map(|letter| letter.topic).collect();
        for topic in replayed {
            let number = staged.replays(topic, live.id)?;
            let next = staged.head(number).map_or(0, |head| head.next_offset);
            topics.insert(topic, (number, next));
        }
        let bound: Vec<_> = topics.values().copied().collect();
        bindings.add(staged, &live.name, &bound)?;
        let mut missing = Vec::new();
        for letter in letters {
            if !staged.remove_dead(letter.number) {
                missing.push(letter.number);
            } else if let Some(&(number, _)) = topics.get(&letter.topic) {
                staged.append(number, letter.batch);
            }
        }
        Ok(Self { live, topics: bound, missing })
    }

    /// Lets the subscription have what is its own again; the numbers that were not there.
    pub(super) fn apply(self, shared: &Shared) -> Vec<u64> {
        self.live.lock().subscription.add(&self.topics);
        shared.changed(&self.live);
        self.missing
    }
}
