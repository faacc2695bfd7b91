//! While what stands behind a handler is away, its events wait instead of failing one after the
//! other.
//!
//! ```text
//! closed ── so many attempts in a row fail ──▶ open ── after a while ──▶ half-open: one tries
//!    ▲                                          ▲                              │
//!    └── it succeeds ───────────────────────────┼── it fails temporarily ──────┘
//! ```
//! Not for poison: an event's own fault is a permanent error, which neither opens nor waits.
//! Written here because the breakers of crates refuse calls, and a refused event would be set
//! aside.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::route::handler::{Handler, HandlerError};
use crate::route::message::Message;

/// A circuit breaker that handlers share. Cheap to clone; clones share its state.
///
/// It opens when `failures_max` attempts in a row failed temporarily, whichever their events. While
/// it is open no handler begins: events wait, under their leases, and what fails that was under way
/// waits with them. After `open_for` one of them tries, each in its turn; it closes when one
/// succeeds. So an outage sets no event aside, however long it is.
///
/// The gauge `worldbus_breaker_state` has its state by name: 0 closed, 1 half-open, 2 open.
#[derive(Clone)]
pub struct Breaker {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    failures_max: u32,
    open_for: Duration,
    state: Mutex<State>,
    /// Of who may try while it is not closed. Fair: who failed is the last to try again, so that an
    /// event that always fails holds up no other for good.
    trying: Semaphore,
}

#[derive(Clone, Copy)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant },
}

/// What an attempt may do.
enum Turn<'a> {
    Closed,
    /// The one that tries, and the next may when this is dropped.
    Try {
        _only: Option<tokio::sync::SemaphorePermit<'a>>,
    },
}

impl Breaker {
    /// A closed breaker. `name` is what it protects, e.g. `database`, for metrics and logs;
    /// `failures_max` is at least 1.
    pub fn new(name: &str, failures_max: u32, open_for: Duration) -> Self {
        let shared = Shared {
            name: name.to_owned(),
            failures_max: failures_max.max(1),
            open_for,
            state: Mutex::new(State::Closed { failures: 0 }),
            trying: Semaphore::new(1),
        };
        shared.show(0);
        Self { shared: Arc::new(shared) }
    }

    /// A handler behind the breaker. To be put inside of retry, where it sees every attempt:
    /// [`Router::breaker`](crate::Router::breaker) does.
    pub fn around<H: Handler>(&self, inner: H) -> Broken<H> {
        Broken { inner, shared: Arc::clone(&self.shared) }
    }

    /// Whether events wait.
    pub fn is_open(&self) -> bool {
        matches!(*self.shared.lock(), State::Open { .. })
    }

    pub(in crate::route) fn failures_max(&self) -> u32 {
        self.shared.failures_max
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("name", &self.shared.name).finish_non_exhaustive()
    }
}

/// A handler behind a [`Breaker`].
pub struct Broken<H> {
    inner: H,
    shared: Arc<Shared>,
}

impl<H: Handler> Handler for Broken<H> {
    async fn handle(&self, message: Message) -> Result<(), HandlerError> {
        loop {
            let turn = self.shared.turn().await;
            let Err(error) = self.inner.handle(message.clone()).await else {
                self.shared.succeeded(&turn);
                return Ok(());
            };
            if error.is_permanent() || !self.shared.failed(&turn) {
                return Err(error);
            }
            tracing::debug!(event_id = %message.id, %error, "waits until the breaker closes");
        }
    }
}

impl Shared {
    /// Waits while the breaker is open, and while another tries. Cancel-safe.
    async fn turn(&self) -> Turn<'_> {
        if let State::Closed { .. } = *self.lock() {
            return Turn::Closed;
        }
        // Never closed, so there is always one.
        let only = self.trying.acquire().await.ok();
        let State::Open { until } = *self.lock() else { return Turn::Closed };
        if until > Instant::now() {
            tokio::time::sleep_until(until).await;
            self.show(1);
        }
        Turn::Try { _only: only }
    }

    fn succeeded(&self, turn: &Turn<'_>) {
        let mut state = self.lock();
        match (&mut *state, turn) {
            (State::Closed { failures }, _) => *failures = 0,
            (State::Open { .. }, Turn::Try { .. }) => {
                *state = State::Closed { failures: 0 };
                self.show(0);
                tracing::info!(breaker = self.name, "handled again; the breaker is closed");
            }
            // It began before.
            (State::Open { .. }, Turn::Closed) => {}
        }
    }

    /// Notes a temporary failure; whether its event waits.
    fn failed(&self, turn: &Turn<'_>) -> bool {
        let mut state = self.lock();
        match (&mut *state, turn) {
            (State::Open { .. }, Turn::Closed) => return true,
            (State::Closed { failures }, _) => {
                *failures += 1;
                if *failures < self.failures_max {
                    return false;
                }
                let (failures, retry_s) = (*failures, self.open_for.as_secs());
                tracing::warn!(breaker = self.name, failures, retry_s, "the breaker is open");
            }
            (State::Open { .. }, Turn::Try { .. }) => {}
        }
        *state = State::Open { until: Instant::now() + self.open_for };
        self.show(2);
        true
    }

    fn show(&self, state: u8) {
        metrics::gauge!("worldbus_breaker_state", "breaker" => self.name.clone()).set(state);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
