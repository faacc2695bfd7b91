//! A consumer of a subscription: its buffer, and what keeps the leases of what waits there.

use crate::consume::capacity::Room;
use crate::consume::ledger::{Home, Ledger};
use crate::consume::poll::poll;
use crate::consume::settler::Settler;
use crate::names::Names;
use async_trait::async_trait;
use futures_util::future::join_all;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use worldbus_bus::{Consumer, Delivered, Error, Kind, Outcome, Settle};
use worldbus_events::SharedCatalogue;

/// How long a consumer that closes waits for its acks.
const ACKS_MAX: Duration = Duration::from_secs(2);

/// What the tasks of a consumer share.
pub(crate) struct Inbox {
    pub(crate) home: Arc<Home>,
    pub(crate) settler: Arc<Settler>,
    pub(crate) names: Names,
    pub(crate) catalogue: SharedCatalogue,
    pub(crate) room: Room,
    /// Places for deliveries that `next` has returned: a message may have more parts than the
    /// consumer takes at once.
    in_flight: Arc<Semaphore>,
    /// Whether the last poll brought as many messages as it asked for.
    pub(crate) full: watch::Sender<bool>,
    /// The error of the last poll, if it failed.
    pub(crate) outage: watch::Sender<Option<Error>>,
    /// This consumer was closed, or the transport.
    pub(crate) closed: CancellationToken,
    state: Mutex<State>,
    changed: Notify,
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

    /// Keeps a delivery for `next`, or hands it back if nobody will ask any more.
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A consumer; polls from the moment it is opened.
pub(crate) struct SqsConsumer {
    inbox: Arc<Inbox>,
    /// Aborted when this is dropped.
    extending: JoinSet<()>,
}

impl SqsConsumer {
    /// The polls outlive the consumer: SQS gives messages to one that nobody awaits too, and
    /// would keep them for as long as a lease.
    pub(crate) fn start(inbox: Arc<Inbox>, polls: &TaskTracker, pollers: usize) -> Self {
        for poller in 0..pollers.max(1) {
            polls.spawn(poll(Arc::clone(&inbox), poller));
        }
        let mut extending = JoinSet::new();
        extending.spawn(extend(Arc::clone(&inbox)));
        Self { inbox, extending }
    }

    /// The next delivery of the buffer, once there is a place for it; none if it expired while it
    /// waited, and comes again.
    async fn take_next(&mut self) -> Result<Option<Delivered>, Error> {
        let places = Arc::clone(&self.inbox.in_flight);
        let place = self.inbox.closed.run_until_cancelled(places.acquire_owned()).await;
        let place = place.and_then(Result::ok).ok_or_else(closed)?;
        let Some(delivered) = self.inbox.lock().buffer.pop_front() else { return Ok(None) };
        let taken =
            self.inbox.ledger().with(&delivered.lease, |_, part| part.in_flight = Some(place));
        Ok(taken.is_ok().then_some(delivered))
    }
}

impl Drop for SqsConsumer {
    fn drop(&mut self) {
        self.inbox.closed.cancel();
    }
}

/// Extends the leases of what waits in the buffer, and forgets what was lost. Never ends.
async fn extend(inbox: Arc<Inbox>) {
    let lease = inbox.home.spec.lease;
    loop {
        tokio::time::sleep(lease / 4).await;
        inbox.ledger().drop_expired();
        let begun = Instant::now();
        let expiring = inbox.ledger().expiring(&inbox.home, lease / 2);
        let extensions = expiring.into_iter().map(async |(number, receipt)| {
            match inbox.home.queue.set_visibility(receipt, lease).await {
                Ok(()) => inbox.ledger().extended(number, begun + lease),
                Err(error) => tracing::debug!(%error, "lease of a waiting message not extended"),
            }
        });
        join_all(extensions).await;
    }
}

#[async_trait]
impl Consumer for SqsConsumer {
    async fn next(&mut self) -> Result<Delivered, Error> {
        loop {
            if self.inbox.closed.is_cancelled() {
                return Err(closed());
            }
            let (waiting, failed) = {
                let state = self.inbox.lock();
                (!state.buffer.is_empty(), state.failed.clone())
            };
            if waiting {
                if let Some(delivered) = self.take_next().await? {
                    return Ok(delivered);
                }
                continue;
            }
            if let Some(error) = failed {
                return Err(error);
            }
            tokio::select! {
                () = self.inbox.changed.notified() => {}
                () = self.inbox.closed.cancelled() => return Err(closed()),
            }
        }
    }

    fn outage(&self) -> Option<watch::Receiver<Option<Error>>> {
        Some(self.inbox.outage.subscribe())
    }

    fn settler(&self) -> Arc<dyn Settle> {
        Arc::clone(&self.inbox.settler) as Arc<dyn Settle>
    }

    async fn close(mut self: Box<Self>) -> Result<(), Error> {
        self.inbox.closed.cancel();
        self.extending.abort_all();
        let waiting: Vec<Delivered> = self.inbox.lock().buffer.drain(..).collect();
        let settler = &self.inbox.settler;
        let releases =
            waiting.iter().map(|delivered| settler.settle(&delivered.lease, Outcome::Release));
        let released = join_all(releases).await;
        self.inbox.home.acks.close();
        if timeout(ACKS_MAX, self.inbox.home.acks.wait()).await.is_err() {
            tracing::debug!("acks are still under way; what is not acked comes again");
        }
        self.inbox.home.acks.reopen();
        // One that expired meanwhile is free already.
        let failed = released.into_iter().filter_map(Result::err);
        failed.filter(|error| error.kind() != Kind::LeaseLost).map(Err).next().unwrap_or(Ok(()))
    }
}

pub(crate) fn closed() -> Error {
    Error::refused(Kind::Closed, "the connection to SNS and SQS was closed")
}
