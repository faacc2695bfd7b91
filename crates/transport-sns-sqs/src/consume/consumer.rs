//! A consumer of a subscription: what it returns from its inbox, and what keeps the leases of what
//! waits there.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::task::TaskTracker;

use crate::aws::failure::closed;
use crate::consume::inbox::Inbox;
use crate::consume::poll::poll;
use worldbus_bus::{Consumer, Delivered, Error, Kind, Outcome, Settle};

/// How long a consumer that closes waits for its acks.
const ACKS_MAX: Duration = Duration::from_secs(2);

/// A consumer; polls from the moment it is opened.
pub(crate) struct SqsConsumer {
    inbox: Arc<Inbox>,
    /// Aborted when this is dropped.
    extending: JoinSet<()>,
}

impl SqsConsumer {
    /// The polls outlive the consumer: SQS gives messages to one that is abandoned too, and
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
        let Some(delivered) = self.inbox.pop() else { return Ok(None) };
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
            let (waiting, failed) = self.inbox.waiting();
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
        let waiting = self.inbox.drain();
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
