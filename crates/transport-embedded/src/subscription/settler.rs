//! Settling deliveries, and setting their events aside.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::dead_letters::add::{Letters, set_aside};
use crate::dead_letters::replay;
use crate::format::record::DeadKey;
use crate::read::pool::Fetched;
use crate::shared::Shared;
use crate::subscription::cursor::Settlement;
use crate::subscription::runtime::Live;
use worldbus_bus::limits::check_dead_events;
use worldbus_bus::{DeadEvent, Error, Kind, Lease, Outcome, Settle, SubscriptionSpec};
use worldbus_events::Batch;

/// The bytes of a fetch that brings one batch.
const ONE_BATCH: usize = 1;

/// Settles deliveries of a subscription, whichever of its consumers they went to.
pub(crate) struct Settler {
    pub(crate) shared: Arc<Shared>,
    pub(crate) live: Arc<Live>,
    pub(crate) spec: Arc<SubscriptionSpec>,
}

impl Settler {
    /// The number of the topic and the offset, if the lease is one of this subscription.
    fn place(&self, lease: &Lease) -> Result<(u32, u64), Error> {
        if let Some(error) = self.shared.failed() {
            return Err(error);
        }
        self.shared.used(&self.live.usage);
        let place = replay::find(&self.shared.tail(), self.live.id, lease);
        let ours = lease.subscription == self.live.name && !self.live.is_deleted();
        place.filter(|_| ours).ok_or_else(|| lost(lease))
    }

    async fn batch(&self, number: u32, offset: u64, lease: &Lease) -> Result<Batch, Error> {
        let found = self.live.lock().find(&self.shared.tail(), number, offset);
        if let Some(stored) = found {
            return Ok(stored.batch.clone());
        }
        let wanted = BTreeMap::from([(number, offset)]);
        match self.shared.reads.fetch(wanted, ONE_BATCH).await? {
            Fetched::Batches(batches) => {
                let stored = batches.into_iter().next();
                stored.map(|stored| stored.batch).ok_or_else(|| lost(lease))
            }
            Fetched::Nothing { topic, offset } => {
                self.shared.missing(topic, offset)?;
                Err(lost(lease))
            }
        }
    }
}

#[async_trait]
impl Settle for Settler {
    /// Written with the first commit that begins 20 ms later, or by one of its own then.
    async fn settle(&self, lease: &Lease, outcome: Outcome) -> Result<(), Error> {
        // Refuse what is wrong, and leases that are not ours.
        outcome.check()?;
        let (number, offset) = self.place(lease)?;

        // The outcome in the terms of the cursor: times instead of delays.
        let now_ms = self.shared.steady_ms();
        let settlement = match outcome {
            Outcome::Ack => Settlement::Ack,
            // Nothing is gained by waiting if it will not be delivered again.
            Outcome::Nack(_) if lease.attempt >= self.spec.attempts_max => {
                Settlement::Nack { at_ms: now_ms }
            }
            Outcome::Nack(delay) => Settlement::Nack { at_ms: later(now_ms, delay) },
            Outcome::Release => Settlement::Release,
            Outcome::Extend => Settlement::Extend { until_ms: later(now_ms, self.spec.lease) },
        };

        // Settle in memory; the writer takes the cursor once it is due.
        let settled =
            self.live.lock().subscription.settle(number, offset, lease.attempt, settlement);
        settled.map_err(|_| lost(lease))?;
        self.shared.changed(&self.live);
        Ok(())
    }

    async fn dead_letter(&self, lease: &Lease, events: Vec<DeadEvent>) -> Result<(), Error> {
        // Only who holds the lease may.
        let (topic, offset) = self.place(lease)?;
        if !self.live.lock().subscription.holds(topic, offset, lease.attempt) {
            return Err(lost(lease));
        }

        // The events' bytes come from the batch, not from the caller.
        let batch = self.batch(topic, offset, lease).await?;
        let events = check_dead_events(events, batch.len())?;
        let key = DeadKey { subscription: self.live.id, topic, offset, index: 0 };
        set_aside(
            &self.shared,
            Letters {
                live: Arc::clone(&self.live),
                key,
                consumer: self.spec.consumer.clone(),
                batch,
                events,
            },
        )
        .await
    }
}

fn later(now_ms: i64, delay: Duration) -> i64 {
    now_ms.saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX))
}

fn lost(lease: &Lease) -> Error {
    let Lease { subscription, topic, offset, attempt } = lease;
    Error::refused(
        Kind::LeaseLost,
        format!(
            "delivery {attempt} of batch {offset} of topic {topic} is not {subscription}'s any \
             more: it was settled, or given to another consumer; drop it"
        ),
    )
}
