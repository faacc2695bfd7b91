//! What is counted and timed while a load runs, by publisher and handlers alike.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::histogram::Histogram;

/// The counts and times of a run.
#[derive(Debug)]
pub(super) struct Tally {
    /// When publishing began: what all times are measured from.
    origin: OnceLock<Instant>,
    /// Durable.
    pub(super) published: Part,
    /// Handled, by subscription.
    pub(super) handled: Vec<Part>,
}

/// One side of it.
#[derive(Debug, Default)]
pub(super) struct Part {
    events: AtomicU64,
    /// When the last was added, in nanoseconds from the origin.
    last_ns: AtomicU64,
    times: Mutex<Histogram>,
}

impl Tally {
    pub(super) fn new(subscribers: u32) -> Self {
        let handled = (0..subscribers).map(|_| Part::default()).collect();
        Self { origin: OnceLock::new(), published: Part::default(), handled }
    }

    /// Time since publishing began; it begins with the first call.
    pub(super) fn now(&self) -> Duration {
        self.origin.get_or_init(Instant::now).elapsed()
    }

    /// Events that the slowest of the subscriptions has handled.
    pub(super) fn handled_by_all(&self) -> u64 {
        self.handled.iter().map(Part::events).min().unwrap_or(0)
    }

    /// Events that were handled, each as often as it was.
    pub(super) fn deliveries(&self) -> u64 {
        self.handled.iter().map(Part::events).sum()
    }
}

impl Part {
    /// Notes events that are done now and began at `from`.
    pub(super) fn add(&self, now: Duration, from: Duration, events: u64) {
        self.lock().add(now.saturating_sub(from), events);
        self.last_ns.fetch_max(now.as_nanos() as u64, Relaxed);
        self.events.fetch_add(events, Relaxed);
    }

    pub(super) fn events(&self) -> u64 {
        self.events.load(Relaxed)
    }

    /// When the last was added.
    pub(super) fn last(&self) -> Duration {
        Duration::from_nanos(self.last_ns.load(Relaxed))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Histogram> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
