//! Deleting topics and subscriptions. Their numbers stay: what was deleted keeps its record under a
//! name that is reserved. So deleting is one small commit, and the batches of a topic go in the
//! steps of retention. The number of a subscription is used again, that of a topic is not.

use std::sync::Arc;

use super::{Writer, retention};
use crate::dead_letters::replay;
use crate::format::codec::Kind as RecordKind;
use crate::subscription::runtime::Live;
use crate::subscription::state::Subscription;
use crate::write::plan::Staged;
use crate::write::queue::Deletion;
use worldbus_bus::{Error, Kind, SubscriptionName, Topic, counted};

/// What a deletion commits.
struct Deleted {
    /// Numbers of topics.
    topics: Vec<u32>,
    /// Numbers of dead letters.
    dead: Vec<u64>,
    /// A subscription whose number is free from then on.
    freed: Option<u32>,
    /// Subscriptions as they are from then on, by number.
    subscriptions: Vec<(u32, Subscription)>,
}

impl Writer {
    /// Deletes it, durably when this returns.
    pub(super) fn delete(&mut self, deletion: &Deletion) -> Result<(), Error> {
        if let Some(error) = self.shared.failed() {
            return Err(error);
        }
        match deletion {
            Deletion::Topic { name, force } => self.delete_topic(name, *force),
            Deletion::Subscription { name, force } => self.delete_subscription(name, *force),
        }
    }

    fn delete_topic(&mut self, name: &Topic, force: bool) -> Result<(), Error> {
        let number = self.ledger.number(name).ok_or_else(|| missing("topic", name))?;
        // What is replayed of it goes with it.
        let mut topics = self.topics_named(|name| replay::origin(name) == Some(number));
        topics.push(number);
        let bound = self.bound(&topics);
        let dead = self.ledger.dead_numbers(|key| topics.contains(&key.topic));
        let head = &self.ledger.heads[number as usize];
        let batches = head.next_offset - head.first_offset;

        let kept = (self.shared.options.topics_kept)().contains(name);
        if kept && !bound.is_empty() {
            let context = format!(
                "topic {name} is of the catalogue and bound to {}; delete what is bound first",
                names(&bound)
            );
            return Err(Error::refused(Kind::InUse, context));
        }
        let lossless = batches == 0 && dead.is_empty() && bound.is_empty();
        if !force && !lossless {
            let to = if bound.is_empty() { "no subscription".to_owned() } else { names(&bound) };
            let (batches, letters) = (counted(batches, "batch", "batches"), letters(dead.len()));
            let what =
                format!("topic {name}: {batches} and {letters} would be lost; bound to {to}");
            return Err(Error::refused(Kind::InUse, what));
        }
        let unbound = |live: &Arc<Live>| {
            let mut subscription = live.lock().subscription.clone();
            topics.iter().for_each(|topic| subscription.unbind(*topic));
            (live.id, subscription)
        };
        let subscriptions = bound.iter().map(unbound).collect();
        let freed = None;
        let deleted = Deleted { topics: topics.clone(), dead, freed, subscriptions };
        // Before the topics have other names: no consumer sees those.
        self.commit_deletion(&deleted, || {
            for live in &bound {
                let subscription = &mut live.lock().subscription;
                topics.iter().for_each(|topic| subscription.unbind(*topic));
            }
        })?;
        self.shared.wake();
        let topic = name.as_str().to_owned();
        // Not shown any more.
        metrics::gauge!("worldbus_unread_retention_used_ratio", "topic" => topic).set(f64::NAN);
        tracing::info!(topic = %name, batches, "topic deleted");
        Ok(())
    }

    fn delete_subscription(&mut self, name: &SubscriptionName, force: bool) -> Result<(), Error> {
        let live = self.shared.subscriptions().get(name).cloned();
        let live = live.ok_or_else(|| missing("subscription", name))?;
        let consumers = live.consumers();
        if consumers > 0 {
            let consumers = counted(consumers, "consumer", "consumers");
            let context = format!("subscription {name} has {consumers}; stop all first");
            return Err(Error::refused(Kind::InUse, context));
        }
        let dead = self.ledger.dead_numbers(|key| key.subscription == live.id);
        let batches = self.shared.lag(&live);
        if !force && (batches > 0 || !dead.is_empty()) {
            let batches = counted(batches, "unread batch", "unread batches");
            let letters = letters(dead.len());
            let context = format!("subscription {name}: {batches} and {letters} would be lost");
            return Err(Error::refused(Kind::InUse, context));
        }
        let free = Subscription::new(replay::deleted_subscription(live.id)?);
        let deleted = Deleted {
            topics: self.topics_named(|name| replay::is_for(name, live.id)),
            dead,
            freed: Some(live.id),
            subscriptions: vec![(live.id, free)],
        };
        self.commit_deletion(&deleted, || live.delete())?;
        self.shared.subscriptions().remove(name);
        self.ledger.free_subscriptions.push(live.id);
        tracing::info!(subscription = %name, batches, "subscription deleted");
        Ok(())
    }

    /// Numbers of the topics whose names `which` admits.
    fn topics_named(&self, which: impl Fn(&Topic) -> bool) -> Vec<u32> {
        let heads = self.ledger.heads.iter().zip(0..);
        heads.filter(|(head, _)| which(&head.name)).map(|(_, number)| number).collect()
    }

    /// The subscriptions that are bound to one of these topics, by name.
    fn bound(&self, topics: &[u32]) -> Vec<Arc<Live>> {
        let mut all: Vec<_> = self.shared.subscriptions().values().cloned().collect();
        all.retain(|live| {
            let cursors = &live.lock().subscription.cursors;
            topics.iter().any(|topic| cursors.contains_key(topic))
        });
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// One commit: its topics get reserved names, its dead letters go. `apply` takes it from
    /// consumers, once it is durable and before any of it is seen.
    fn commit_deletion(&mut self, deleted: &Deleted, apply: impl FnOnce()) -> Result<(), Error> {
        let shared = Arc::clone(&self.shared);
        let mut staged = Staged::new(&self.ledger, &shared.options, shared.now_ms());
        for &topic in &deleted.topics {
            staged.rename(topic, replay::deleted_topic(topic)?);
        }
        for &number in &deleted.dead {
            staged.remove_dead(number);
        }
        let (mut changes, mut finished) = staged.finish();
        let now_ms = shared.steady_ms();
        changes.records.extend(deleted.subscriptions.iter().map(|(id, subscription)| {
            let record = subscription.encode(*id, now_ms);
            (RecordKind::Subscription, u64::from(*id), record.into())
        }));
        // Without what is deleted: whoever gets its number is not idle.
        let mut idle = shared.idle();
        idle.topics.retain(|topic, _| !deleted.topics.contains(topic));
        idle.subscriptions.retain(|&id, _| deleted.freed != Some(id));
        changes.records.push(self.retention.save(&shared, &idle));
        retention::trim_dead(&self.ledger, &shared.options, &mut changes, &mut finished);
        let appended = self.commit(&changes)?;
        apply();
        self.committed(finished);
        self.fold.push(appended, changes);
        shared.topic_uses().retain(|topic, _| !deleted.topics.contains(topic));
        Ok(())
    }
}

fn missing(what: &str, name: &impl std::fmt::Display) -> Error {
    Error::refused(Kind::NotFound, format!("{what} {name} does not exist"))
}

fn letters(count: usize) -> String {
    counted(count, "dead letter", "dead letters")
}

fn names(bound: &[Arc<Live>]) -> String {
    let names: Vec<_> = bound.iter().map(|live| live.name.as_str()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests;
