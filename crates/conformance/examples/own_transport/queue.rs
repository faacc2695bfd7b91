//! What one subscription has to deliver, what is under lease, and what was set aside.

use std::collections::BTreeMap;

use tokio::time::Instant;

use worldbus_bus::limits::check_dead_events;
use worldbus_bus::{
    DeadContent, DeadEvent, DeadLetter, Error, Filter, Kind, Lease, Outcome, SubscriptionSpec,
    Topic,
};
use worldbus_events::Batch;

pub(crate) struct Queue {
    topics: Vec<Topic>,
    filter: Filter,
    next: u64,
    consumers: u64,
    entries: BTreeMap<u64, Entry>,
    /// Each with its event as a batch.
    dead: Vec<(DeadLetter, Batch)>,
}

struct Entry {
    topic: Topic,
    batch: Batch,
    /// Deliveries so far.
    attempts: u32,
    /// When it comes next: after its delay, or when its lease ends.
    due: Instant,
    /// Who has it under lease.
    holder: Option<u64>,
}

/// A delivery.
pub(crate) struct Taken {
    pub(crate) topic: Topic,
    pub(crate) batch: Batch,
    pub(crate) number: u64,
    pub(crate) attempt: u32,
}

impl Queue {
    pub(crate) fn new(spec: &SubscriptionSpec) -> Self {
        let (topics, filter) = (spec.topics.clone(), spec.filter.clone());
        Self { topics, filter, next: 0, consumers: 0, entries: BTreeMap::new(), dead: Vec::new() }
    }

    /// Topics and filter are those of the last opening.
    pub(crate) fn bind(&mut self, spec: &SubscriptionSpec) {
        (self.topics, self.filter) = (spec.topics.clone(), spec.filter.clone());
    }

    pub(crate) fn next_consumer(&mut self) -> u64 {
        self.consumers += 1;
        self.consumers
    }

    pub(crate) fn dead_letters(&self) -> impl DoubleEndedIterator<Item = &DeadLetter> {
        self.dead.iter().map(|(letter, _)| letter)
    }

    pub(crate) fn push(&mut self, topic: &Topic, batch: &Batch) {
        if self.topics.contains(topic) && self.filter.admits(batch) {
            let (topic, batch, due) = (topic.clone(), batch.clone(), Instant::now());
            let entry = Entry { topic, batch, attempts: 0, due, holder: None };
            self.entries.insert(self.next, entry);
            self.next += 1;
        }
    }

    /// Takes out the dead letters of these ids, to be delivered again if they are to be replayed.
    /// The ids that were not there.
    pub(crate) fn take_out(&mut self, ids: &[String], replay: bool) -> Vec<String> {
        let mut missing = ids.to_vec();
        for (letter, batch) in std::mem::take(&mut self.dead) {
            let Some(index) = missing.iter().position(|id| *id == letter.id) else {
                self.dead.push((letter, batch));
                continue;
            };
            missing.swap_remove(index);
            if replay {
                self.push(letter.topic.as_ref().unwrap(), &batch);
            }
        }
        missing
    }

    /// Gives the first batch that is due to a consumer.
    pub(crate) fn take(&mut self, spec: &SubscriptionSpec, consumer: u64) -> Option<Taken> {
        let now = Instant::now();
        let held = |entry: &&Entry| entry.holder == Some(consumer) && entry.due > now;
        if self.entries.values().filter(held).count() >= spec.in_flight_max as usize {
            return None;
        }
        let mut due = self.entries.iter_mut().filter(|(_, entry)| entry.due <= now);
        let (&number, entry) = due.next()?;
        if entry.attempts >= spec.attempts_max {
            self.exhaust(spec, number);
            return None;
        }
        entry.attempts += 1;
        (entry.due, entry.holder) = (now + spec.lease, Some(consumer));
        let (topic, batch) = (entry.topic.clone(), entry.batch.clone());
        Some(Taken { topic, batch, number, attempt: entry.attempts })
    }

    pub(crate) fn settle(
        &mut self,
        spec: &SubscriptionSpec,
        lease: &Lease,
        outcome: Outcome,
    ) -> Result<(), Error> {
        let now = Instant::now();
        let entry = self.held(lease)?;
        match outcome {
            Outcome::Extend => entry.due = now + spec.lease,
            Outcome::Nack(delay) if lease.attempt < spec.attempts_max => {
                (entry.due, entry.holder) = (now + delay, None);
            }
            Outcome::Nack(_) => self.exhaust(spec, lease.offset),
            Outcome::Release => {
                (entry.due, entry.holder) = (now, None);
                entry.attempts -= 1;
            }
            Outcome::Ack => drop(self.entries.remove(&lease.offset)),
        }
        Ok(())
    }

    pub(crate) fn set_aside(
        &mut self,
        spec: &SubscriptionSpec,
        lease: &Lease,
        events: Vec<DeadEvent>,
    ) -> Result<(), Error> {
        let batch = self.held(lease)?.batch.clone();
        let events = check_dead_events(events, batch.len())?;
        let wanted: Vec<u32> = events.iter().map(|event| event.index).collect();
        let ones = batch.singles(|view| wanted.contains(&view.index));
        for (event, one) in events.into_iter().zip(ones) {
            let id = format!("{}-{}-{}", spec.name, lease.offset, event.index);
            if self.dead_letters().any(|letter| letter.id == id) {
                continue;
            }
            let letter = DeadLetter {
                id,
                subscription: spec.name.clone(),
                topic: Some(lease.topic.clone()),
                offset: None,
                consumer: spec.consumer.clone(),
                event,
                content: DeadContent::Event(one.iter().next().unwrap().to_game_event()),
            };
            self.dead.push((letter, one));
        }
        Ok(())
    }

    /// Sets all of a batch aside that was delivered too often.
    fn exhaust(&mut self, spec: &SubscriptionSpec, number: u64) {
        let Some(entry) = self.entries.get_mut(&number) else { return };
        entry.due = Instant::now() + spec.lease;
        let (subscription, topic) = (spec.name.clone(), entry.topic.clone());
        let lease = Lease { subscription, topic, offset: number, attempt: entry.attempts };
        let event = |index| DeadEvent {
            index,
            reason: format!("delivered {} times and not settled", entry.attempts),
            attempts: entry.attempts,
            first_failed_ms: 0,
            last_failed_ms: 0,
        };
        let events: Vec<_> = (0..entry.batch.len() as u32).map(event).collect();
        self.set_aside(spec, &lease, events).unwrap();
        self.entries.remove(&number);
    }

    /// A delivery that is under lease. One whose lease ended is its holder's no more.
    fn held(&mut self, lease: &Lease) -> Result<&mut Entry, Error> {
        let held = self.entries.get_mut(&lease.offset).filter(|entry| {
            entry.attempts == lease.attempt && entry.holder.is_some() && entry.due > Instant::now()
        });
        held.ok_or_else(|| {
            let context = format!("delivery {} is not yours any more", lease.offset);
            Error::refused(Kind::LeaseLost, context)
        })
    }
}
