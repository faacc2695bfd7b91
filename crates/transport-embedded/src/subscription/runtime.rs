//! A subscription with its consumers: the state machine behind a lock, its wake-up, and the
//! batches that were fetched for it from the disk.

use crate::dead_letters::replay;
use crate::read::tail::Stored;
use crate::shared::Shared;
use crate::subscription::state::Subscription;
use crate::usage::Use;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use worldbus_bus::{SubscriptionName, SubscriptionStatus};

/// A subscription in this process.
pub(crate) struct Live {
    pub(crate) id: u32,
    pub(crate) name: SubscriptionName,
    /// Locked before the tail, never after.
    state: Mutex<State>,
    /// Woken when a settlement may let a consumer go on.
    pub(crate) changed: Notify,
    /// Held while batches are fetched, so that competing consumers do not all fetch the same.
    pub(crate) fetching: tokio::sync::Mutex<()>,
    dirty: AtomicBool,
    consumers: AtomicU64,
    pub(crate) usage: Use,
    deleted: AtomicBool,
}

/// What the lock holds.
pub(crate) struct State {
    pub(crate) subscription: Subscription,
    /// Batches from the disk, by topic and offset; of each topic what one fetch brought.
    pub(crate) fetched: BTreeMap<(u32, u64), Arc<Stored>>,
}

impl Live {
    pub(crate) fn new(id: u32, subscription: Subscription, usage: Use) -> Self {
        Self {
            id,
            name: subscription.name.clone(),
            state: Mutex::new(State { subscription, fetched: BTreeMap::new() }),
            changed: Notify::new(),
            fetching: tokio::sync::Mutex::default(),
            dirty: AtomicBool::new(false),
            consumers: AtomicU64::new(0),
            usage,
            deleted: AtomicBool::new(false),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more consumer; its id, never 0.
    pub(crate) fn enter(&self, shared: &Shared) -> u64 {
        shared.opened(&self.usage);
        self.consumers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// One consumer less; whether it was the last.
    pub(crate) fn leave(&self, shared: &Shared) -> bool {
        shared.closed(&self.usage)
    }

    /// How many consumers there are.
    pub(crate) fn consumers(&self) -> u64 {
        self.usage.present()
    }

    /// Marks it as deleted: whoever still has it opens another.
    pub(crate) fn delete(&self) {
        self.deleted.store(true, Ordering::Release);
        self.changed.notify_waiters();
        let name = self.name.as_str().to_owned();
        // Not shown any more.
        metrics::gauge!("worldbus_subscription_lag_batches", "subscription" => name).set(f64::NAN);
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Acquire)
    }

    /// What is known of it.
    pub(crate) fn status(&self, shared: &Shared) -> SubscriptionStatus {
        let batches = self.lag(shared);
        let numbers: Vec<u32> = self.lock().subscription.cursors.keys().copied().collect();
        let tail = shared.tail();
        let names = numbers.iter().filter_map(|&number| Some(tail.head(number)?.name.clone()));
        let topics = names.filter(replay::is_public).collect();
        let (name, consumers) = (self.name.clone(), self.consumers());
        let idle = shared.idle_time(&self.usage);
        SubscriptionStatus { name, topics, batches, consumers, idle }
    }

    /// Batches that wait for it or are under way.
    pub(crate) fn lag(&self, shared: &Shared) -> u64 {
        let state = self.lock();
        let tail = shared.tail();
        let cursors = state.subscription.cursors.iter();
        let lag = cursors.filter_map(|(&topic, cursor)| {
            tail.head(topic).map(|head| head.next_offset.saturating_sub(cursor.floor()))
        });
        lag.sum()
    }

    pub(crate) fn set_dirty(&self) {
        self.dirty.store(true, Ordering::Release);
    }

    /// Whether its state changed since it was last asked.
    pub(crate) fn take_dirty(&self) -> bool {
        self.dirty.swap(false, Ordering::AcqRel)
    }
}
