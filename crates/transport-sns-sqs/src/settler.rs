//! Settling deliveries.

use crate::dead_letters::{exhausted, letters};
use crate::ledger::Ledger;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use worldbus_bus::limits::check_dead_events;
use worldbus_bus::{DeadEvent, Error, Fate, Lease, Outcome, Settle, WallClock};

/// Settles the deliveries of every consumer of a transport.
pub(crate) struct Settler {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) wall: Arc<dyn WallClock>,
}

#[async_trait]
impl Settle for Settler {
    /// An ack is on its way when this returns, and leaves within 250 ms, so that ten make one
    /// request. After the end of the lease nothing is settled: SQS cannot tell whether it gave
    /// the message to somebody else.
    async fn settle(&self, lease: &Lease, outcome: Outcome) -> Result<(), Error> {
        outcome.check()?;
        match outcome {
            Outcome::Ack => self.ack(lease),
            Outcome::Nack(delay) => self.nack(lease, delay).await,
            Outcome::Release => {
                let message_id = self.ledger.with(lease, |held| held.message_id.clone())?;
                self.ledger.released(&message_id);
                self.give_back(lease, Duration::ZERO).await
            }
            Outcome::Extend => self.extend(lease).await,
        }
    }

    async fn dead_letter(&self, lease: &Lease, events: Vec<DeadEvent>) -> Result<(), Error> {
        let (home, topic, batch, aside) = self.ledger.with(lease, |held| {
            (Arc::clone(&held.home), held.topic.clone(), held.batch.clone(), held.aside.clone())
        })?;
        let events = check_dead_events(events, batch.len())?;
        let new: Vec<DeadEvent> =
            events.into_iter().filter(|event| !aside.contains(&event.index)).collect();
        let messages = letters(&home.spec, &topic, &batch, &new);
        let results = home.dead_letters.send(&messages).await;
        for (event, result) in new.iter().zip(&results) {
            if result.is_ok() {
                // Lost in the meantime: then it is set aside twice, which is better than never.
                let _ = self.ledger.with(lease, |held| held.aside.insert(event.index));
            }
        }
        results.into_iter().collect()
    }
}

impl Settler {
    fn ack(&self, lease: &Lease) -> Result<(), Error> {
        let held = self.ledger.take(lease)?;
        self.ledger.done(&held.message_id);
        held.home.remove(held.receipt, held.room);
        Ok(())
    }

    async fn nack(&self, lease: &Lease, delay: Duration) -> Result<(), Error> {
        let last = self.ledger.with(lease, |held| held.attempt >= held.home.spec.attempts_max)?;
        if !last {
            return self.give_back(lease, delay).await;
        }
        let now_ms = self.wall.now_us() / 1000;
        let (home, messages) = self.ledger.with(lease, |held| {
            let spec = &held.home.spec;
            let aside = &held.aside;
            let letters = exhausted(spec, &held.topic, &held.batch, held.attempt, now_ms, aside);
            (Arc::clone(&held.home), letters)
        })?;
        home.dead_letters.send(&messages).await.into_iter().collect::<Result<(), _>>()?;
        self.ack(lease)
    }

    async fn give_back(&self, lease: &Lease, after: Duration) -> Result<(), Error> {
        let held = self.ledger.take(lease)?;
        let result = held.home.queue.set_visibility(held.receipt.clone(), after).await;
        match &result {
            Err(error) if error.fate() != Fate::Refused => self.ledger.put_back(lease, held),
            _ => {}
        }
        result
    }

    async fn extend(&self, lease: &Lease) -> Result<(), Error> {
        let begun = Instant::now();
        let (home, receipt) =
            self.ledger.with(lease, |held| (Arc::clone(&held.home), held.receipt.clone()))?;
        home.queue.set_visibility(receipt, home.spec.lease).await?;
        self.ledger.with(lease, |held| held.expires = begun + held.home.spec.lease)
    }
}
