//! The transport with a fault.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::consumer::WrongConsumer;
use super::{Bug, Memory};
use worldbus_bus::limits::LEASE_MAX;
use worldbus_bus::{
    Appended, Capabilities, Consumer, DeadLetter, Error, Filter, Notice, Position, ReadSpec,
    Reader, StoredBatch, SubscriptionName, SubscriptionSpec, Topic, Transport, Wrap,
};
use worldbus_events::{Batch, BatchBuilder, NewEvent};

pub(super) struct Wrong {
    inner: Arc<dyn Transport>,
    capabilities: Capabilities,
    bug: Bug,
    memory: Arc<Memory>,
}

impl Wrong {
    pub(super) fn new(inner: Arc<dyn Transport>, bug: Bug, memory: Arc<Memory>) -> Self {
        let mut capabilities = inner.capabilities().clone();
        if let Bug::Hides(hidden) = bug {
            capabilities.has.retain(|&one| one != hidden);
        }
        if bug == Bug::TakesOversize {
            // No batch can be larger than the largest of all, which the engine may take.
            capabilities.batch_bytes_max = capabilities.batch_bytes_max.min(2 << 20);
        }
        Self { inner, capabilities, bug, memory }
    }

    /// Answers at once; the batch is appended with the next.
    async fn publish_late(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error> {
        let before = std::mem::take(&mut self.memory.lock().unwritten);
        for (topic, batch) in before {
            self.inner.publish(&topic, batch).await?;
        }
        self.memory.lock().unwritten.push((topic.clone(), batch));
        Ok(Appended::default())
    }

    async fn publish_again(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error> {
        let appended = self.inner.publish(topic, batch.clone()).await?;
        if appended.duplicates.is_empty() {
            return Ok(appended);
        }
        self.inner.publish(topic, renumbered(&batch)).await
    }

    async fn publish_replays(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        let dead = std::mem::take(&mut self.memory.lock().dead);
        for (topic, batch) in dead {
            self.inner.publish(&topic, renumbered(&batch)).await?;
        }
        self.inner.discard_dead_letters(subscription, ids).await
    }
}

/// The batch with other events.
fn rebuilt<'a>(batch: &'a Batch, change: impl Fn(NewEvent<'a>) -> NewEvent<'a>) -> Batch {
    let mut builder = BatchBuilder::new(batch.source(), batch.world());
    for event in batch {
        builder.push(change(event.to_new())).unwrap();
    }
    builder.finish().unwrap()
}

/// The batch as if it were another.
fn renumbered(batch: &Batch) -> Batch {
    rebuilt(batch, |mut event| {
        event.id.sequence += 1_000_000;
        event
    })
}

#[async_trait]
impl Wrap for Wrong {
    fn inner(&self) -> Option<&dyn Transport> {
        Some(&*self.inner)
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn publish(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error> {
        let dropped = Ok(Appended::default());
        let batch = match self.bug {
            Bug::DropsOne if self.memory.turn(7) => return dropped,
            Bug::TakesOversize if batch.bytes().len() > self.capabilities.batch_bytes_max => {
                return dropped;
            }
            Bug::LosesOnRestart => return self.publish_late(topic, batch).await,
            Bug::KeepsDuplicates => return self.publish_again(topic, batch).await,
            Bug::PublishesOutOfOrder => {
                if self.memory.turn(2) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                batch
            }
            Bug::LosesAnEvent => {
                let last = batch.len() as u32 - 1;
                batch.retain(|event| event.index < last.max(1)).unwrap_or(batch)
            }
            Bug::ForgetsEntities => rebuilt(&batch, |event| NewEvent { entity: None, ..event }),
            Bug::ForgetsPlaces => rebuilt(&batch, |event| NewEvent { place: None, ..event }),
            _ => batch,
        };
        self.inner.publish(topic, batch).await
    }

    async fn subscribe(&self, mut spec: SubscriptionSpec) -> Result<Box<dyn Consumer>, Error> {
        match self.bug {
            Bug::BeginsAtStart => spec.start = Position::Start,
            Bug::IgnoresStarts => spec.start = Position::Now,
            Bug::BindsOneTopic => spec.topics.truncate(1),
            Bug::IgnoresFilters => spec.filter = Filter::default(),
            Bug::IgnoresInFlightMax => spec.in_flight_max = 1000,
            Bug::IgnoresAttemptsMax => spec.attempts_max = u32::MAX,
            Bug::ShortensAbsurd => spec.lease = spec.lease.min(LEASE_MAX),
            Bug::SharesOneQueue => spec.name = SubscriptionName::new(spec.topics[0].as_str())?,
            Bug::ForgetsSubscriptions => {
                self.memory.turn(1);
                let turn = self.memory.lock().turn;
                spec.name = SubscriptionName::new(&format!("{}-{turn}", spec.name))?;
            }
            _ => {}
        }
        let lease = spec.lease;
        let inner = self.inner.subscribe(spec).await?;
        let memory = Arc::clone(&self.memory);
        Ok(Box::new(WrongConsumer::new(inner, self.bug, lease, memory)))
    }

    async fn read(&self, mut spec: ReadSpec) -> Result<Box<dyn Reader>, Error> {
        match self.bug {
            Bug::IgnoresFilters => spec.filter = Filter::default(),
            Bug::IgnoresStarts => {
                spec.topics.iter_mut().for_each(|(_, from)| *from = Position::Now);
            }
            _ => {}
        }
        let inner = self.inner.read(spec).await?;
        Ok(match self.bug {
            Bug::ReadsWithGaps => Box::new(Gaps { inner, memory: Arc::clone(&self.memory) }),
            _ => inner,
        })
    }

    async fn delete_topic(&self, name: &Topic, force: bool) -> Result<(), Error> {
        match self.bug {
            Bug::KeepsDeleted => Ok(()),
            Bug::DeletesUnasked => self.inner.delete_topic(name, true).await,
            _ => self.inner.delete_topic(name, force).await,
        }
    }

    async fn dead_letters(
        &self,
        subscription: Option<&SubscriptionName>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        let mut letters = self.inner.dead_letters(subscription, limit).await?;
        if self.bug == Bug::ListsOldestFirst {
            letters.reverse();
        }
        Ok(letters)
    }

    /// Whole lists alone, so that what is wrong with them shows in pages as well.
    async fn dead_letter_page(
        &self,
        subscription: Option<&SubscriptionName>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        match after {
            None => Wrap::dead_letters(self, subscription, limit).await,
            Some(_) => Ok(Vec::new()),
        }
    }

    async fn replay_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        match self.bug {
            Bug::ForgetsReplays => self.inner.discard_dead_letters(subscription, ids).await,
            Bug::PublishesReplays => self.publish_replays(subscription, ids).await,
            _ => self.inner.replay_dead_letters(subscription, ids).await,
        }
    }

    async fn discard_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        match self.bug {
            Bug::KeepsDiscarded => Ok(Vec::new()),
            _ => self.inner.discard_dead_letters(subscription, ids).await,
        }
    }
}

/// A reader that leaves out each third batch.
struct Gaps {
    inner: Box<dyn Reader>,
    memory: Arc<Memory>,
}

#[async_trait]
impl Reader for Gaps {
    async fn next(&mut self) -> Result<Option<StoredBatch>, Error> {
        let stored = self.inner.next().await?;
        if self.memory.turn(3) { self.inner.next().await } else { Ok(stored) }
    }

    fn notice(&mut self) -> Option<Notice> {
        self.inner.notice()
    }
}
