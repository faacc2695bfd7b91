//! What the writer, the consumers and the readers of one log share.

use crate::aside;
use crate::live::Live;
use crate::options::Options;
use crate::queue::Queue;
use crate::reads::Reads;
use crate::tail::Tail;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use worldbus_bus::{Capabilities, Error, SubscriptionName};

/// How long a changed cursor waits for a commit to go with.
pub(crate) const CURSOR_DELAY: Duration = Duration::from_millis(20);

/// Whether the log takes batches.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Health {
    /// It does.
    Writable,
    /// Not now: no space is left. It goes on by itself when there is.
    Full(Error),
    /// Never again in this process: the disk failed or what is stored is damaged. Exit.
    Failed(Error),
}

/// The state of one open log.
pub(crate) struct Shared {
    pub(crate) file: PathBuf,
    pub(crate) options: Options,
    pub(crate) capabilities: Capabilities,
    pub(crate) queue: Queue,
    tail: Mutex<Tail>,
    subscriptions: Mutex<HashMap<SubscriptionName, Arc<Live>>>,
    /// Counts commits; wakes all who wait for batches.
    pub(crate) commits: watch::Sender<u64>,
    pub(crate) health: watch::Sender<Health>,
    pub(crate) reads: Arc<Reads>,
    /// Turns of the calls that set events aside.
    pub(crate) setting_aside: Arc<Semaphore>,
    /// Dead letters that are there, as of the last commit.
    pub(crate) dead_letters: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        file: PathBuf,
        options: Options,
        capabilities: Capabilities,
        tail: Tail,
        subscriptions: Vec<Arc<Live>>,
        reads: Arc<Reads>,
    ) -> Self {
        let by_name = subscriptions.into_iter().map(|live| (live.name.clone(), live));
        Self {
            file,
            queue: Queue::new(options.queue_bytes_max),
            options,
            capabilities,
            tail: Mutex::new(tail),
            subscriptions: Mutex::new(by_name.collect()),
            commits: watch::Sender::new(0),
            health: watch::Sender::new(Health::Writable),
            reads,
            setting_aside: Arc::new(Semaphore::new(aside::CALL_COUNT_MAX)),
            dead_letters: AtomicU64::new(0),
        }
    }

    pub(crate) fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscriptions(&self) -> MutexGuard<'_, HashMap<SubscriptionName, Arc<Live>>> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The wall time, for what people read.
    pub(crate) fn now_ms(&self) -> i64 {
        self.options.clock.now_us().div_euclid(1000)
    }

    /// The time that passes in this process, for leases, delays and ages.
    pub(crate) fn steady_ms(&self) -> i64 {
        self.options.clock.steady_us().div_euclid(1000)
    }

    /// Wakes all who wait for batches.
    pub(crate) fn wake(&self) {
        self.commits.send_modify(|commits| *commits += 1);
    }

    /// The error to answer with once the log has failed.
    pub(crate) fn failed(&self) -> Option<Error> {
        match &*self.health.borrow() {
            Health::Failed(error) => Some(error.clone()),
            Health::Writable | Health::Full(_) => None,
        }
    }

    /// Has a subscription written soon, and lets its consumers look again.
    pub(crate) fn changed(&self, live: &Live) {
        live.set_dirty();
        live.changed.notify_waiters();
        self.queue.cursors_changed(CURSOR_DELAY);
    }
}
