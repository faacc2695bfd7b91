//! A transport with a bug planted into it: a suite that cannot fail proves nothing. For tests of
//! the suite only.

use async_trait::async_trait;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use worldbus_bus::{
    Appended, Capabilities, Consumer, DeadEvent, DeadLetter, Delivered, Error, Filter, Kind, Lease,
    Outcome, ReadSpec, Reader, Settle, SubscriptionName, SubscriptionSpec, Topic, TopicStatus,
    Transport,
};
use worldbus_events::Batch;

/// Every so many batches meet the bug, where it does not meet all.
const EVERY: u64 = 5;
/// How long the second of two that are swapped is waited for.
const SECOND: Duration = Duration::from_millis(50);

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A delivery is acked when it is handed out.
    AcksEarly,
    /// A batch is said to be durable and is not there.
    DropsOne,
    /// Two deliveries come in the wrong order.
    SwapsTwo,
    /// A delivery comes twice.
    DoublesOne,
    /// A nack is taken as an ack.
    ForgetsNack,
    /// What is handed back counts as an attempt.
    CountsReleases,
    /// A dead event takes its whole batch along.
    DeadLettersWholeBatch,
    /// Everything comes, whatever the filter.
    IgnoresFilter,
    /// A lost lease settles.
    ForgetsLeases,
    /// What is too large is said to be durable.
    SwallowsTooLarge,
    /// A subscription begins where the topic does.
    BeginsAtStart,
}

/// A correct transport, but for one bug.
pub struct Faulty {
    inner: Arc<dyn Transport>,
    bug: Bug,
    published: AtomicU64,
}

impl Faulty {
    /// Plants a bug.
    pub fn new(inner: Arc<dyn Transport>, bug: Bug) -> Self {
        Self { inner, bug, published: AtomicU64::new(0) }
    }
}

#[async_trait]
impl Transport for Faulty {
    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn publish(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error> {
        let number = 1 + self.published.fetch_add(1, Ordering::Relaxed);
        if self.bug == Bug::DropsOne && number.is_multiple_of(EVERY) {
            return Ok(Appended { offset: None, duplicates: 0 });
        }
        match self.inner.publish(topic, batch).await {
            Err(error) if self.bug == Bug::SwallowsTooLarge && error.kind() == Kind::TooLarge => {
                Ok(Appended { offset: None, duplicates: 0 })
            }
            result => result,
        }
    }

    async fn subscribe(&self, mut spec: SubscriptionSpec) -> Result<Box<dyn Consumer>, Error> {
        if self.bug == Bug::IgnoresFilter {
            spec.filter = Filter::default();
        }
        if self.bug == Bug::BeginsAtStart {
            spec.start = worldbus_bus::Position::Start;
        }
        let inner = self.inner.subscribe(spec).await?;
        let settler = Arc::new(FaultySettler {
            inner: inner.settler(),
            bug: self.bug,
            lengths: Mutex::default(),
        });
        let (bug, handed) = (self.bug, 0);
        Ok(Box::new(FaultyConsumer { inner, bug, settler, handed, again: VecDeque::new() }))
    }

    async fn read(&self, mut spec: ReadSpec) -> Result<Box<dyn Reader>, Error> {
        if self.bug == Bug::IgnoresFilter {
            spec.filter = Filter::default();
        }
        self.inner.read(spec).await
    }

    async fn topics(&self) -> Result<Vec<TopicStatus>, Error> {
        self.inner.topics().await
    }

    async fn dead_letters(
        &self,
        subscription: Option<&SubscriptionName>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        self.inner.dead_letters(subscription, limit).await
    }

    async fn close(&self) -> Result<(), Error> {
        self.inner.close().await
    }
}

struct FaultyConsumer {
    inner: Box<dyn Consumer>,
    bug: Bug,
    settler: Arc<FaultySettler>,
    handed: u64,
    again: VecDeque<Delivered>,
}

#[async_trait]
impl Consumer for FaultyConsumer {
    async fn next(&mut self) -> Result<Delivered, Error> {
        if let Some(delivered) = self.again.pop_front() {
            return Ok(delivered);
        }
        let mut delivered = self.inner.next().await?;
        self.handed += 1;
        self.settler.note(&delivered);
        match self.bug {
            Bug::AcksEarly => self.settler.inner.settle(&delivered.lease, Outcome::Ack).await?,
            Bug::DoublesOne if self.handed.is_multiple_of(EVERY) => {
                self.again.push_back(delivered.clone())
            }
            Bug::SwapsTwo => {
                if let Ok(second) = tokio::time::timeout(SECOND, self.inner.next()).await {
                    let second = second?;
                    self.settler.note(&second);
                    self.again.push_back(std::mem::replace(&mut delivered, second));
                }
            }
            _ => {}
        }
        Ok(delivered)
    }

    fn settler(&self) -> Arc<dyn Settle> {
        Arc::clone(&self.settler) as Arc<dyn Settle>
    }

    async fn close(self: Box<Self>) -> Result<(), Error> {
        self.inner.close().await
    }
}

struct FaultySettler {
    inner: Arc<dyn Settle>,
    bug: Bug,
    /// Events of the batches that were handed out.
    lengths: Mutex<BTreeMap<(String, u64), usize>>,
}

impl FaultySettler {
    fn note(&self, delivered: &Delivered) {
        let Lease { topic, offset, .. } = &delivered.lease;
        let key = (topic.to_string(), *offset);
        self.lengths.lock().unwrap().insert(key, delivered.batch.len());
    }
}

#[async_trait]
impl Settle for FaultySettler {
    async fn settle(&self, lease: &Lease, outcome: Outcome) -> Result<(), Error> {
        let outcome = match (self.bug, outcome) {
            (Bug::AcksEarly, _) => return Ok(()),
            (Bug::ForgetsNack, Outcome::Nack(_)) => Outcome::Ack,
            (Bug::CountsReleases, Outcome::Release) => Outcome::Nack(Duration::ZERO),
            (_, outcome) => outcome,
        };
        match self.inner.settle(lease, outcome).await {
            Err(error) if self.bug == Bug::ForgetsLeases && error.kind() == Kind::LeaseLost => {
                Ok(())
            }
            result => result,
        }
    }

    async fn dead_letter(&self, lease: &Lease, events: Vec<DeadEvent>) -> Result<(), Error> {
        let (Bug::DeadLettersWholeBatch, Some(first)) = (self.bug, events.first()) else {
            return self.inner.dead_letter(lease, events).await;
        };
        let key = (lease.topic.to_string(), lease.offset);
        let length = self.lengths.lock().unwrap().get(&key).copied().unwrap_or_default();
        let all = (0..u32::try_from(length).unwrap())
            .map(|index| DeadEvent { index, ..first.clone() })
            .collect();
        self.inner.dead_letter(lease, all).await
    }
}
