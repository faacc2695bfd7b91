//! A subscription with its consumers: the state machine behind a lock, its wake-up, and the
//! batches that were fetched for it from the disk.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::read::tail::{Stored, Tail};
use crate::subscription::state::Subscription;
use crate::usage::Use;
use worldbus_bus::SubscriptionName;

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
    /// Batches from the disk that are to come again, by topic and offset; of each topic what one
    /// fetch brought.
    pub(crate) fetched: BTreeMap<(u32, u64), Arc<Stored>>,
    /// What was read ahead from the disk and never delivered, of all topics in their order: what
    /// one fetch brought. Only if the subscription walks there.
    pub(crate) ahead: VecDeque<Stored>,
}

impl State {
    /// The batch, if it is in memory.
    pub(crate) fn find(&self, tail: &Tail, topic: u32, offset: u64) -> Option<Arc<Stored>> {
        let cached = tail.get(topic, offset).or_else(|| self.fetched.get(&(topic, offset)));
        cached.cloned()
    }
}

impl Live {
    pub(crate) fn new(id: u32, subscription: Subscription, usage: Use) -> Self {
        Self {
            id,
            name: subscription.name.clone(),
            state: Mutex::new(State {
                subscription,
                fetched: BTreeMap::new(),
                ahead: VecDeque::new(),
            }),
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

    /// The id of one more consumer, never 0.
    pub(crate) fn next_consumer(&self) -> u64 {
        self.consumers.fetch_add(1, Ordering::Relaxed) + 1
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

    /// Marks it as changed. In one order with whether the cursors are awaited: see
    /// `Queue::cursors_changed`.
    pub(crate) fn set_dirty(&self) {
        self.dirty.store(true, Ordering::SeqCst);
    }

    /// Whether its state changed since it was last asked.
    pub(crate) fn take_dirty(&self) -> bool {
        self.dirty.swap(false, Ordering::SeqCst)
    }
}
