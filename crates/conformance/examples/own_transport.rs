//! A transport of a third party, held to the suite: batches in the memory of one process, with no
//! capability declared. `cargo run -p worldbus-conformance --example own_transport` prints what it
//! was held to; CI runs it as a test.
//!
//! Not for: use. Nothing here survives its process, and what is held is not bounded.
#![allow(clippy::unwrap_used, reason = "an example")]

#[path = "own_transport/queue.rs"]
mod queue;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;

use queue::{Queue, Taken};
use worldbus_bus::limits::check_dead_letter_ids;
use worldbus_bus::{
    Appended, Capabilities, Capability, Consumer, DeadEvent, DeadLetter, Delivered, Error, Kind,
    Lease, Outcome, ReadSpec, Reader, Settle, SubscriptionName, SubscriptionSpec, Topic,
    TopicStatus, Transport,
};
use worldbus_events::Batch;

#[tokio::main]
async fn main() {
    print!("{}", worldbus_conformance::check(Memory::open()).await);
}

#[tokio::test]
async fn it_keeps_the_contract() {
    worldbus_conformance::check(Memory::open()).await.assert_kept();
}

/// How often a consumer looks whether there is something for it. A real transport is notified.
const LOOK: Duration = Duration::from_millis(2);

/// The engine and the transport in one.
struct Memory {
    capabilities: Capabilities,
    queues: Arc<Mutex<BTreeMap<SubscriptionName, Queue>>>,
}

impl Memory {
    fn open() -> Arc<Self> {
        let capabilities = Capabilities {
            transport: "memory",
            // What it can do goes in here, and is then checked.
            has: Vec::new(),
            payload_bytes_max: 64 << 10,
            batch_bytes_max: 256 << 10,
            linger: Duration::ZERO,
        };
        Arc::new(Self { capabilities, queues: Arc::default() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SubscriptionName, Queue>> {
        self.queues.lock().unwrap()
    }
}

impl Memory {
    fn take_out(
        &self,
        name: &SubscriptionName,
        ids: &[String],
        replay: bool,
    ) -> Result<Vec<String>, Error> {
        check_dead_letter_ids(ids)?;
        let mut queues = self.lock();
        let queue = queues.get_mut(name).ok_or_else(|| unknown(name))?;
        Ok(queue.take_out(ids, replay))
    }
}

fn unknown(name: &SubscriptionName) -> Error {
    Error::refused(Kind::NotFound, format!("subscription {name} does not exist"))
}

#[async_trait]
impl Transport for Memory {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn publish(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error> {
        let (bytes, max) = (batch.bytes().len(), self.capabilities.batch_bytes_max);
        if bytes > max {
            let context = format!("a batch of {bytes} bytes; at most {max} fit");
            return Err(Error::refused(Kind::TooLarge, context));
        }
        self.lock().values_mut().for_each(|queue| queue.push(topic, &batch));
        Ok(Appended::default())
    }

    async fn subscribe(&self, spec: SubscriptionSpec) -> Result<Box<dyn Consumer>, Error> {
        if spec.start != worldbus_bus::Position::Now {
            self.capabilities.require(Capability::Replay)?;
        }
        spec.check()?;
        let mut queues = self.lock();
        let queue = queues.entry(spec.name.clone()).or_insert_with(|| Queue::new(&spec));
        queue.bind(&spec);
        let number = queue.next_consumer();
        Ok(Box::new(MemoryConsumer { queues: Arc::clone(&self.queues), spec, number }))
    }

    async fn read(&self, _: ReadSpec) -> Result<Box<dyn Reader>, Error> {
        Err(self.capabilities.require(Capability::Replay).unwrap_err())
    }

    async fn topics(&self) -> Result<Vec<TopicStatus>, Error> {
        Err(self.capabilities.require(Capability::Replay).unwrap_err())
    }

    async fn dead_letters(
        &self,
        subscription: Option<&SubscriptionName>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        let queues = self.lock();
        if let Some(name) = subscription.filter(|name| !queues.contains_key(name)) {
            return Err(unknown(name));
        }
        let wanted = queues.iter().filter(|(name, _)| subscription.is_none_or(|one| one == *name));
        let mut letters: Vec<DeadLetter> =
            wanted.flat_map(|(_, queue)| queue.dead_letters().rev().cloned()).collect();
        letters.sort_by_key(|letter| std::cmp::Reverse(letter.event.last_failed_ms));
        letters.truncate(limit);
        Ok(letters)
    }

    async fn replay_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        self.take_out(subscription, ids, true)
    }

    async fn discard_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        self.take_out(subscription, ids, false)
    }

    async fn close(&self) -> Result<(), Error> {
        Ok(())
    }
}

struct MemoryConsumer {
    queues: Arc<Mutex<BTreeMap<SubscriptionName, Queue>>>,
    spec: SubscriptionSpec,
    number: u64,
}

impl MemoryConsumer {
    fn take(&self) -> Option<Delivered> {
        let mut queues = self.queues.lock().unwrap();
        let Taken { topic, batch, number, attempt } =
            queues.get_mut(&self.spec.name)?.take(&self.spec, self.number)?;
        let subscription = self.spec.name.clone();
        let lease = Lease { subscription, topic, offset: number, attempt };
        Some(Delivered { lease, appended_ms: 0, batch })
    }
}

#[async_trait]
impl Consumer for MemoryConsumer {
    async fn next(&mut self) -> Result<Delivered, Error> {
        loop {
            if let Some(delivered) = self.take() {
                return Ok(delivered);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn settler(&self) -> Arc<dyn Settle> {
        Arc::new(MemorySettler { queues: Arc::clone(&self.queues), spec: self.spec.clone() })
    }

    /// Nothing is taken ahead.
    async fn close(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}

struct MemorySettler {
    queues: Arc<Mutex<BTreeMap<SubscriptionName, Queue>>>,
    spec: SubscriptionSpec,
}

impl MemorySettler {
    fn with<T>(&self, act: impl FnOnce(&mut Queue) -> Result<T, Error>) -> Result<T, Error> {
        act(self.queues.lock().unwrap().get_mut(&self.spec.name).unwrap())
    }
}

#[async_trait]
impl Settle for MemorySettler {
    async fn settle(&self, lease: &Lease, outcome: Outcome) -> Result<(), Error> {
        outcome.check()?;
        self.with(|queue| queue.settle(&self.spec, lease, outcome))
    }

    async fn dead_letter(&self, lease: &Lease, events: Vec<DeadEvent>) -> Result<(), Error> {
        self.with(|queue| queue.set_aside(&self.spec, lease, events))
    }
}
