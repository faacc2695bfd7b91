//! Subscriptions as the writer sees them: bound as part of a commit, written when they changed.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::dead_letters::replay;
use crate::format::codec::Kind as RecordKind;
use crate::shared::Shared;
use crate::subscription::runtime::Live;
use crate::subscription::state::Subscription;
use crate::usage::Use;
use crate::write::plan::Staged;
use worldbus_bus::{Error, Filter, Kind, Position, SubscriptionName, SubscriptionSpec};

/// A subscription that is bound to topics once the commit has succeeded.
pub(super) struct Binding {
    live: Arc<Live>,
    topics: Vec<(u32, u64)>,
    filter: Filter,
}

impl Binding {
    /// Binds it. The cursors may have moved since it was staged; bound again they stay.
    pub(super) fn apply(self, shared: &Shared) -> Arc<Live> {
        self.live.lock().subscription.bind(&self.topics, &self.filter);
        shared.subscriptions().insert(self.live.name.clone(), Arc::clone(&self.live));
        shared.changed(&self.live);
        self.live
    }
}

/// The bindings of one group.
pub(super) struct Bindings<'a> {
    shared: &'a Shared,
    staged: HashMap<SubscriptionName, (Arc<Live>, Subscription)>,
}

impl<'a> Bindings<'a> {
    pub(super) fn new(shared: &'a Shared) -> Self {
        Self { shared, staged: HashMap::new() }
    }

    /// Prepares a binding. `starts` are those of the topics, times already resolved.
    pub(super) fn stage(
        &mut self,
        staged: &mut Staged<'_>,
        spec: &SubscriptionSpec,
        starts: &[Position],
    ) -> Result<Binding, Error> {
        let mut topics = Vec::new();
        for (name, &start) in spec.topics.iter().zip(starts) {
            let number = staged.topic(name)?;
            let head = staged.head(number);
            let (first, next) = head.map_or((0, 0), |head| (head.first_offset, head.next_offset));
            let offset = match start {
                Position::Offset(offset) => offset.clamp(first, next),
                Position::Now => next,
                // A time or a commit is unresolved only if the topic was not there yet: all that
                // came since came after it.
                Position::Start | Position::TimeMs(_) | Position::Commit(_) => first,
            };
            topics.push((number, offset));
        }
        let (live, subscription) = self.find(staged, &spec.name)?;
        // What was replayed to it stays its own, whatever it is bound to now.
        let replays = subscription.cursors.keys().filter(|&&number| {
            staged.head(number).is_some_and(|head| replay::origin(&head.name).is_some())
        });
        topics.extend(replays.map(|&number| (number, 0)));
        subscription.bind(&topics, &spec.filter);
        Ok(Binding { live: Arc::clone(live), topics, filter: spec.filter.clone() })
    }

    /// Prepares that a subscription gets what is replayed to it: topics, and where it begins.
    pub(super) fn add(
        &mut self,
        staged: &mut Staged<'_>,
        name: &SubscriptionName,
        topics: &[(u32, u64)],
    ) -> Result<(), Error> {
        self.find(staged, name)?.1.add(topics);
        Ok(())
    }

    fn find(
        &mut self,
        staged: &mut Staged<'_>,
        name: &SubscriptionName,
    ) -> Result<&mut (Arc<Live>, Subscription), Error> {
        if !self.staged.contains_key(name) {
            let known = self.shared.subscriptions().get(name).cloned();
            let found = match known {
                Some(live) => {
                    self.shared.used(&live.usage);
                    let subscription = live.lock().subscription.clone();
                    (live, subscription)
                }
                None => {
                    self.check_room(staged.subscriptions(), name)?;
                    let id = staged.new_subscription();
                    let subscription = Subscription::new(name.clone());
                    let usage = Use::new(self.shared.steady_ms(), 0);
                    (Arc::new(Live::new(id, subscription.clone(), usage)), subscription)
                }
            };
            self.staged.insert(name.clone(), found);
        }
        self.staged
            .get_mut(name)
            .ok_or_else(|| Error::refused(Kind::NotFound, format!("subscription {name}")))
    }

    /// Refuses a subscription beyond the bound; `count` exist, those of this group included.
    fn check_room(&self, count: usize, name: &SubscriptionName) -> Result<(), Error> {
        let (max, kept) =
            (self.shared.options.subscriptions_max, &self.shared.options.subscriptions_kept);
        let known = self.shared.subscriptions();
        let exists = |name| known.contains_key(name) || self.staged.contains_key(name);
        let awaited = kept.iter().filter(|kept| !exists(kept)).count();
        if kept.contains(name) || count + awaited < max as usize {
            return Ok(());
        }
        let context = format!(
            "subscription {name}: {count} subscriptions exist and {awaited} places are kept for \
             others, of {max} at most; open one that exists"
        );
        Err(Error::refused(Kind::TooLarge, context))
    }

    pub(super) fn records(&self) -> impl Iterator<Item = (RecordKind, u64, Bytes)> {
        let now_ms = self.shared.steady_ms();
        self.staged.values().map(move |(live, subscription)| {
            let record = subscription.encode(live.id, now_ms);
            (RecordKind::Subscription, u64::from(live.id), record.into())
        })
    }
}

/// The subscriptions that changed since they were last written.
pub(super) fn take_dirty(shared: &Shared) -> Vec<Arc<Live>> {
    shared.subscriptions().values().filter(|live| live.take_dirty()).cloned().collect()
}

/// The record of a subscription as it is now.
pub(super) fn record(shared: &Shared, live: &Live) -> (RecordKind, u64, Bytes) {
    let now_ms = shared.steady_ms();
    let record = live.lock().subscription.encode(live.id, now_ms);
    (RecordKind::Subscription, u64::from(live.id), record.into())
}

/// Has all subscriptions written in which a lease or a delay runs: what is left of it is less
/// than was written last.
pub(super) fn set_running_dirty(shared: &Shared) {
    let all: Vec<_> = shared.subscriptions().values().cloned().collect();
    let running = |live: &&Arc<Live>| live.lock().subscription.timer().is_some();
    all.iter().filter(running).for_each(|live| live.set_dirty());
}

/// How far every subscription of a topic has settled it, by topic: the offset below which nothing
/// is unread, and whose it is. A topic without subscriptions is not in it.
pub(super) fn floors(shared: &Shared) -> HashMap<u32, (u64, SubscriptionName)> {
    let all: Vec<_> = shared.subscriptions().values().cloned().collect();
    let mut floors = HashMap::<u32, (u64, SubscriptionName)>::new();
    for live in all {
        for (&topic, cursor) in &live.lock().subscription.cursors {
            let floor = (cursor.floor(), live.name.clone());
            let lowest = floors.entry(topic).or_insert_with(|| floor.clone());
            if floor.0 < lowest.0 {
                *lowest = floor;
            }
        }
    }
    floors
}

/// Sets the gauges of how many batches wait for each subscription.
pub(super) fn report_lag(shared: &Shared) {
    let all: Vec<_> = shared.subscriptions().values().cloned().collect();
    for live in all {
        let lag = shared.lag(&live);
        let name = live.name.as_str().to_owned();
        metrics::gauge!("worldbus_subscription_lag_batches", "subscription" => name)
            .set(lag as f64);
    }
}
