//! What the tasks of a consumer share: the buffer of what was received, how much it may hold, and
//! how polling goes. Not here: polling (`poll`), and what is returned to callers (`consumer`).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::consume::capacity::Room;
use crate::consume::ledger::{Home, Ledger};
use crate::consume::settler::Settler;
use crate::names::Names;
use worldbus_bus::{Delivered, Error, Outcome, Settle};
use worldbus_events::SharedCatalogue;

/// What the tasks of a consumer share.
pub(crate) struct Inbox {
    pub(crate) home: Arc<Home>,
    pub(crate) settler: Arc<Settler>,
    pub(crate) names: Names,
    pub(crate) catalogue: SharedCatalogue,
    pub(crate) room: Room,
    /// Places for deliveries that `next` has returned: a message may have more parts than the
    /// consumer takes at once.
    pub(crate) in_flight: Arc<Semaphore>,
    /// Whether the last poll brought as many messages as it asked for.
    pub(crate) full: watch::Sender<bool>,
    /// The error of the last poll, if it failed.
    pub(crate) outage: watch::Sender<Option<Error>>,
    /// This consumer was closed, or the transport.
    pub(crate) closed: CancellationToken,
    state: Mutex<State>,
    /// Notified when a delivery or a failure came.
    pub(crate) changed: Notify,
}

#[derive(Default)]
struct State {
    /// What was received and not yet returned. Bounded by the room, and by what fits into a
    /// message.
    buffer: VecDeque<Delivered>,
    /// Why no more comes.
    failed: Option<Error>,
}

impl Inbox {
    pub(crate) fn new(
        home: Arc<Home>,
        settler: Arc<Settler>,
        names: Names,
        catalogue: SharedCatalogue,
        closed: CancellationToken,
    ) -> Arc<Self> {
        let room = Room::new(home.spec.in_flight_max);
        let in_flight = Arc::new(Semaphore::new(home.spec.in_flight_max as usize));
        let (full, outage) = (watch::Sender::new(false), watch::Sender::new(None));
        let (state, changed) = (Mutex::default(), Notify::new());
        Arc::new(Self {
            home,
            settler,
            names,
            catalogue,
            room,
            in_flight,
            full,
            outage,
            closed,
            state,
            changed,
        })
    }

    /// Keeps a delivery for `next`, or hands it back if the consumer was closed.
    pub(crate) async fn put(&self, delivered: Delivered) -> Result<(), Error> {
        let kept = {
            let mut state = self.lock();
            // Within the lock: who closes empties the buffer afterwards.
            if self.closed.is_cancelled() {
                Err(delivered.lease)
            } else {
                state.buffer.push_back(delivered);
                Ok(())
            }
        };
        match kept {
            Ok(()) => {
                self.changed.notify_one();
                Ok(())
            }
            Err(lease) => self.settler.settle(&lease, Outcome::Release).await,
        }
    }

    /// Ends the consumer: `next` returns the error once the buffer is empty.
    pub(crate) fn fail(&self, error: Error) {
        self.lock().failed = Some(error);
        self.changed.notify_one();
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.settler.wall.now_us() / 1000
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.settler.ledger
    }

    /// The oldest delivery of the buffer.
    pub(crate) fn pop(&self) -> Option<Delivered> {
        self.lock().buffer.pop_front()
    }

    /// Empties the buffer.
    pub(crate) fn drain(&self) -> Vec<Delivered> {
        self.lock().buffer.drain(..).collect()
    }

    /// Whether a delivery waits, and why no more comes.
    pub(crate) fn waiting(&self) -> (bool, Option<Error>) {
        let state = self.lock();
        (!state.buffer.is_empty(), state.failed.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
