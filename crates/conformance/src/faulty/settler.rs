//! The settler with a fault.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Bug, Memory};
use worldbus_bus::limits::NACK_DELAY_MAX;
use worldbus_bus::{DeadEvent, Error, Kind, Lease, Outcome, Settle};

pub(super) struct WrongSettler {
    pub(super) inner: Arc<dyn Settle>,
    pub(super) bug: Bug,
    pub(super) lease: Duration,
    pub(super) memory: Arc<Memory>,
}

impl WrongSettler {
    fn late(&self, lease: &Lease) -> bool {
        let memory = self.memory.lock();
        memory.delivered.get(lease).is_some_and(|(_, at)| at.elapsed() > self.lease)
    }

    fn remember(&self, lease: &Lease, events: &[DeadEvent]) {
        let mut memory = self.memory.lock();
        let Some((batch, _)) = memory.delivered.get(lease).cloned() else { return };
        let one = |dead: &DeadEvent| batch.retain(|event| event.index == dead.index);
        let dead = events.iter().filter_map(one).map(|batch| (lease.topic.clone(), batch));
        memory.dead.extend(dead);
    }
}

#[async_trait]
impl Settle for WrongSettler {
    async fn settle(&self, lease: &Lease, outcome: Outcome) -> Result<(), Error> {
        let outcome = match (self.bug, outcome) {
            // It was acked already.
            (Bug::AcksEarly | Bug::LosesOnCancel, _) => return Ok(()),
            (Bug::IgnoresExtensions, Outcome::Extend) => return Ok(()),
            (Bug::RefusesLateAcks, _) if self.late(lease) => {
                return Err(Error::refused(Kind::LeaseLost, "too late"));
            }
            (Bug::ForgetsNacks, Outcome::Nack(_)) => Outcome::Ack,
            (Bug::IgnoresDelays, Outcome::Nack(_)) => Outcome::Nack(Duration::ZERO),
            (Bug::ShortensAbsurd, Outcome::Nack(delay)) => Outcome::Nack(delay.min(NACK_DELAY_MAX)),
            (Bug::ReleaseCounts, Outcome::Release) => Outcome::Nack(Duration::ZERO),
            (_, outcome) => outcome,
        };
        match self.inner.settle(lease, outcome).await {
            Err(error) if self.bug == Bug::TakesLostLeases && error.kind() == Kind::LeaseLost => {
                Ok(())
            }
            settled => settled,
        }
    }

    async fn dead_letter(&self, lease: &Lease, events: Vec<DeadEvent>) -> Result<(), Error> {
        let events = match self.bug {
            Bug::ForgetsDeadLetters => return Ok(()),
            Bug::DeadLettersWholeBatch => {
                let delivered = self.memory.lock().delivered.get(lease).cloned();
                let count = delivered.map_or(1, |(batch, _)| batch.len());
                let event = events.into_iter().next().unwrap();
                (0..count as u32).map(|index| DeadEvent { index, ..event.clone() }).collect()
            }
            _ => events,
        };
        self.remember(lease, &events);
        self.inner.dead_letter(lease, events).await
    }
}
