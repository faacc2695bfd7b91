//! Settling deliveries.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::consume::ledger::{Back, HeldMessage, Ledger, Part};
use crate::dead_letters::{exhausted, letters};
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
    /// request. After the end of the lease nothing is settled: SQS does not reveal whether it
    /// gave the message to another consumer.
    async fn settle(&self, lease: &Lease, outcome: Outcome) -> Result<(), Error> {
        outcome.check()?;
        match outcome {
            Outcome::Ack => self.finish(lease, None).await,
            Outcome::Nack(delay) => self.nack(lease, delay).await,
            Outcome::Release => {
                self.finish(lease, Some(Back { at: Instant::now(), counts: false })).await
            }
            Outcome::Extend => self.extend(lease).await,
        }
    }

    async fn dead_letter(&self, lease: &Lease, events: Vec<DeadEvent>) -> Result<(), Error> {
        let (home, topic, batch, aside) = self.ledger.with(lease, |message, part| {
            (Arc::clone(&message.home), part.topic.clone(), part.batch.clone(), part.aside.clone())
        })?;
        let events = check_dead_events(events, batch.len())?;
        let new: Vec<DeadEvent> =
            events.into_iter().filter(|event| !aside.contains(&event.index)).collect();
        let messages = letters(&home.spec, &topic, &batch, &new);
        let results = home.dead_letters.send(&messages).await;
        for (event, result) in new.iter().zip(&results) {
            if result.is_ok() {
                // Lost in the meantime: then it is set aside twice, which is better than never.
                let _ = self.ledger.with(lease, |_, part| part.aside.insert(event.index));
            }
        }
        results.into_iter().collect()
    }
}

impl Settler {
    async fn nack(&self, lease: &Lease, delay: Duration) -> Result<(), Error> {
        let last = |message: &mut HeldMessage, _: &mut Part| {
            message.attempt >= message.home.spec.attempts_max
        };
        if !self.ledger.with(lease, last)? {
            let back = Back { at: Instant::now() + delay, counts: true };
            return self.finish(lease, Some(back)).await;
        }
        let now_ms = self.wall.now_us() / 1000;
        let (home, letters) =
            self.ledger.with(lease, |message, Part { topic, batch, aside, .. }| {
                let spec = &message.home.spec;
                let letters = exhausted(spec, topic, batch, message.attempt, now_ms, aside);
                (Arc::clone(&message.home), letters)
            })?;
        home.dead_letters.send(&letters).await.into_iter().collect::<Result<(), _>>()?;
        self.finish(lease, None).await
    }

    /// Settles a delivery, which is done or comes `back`. A message has one receipt for all its
    /// parts, so it waits for the last of them: then it is deleted, or, if any came back, given
    /// back whole.
    async fn finish(&self, lease: &Lease, back: Option<Back>) -> Result<(), Error> {
        let Some((message, part)) = self.ledger.take(lease, back)? else { return Ok(()) };
        let Some(back) = message.back else {
            self.ledger.done(&message.id);
            message.home.remove(message.receipt, message.room);
            return Ok(());
        };
        if !back.counts {
            self.ledger.released(&message.id);
        }
        let after = back.at.saturating_duration_since(Instant::now());
        let result = message.home.queue.set_visibility(message.receipt.clone(), after).await;
        match &result {
            Err(error) if error.fate() != Fate::Refused => {
                self.ledger.put_back(lease, message, part);
            }
            _ => {}
        }
        result
    }

    async fn extend(&self, lease: &Lease) -> Result<(), Error> {
        let begun = Instant::now();
        let (home, receipt) = self
            .ledger
            .with(lease, |message, _| (Arc::clone(&message.home), message.receipt.clone()))?;
        home.queue.set_visibility(receipt, home.spec.lease).await?;
        self.ledger.with(lease, |message, _| message.expires = begun + home.spec.lease)
    }
}
