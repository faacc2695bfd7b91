//! Putting a commit group together: places and numbers for what is published, duplicates left
//! out. Pure: nothing that is known changes before the commit has succeeded.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use crate::dead_letters::replay;
use crate::format::codec::Kind as RecordKind;
use crate::format::group::{self, Record, Section};
use crate::format::record::{Dead, DeadKey, Head, Tally};
use crate::journal::{Changes, NewGroup};
use crate::options::Options;
use crate::read::tail::Stored;
use crate::store::DeadPlace;
use crate::store::open::remember;
use worldbus_bus::{Appended, Error, Kind, SeenWindow, Topic};
use worldbus_events::Batch;

/// What the writer knows of the committed log.
pub(crate) struct Ledger {
    pub(crate) tally: Tally,
    pub(crate) heads: Vec<Head>,
    numbers: HashMap<Topic, u32>,
    seen: SeenWindow,
    /// From `tally.dead_first` on.
    dead: VecDeque<DeadPlace>,
    /// Those of `dead` that were not taken away.
    dead_count: u64,
    dead_keys: HashSet<DeadKey>,
    /// Numbers of subscriptions that were deleted, for new ones.
    pub(crate) free_subscriptions: Vec<u32>,
}

impl Ledger {
    pub(crate) fn new(
        tally: Tally,
        heads: Vec<Head>,
        seen: SeenWindow,
        dead: VecDeque<DeadPlace>,
        free_subscriptions: Vec<u32>,
    ) -> Self {
        let names = heads.iter().enumerate().filter(|(_, head)| !replay::is_deleted(&head.name));
        let numbers = names.map(|(number, head)| (head.name.clone(), number as u32)).collect();
        let dead_keys = dead.iter().map(|place| place.key).collect();
        let dead_count = dead.iter().filter(|place| !place.removed).count() as u64;
        Self { tally, heads, numbers, seen, dead, dead_count, dead_keys, free_subscriptions }
    }

    /// Takes over what was committed.
    pub(crate) fn apply(&mut self, staged: &Finished) {
        for (&number, head) in &staged.heads {
            match self.heads.get_mut(number as usize) {
                Some(known) => {
                    if known.name != head.name {
                        self.numbers.remove(&known.name);
                    }
                    known.clone_from(head);
                }
                None => {
                    self.numbers.insert(head.name.clone(), number);
                    self.heads.push(head.clone());
                }
            }
        }
        for stored in &staged.stored {
            remember(&mut self.seen, &stored.batch);
        }
        let removed = staged.tally.dead_first.saturating_sub(self.tally.dead_first);
        for &place in &staged.dead {
            self.dead.push_back(place);
            self.dead_count += 1;
            self.dead_keys.insert(place.key);
        }
        for &number in &staged.dead_removed {
            if let Some(place) = self.dead.get_mut((number - self.tally.dead_first) as usize) {
                self.dead_count -= u64::from(!place.removed);
                (place.removed, place.bytes) = (true, Dead::REMOVED_BYTES as u32);
            }
        }
        for place in self.dead.drain(..(removed as usize).min(self.dead.len())) {
            self.dead_count -= u64::from(!place.removed);
            self.dead_keys.remove(&place.key);
        }
        self.free_subscriptions.clone_from(&staged.free_subscriptions);
        self.tally = staged.tally.clone();
    }

    /// Dead letters that are there.
    pub(crate) fn dead_count(&self) -> u64 {
        self.dead_count
    }

    /// The number of a topic.
    pub(crate) fn number(&self, name: &Topic) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// The numbers of the dead letters that `which` admits.
    pub(crate) fn dead_numbers(&self, which: impl Fn(&DeadKey) -> bool) -> Vec<u64> {
        let places = self.dead.iter().zip(self.tally.dead_first..);
        let found = places.filter(|(place, _)| !place.removed && which(&place.key));
        found.map(|(_, number)| number).collect()
    }

    /// The numbers of the subscriptions that have dead letters.
    pub(crate) fn dead_subscriptions(&self) -> HashSet<u32> {
        let there = self.dead.iter().filter(|place| !place.removed);
        there.map(|place| place.key.subscription).collect()
    }

    /// Whether there is a dead letter of this number.
    fn has_dead(&self, number: u64) -> bool {
        self.dead_place(number).is_some_and(|place| !place.removed)
    }

    /// The place of a dead letter of this number, also of one that was taken away.
    pub(crate) fn dead_place(&self, number: u64) -> Option<&DeadPlace> {
        let index = number.checked_sub(self.tally.dead_first)?;
        self.dead.get(usize::try_from(index).ok()?)
    }
}

/// What will be committed next.
pub(crate) struct Staged<'a> {
    ledger: &'a Ledger,
    options: &'a Options,
    pub(crate) tally: Tally,
    heads: BTreeMap<u32, Head>,
    numbers: HashMap<Topic, u32>,
    /// Event ids of this group.
    seen: SeenWindow,
    sections: BTreeMap<u32, Section>,
    data: Vec<u8>,
    stored: Vec<Stored>,
    events: u64,
    dead: Vec<Dead>,
    dead_keys: HashSet<DeadKey>,
    dead_removed: BTreeSet<u64>,
    free_subscriptions: Vec<u32>,
}

/// What a commit leaves to be taken over.
pub(crate) struct Finished {
    pub(crate) tally: Tally,
    pub(crate) heads: BTreeMap<u32, Head>,
    pub(crate) stored: Vec<Stored>,
    pub(crate) events: u64,
    dead: Vec<DeadPlace>,
    pub(crate) dead_removed: BTreeSet<u64>,
    free_subscriptions: Vec<u32>,
}

impl<'a> Staged<'a> {
    pub(crate) fn new(ledger: &'a Ledger, options: &'a Options, now_ms: i64) -> Self {
        let tally = ledger.tally.clone();
        Self {
            ledger,
            options,
            tally: Tally { appended_ms: tally.appended_ms.max(now_ms), closed: false, ..tally },
            heads: BTreeMap::new(),
            numbers: HashMap::new(),
            seen: SeenWindow::new(options.seen),
            sections: BTreeMap::new(),
            data: Vec::new(),
            stored: Vec::new(),
            events: 0,
            dead: Vec::new(),
            dead_keys: HashSet::new(),
            dead_removed: BTreeSet::new(),
            free_subscriptions: ledger.free_subscriptions.clone(),
        }
    }

    /// Subscriptions that exist.
    pub(crate) fn subscriptions(&self) -> usize {
        self.tally.subscriptions as usize - self.free_subscriptions.len()
    }

    /// The number of a new subscription: one that is free, unless the places of its dead letters
    /// are still known, for a new dead letter would pass for one of those.
    pub(crate) fn new_subscription(&mut self) -> u32 {
        let places = &self.ledger.dead;
        let clean = |&number: &u32| places.iter().all(|place| place.key.subscription != number);
        match self.free_subscriptions.iter().position(clean) {
            Some(index) => self.free_subscriptions.swap_remove(index),
            None => {
                self.tally.subscriptions += 1;
                self.tally.subscriptions - 1
            }
        }
    }

    /// Gives a topic that exists another name.
    pub(crate) fn rename(&mut self, number: u32, name: Topic) {
        let head = self.ledger.heads[number as usize].clone();
        self.heads.insert(number, Head { name, ..head });
    }

    /// The head of a topic, with what is staged.
    pub(crate) fn head(&self, number: u32) -> Option<&Head> {
        self.heads.get(&number).or_else(|| self.ledger.heads.get(number as usize))
    }

    /// The number of a topic, which is created if need be.
    pub(crate) fn topic(&mut self, name: &Topic) -> Result<u32, Error> {
        let known = self.ledger.numbers.get(name).or_else(|| self.numbers.get(name));
        if let Some(&number) = known {
            return Ok(number);
        }
        self.check_room(name)?;
        let number = self.tally.topics;
        self.tally.topics += 1;
        self.numbers.insert(name.clone(), number);
        self.heads.insert(number, Head::new(name.clone()));
        Ok(number)
    }

    /// Refuses a topic beyond the bound. Topics of replayed events have a bound of their own, so
    /// that replays take no place of others.
    fn check_room(&self, name: &Topic) -> Result<(), Error> {
        let (max, kept) = (self.options.topics_max, (self.options.topics_kept)());
        let replayed = replay::origin(name).is_some();
        let exists =
            |name| self.ledger.numbers.contains_key(name) || self.numbers.contains_key(name);
        let names = self.ledger.numbers.keys().chain(self.numbers.keys());
        let there = names.filter(|name| replay::origin(name).is_some() == replayed).count();
        let awaited = match replayed {
            true => 0,
            false => kept.iter().filter(|kept| !exists(kept)).count(),
        };
        if kept.contains(name) || there + awaited < max as usize {
            return Ok(());
        }
        let context = format!(
            "topic {name}: {there} topics exist and {awaited} places are kept for others, of {max} \
             at most; publish to a topic that exists"
        );
        Err(Error::refused(Kind::TooLarge, context))
    }

    /// Gives a batch its place, without the events that the log has already.
    pub(crate) fn publish(&mut self, name: &Topic, batch: Batch) -> Result<Appended, Error> {
        let (batch, duplicates) = self.without_duplicates(batch);
        let Some(batch) = batch else { return Ok(Appended { offset: None, duplicates }) };
        let number = self.topic(name)?;
        remember(&mut self.seen, &batch);
        let offset = self.append(number, batch);
        Ok(Appended { offset: Some(offset), duplicates })
    }

    /// What the log does not have of a batch, and the indexes of what it has.
    fn without_duplicates(&self, batch: Batch) -> (Option<Batch>, Vec<u32>) {
        let windows = [&self.ledger.seen, &self.seen];
        if let Some(range) = batch.consecutive_sequences() {
            let producer = batch.producer();
            let any = |seen: &&SeenWindow| seen.contains_any(producer, range.start, range.end);
            if !windows.iter().any(any) {
                return (Some(batch), Vec::new());
            }
        }
        let mut duplicates = Vec::new();
        let rest = batch.retain(|event| {
            let is_seen = windows.iter().any(|seen| seen.contains(event.id));
            if is_seen {
                duplicates.push(event.index);
            }
            !is_seen
        });
        (rest, duplicates)
    }

    /// Appends a batch to a topic that exists; its offset.
    pub(crate) fn append(&mut self, number: u32, batch: Batch) -> u64 {
        let ledger = self.ledger;
        // The topic was looked up or created just before.
        let head =
            self.heads.entry(number).or_insert_with(|| ledger.heads[number as usize].clone());
        let (offset, bytes) = (head.next_offset, batch.bytes().len() as u64);
        head.next_offset += 1;
        head.events_total += batch.len() as u64;
        head.bytes += bytes;
        let section = self.sections.entry(number).or_insert(Section {
            topic: number,
            first_offset: offset,
            batches: 0,
            bytes: 0,
        });
        section.batches += 1;
        section.bytes += bytes;
        let group = self.tally.next_group;
        let record = Record { topic: number, offset, bytes: batch.bytes() };
        group::push_record(&mut self.data, group, record);
        self.events += batch.len() as u64;
        let serial = (group, self.stored.len() as u32);
        let appended_ms = self.tally.appended_ms;
        self.stored.push(Stored { topic: number, offset, appended_ms, serial, batch });
        offset
    }

    /// Sets an event aside, once.
    pub(crate) fn dead_letter(&mut self, dead: Dead) {
        if self.is_deleted(dead.key.topic) {
            return; // Deleted while this was on its way.
        }
        if !self.ledger.dead_keys.contains(&dead.key) && self.dead_keys.insert(dead.key) {
            self.dead.push(dead);
        }
    }

    /// Whether the topic was deleted.
    pub(crate) fn is_deleted(&self, topic: u32) -> bool {
        self.head(topic).is_some_and(|head| replay::is_deleted(&head.name))
    }

    /// Whether there is a dead letter of this number, and it was not taken away in this group.
    pub(crate) fn has_dead(&self, number: u64) -> bool {
        self.ledger.has_dead(number) && !self.dead_removed.contains(&number)
    }

    /// Takes a dead letter away; whether it was there.
    pub(crate) fn remove_dead(&mut self, number: u64) -> bool {
        let place = self.ledger.dead_place(number).filter(|place| !place.removed);
        let Some(place) = place.filter(|_| self.dead_removed.insert(number)) else { return false };
        let less = (place.bytes as usize).saturating_sub(Dead::REMOVED_BYTES) as u64;
        self.tally.dead_bytes = self.tally.dead_bytes.saturating_sub(less);
        true
    }

    /// The number of the topic for what came on a topic and is replayed to a subscription.
    pub(crate) fn replays(&mut self, topic: u32, subscription: u32) -> Result<u32, Error> {
        let again = self.head(topic).is_some_and(|head| replay::origin(&head.name).is_some());
        if again { Ok(topic) } else { self.topic(&replay::name(topic, subscription)?) }
    }

    /// Events that were set aside.
    pub(crate) fn dead_count(&self) -> usize {
        self.dead.len()
    }

    /// The numbers of the topics that are published to, or bound to for the first time.
    pub(crate) fn published(&self) -> impl Iterator<Item = u32> {
        self.heads.keys().copied()
    }

    /// Whether there is nothing to commit.
    pub(crate) fn is_empty(&self) -> bool {
        self.heads.is_empty()
            && self.dead.is_empty()
            && self.dead_removed.is_empty()
            && self.tally.subscriptions == self.ledger.tally.subscriptions
    }

    /// What to write, and what to take over once that has succeeded.
    pub(crate) fn finish(mut self) -> (Changes, Finished) {
        let mut changes = Changes::default();
        if !self.stored.is_empty() {
            let id = self.tally.next_group;
            self.tally.next_group += 1;
            let (appended_ms, sections) = (self.tally.appended_ms, self.sections.values().copied());
            let head = group::Head { appended_ms, sections: sections.collect() };
            let (head, data) = (head.encode(id).into(), self.data.into());
            changes.group = Some(NewGroup { id, head, data, indexes: None });
        }
        let mut places = Vec::new();
        for dead in self.dead {
            let number = self.tally.dead_next;
            self.tally.dead_next += 1;
            let value = dead.encode(number);
            self.tally.dead_bytes += value.len() as u64;
            places.push(DeadPlace { key: dead.key, bytes: value.len() as u32, removed: false });
            changes.dead.push((number, dead.key.encode(number).into(), value.into()));
        }
        for &number in &self.dead_removed {
            let Some(place) = self.ledger.dead_place(number) else { continue };
            let (key, value) = (place.key.encode(number), Dead::removed(number));
            changes.dead.push((number, key.into(), value.into()));
        }
        for (&number, head) in &self.heads {
            let record = (RecordKind::Topic, u64::from(number), head.encode(number).into());
            changes.records.push(record);
        }
        changes.records.push((RecordKind::Tally, 0, self.tally.encode().into()));
        let Self { tally, heads, stored, events, dead_removed, free_subscriptions, .. } = self;
        let dead = places;
        let finished =
            Finished { tally, heads, stored, events, dead, dead_removed, free_subscriptions };
        (changes, finished)
    }
}
