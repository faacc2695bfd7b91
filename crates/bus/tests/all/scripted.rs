//! A transport that delivers what a test gives it, and notes how each delivery is settled. Without
//! disk and threads, so that tokio's time can stand. Not for publishing.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use worldbus_bus::*;
use worldbus_events::v1::TimeUpdated;
use worldbus_events::{Batch, BatchBuilder, EventId, ProducerId};

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Settled {
    Acked { dead: Vec<u32> },
    Released,
}

#[derive(Default)]
pub(crate) struct Script {
    waiting: VecDeque<Batch>,
    taken: u64,
    /// Bytes of the batches that are not settled, now and at the most.
    bytes: Vec<usize>,
    pub(crate) bytes_most: usize,
    dead: Vec<(u64, u32)>,
    /// By offset, in order of time.
    pub(crate) settled: Vec<(u64, Settled)>,
    pub(crate) extended: Vec<u64>,
    /// Leases that are lost when they are extended.
    pub(crate) lost: BTreeSet<u64>,
    pub(crate) in_flight_max: u32,
    /// What else is noted when a delivery is acknowledged.
    pub(crate) on_ack: Option<Box<dyn Fn(u64) + Send>>,
}

pub(crate) struct Scripted {
    capabilities: Capabilities,
    pub(crate) script: Mutex<Script>,
    changed: Notify,
}

impl Scripted {
    pub(crate) fn new(batches: impl IntoIterator<Item = Batch>) -> Arc<Self> {
        let capabilities = Capabilities {
            transport: "scripted",
            has: Vec::new(),
            payload_bytes_max: 1 << 20,
            batch_bytes_max: 1 << 20,
            linger: Duration::ZERO,
        };
        let script = Script { waiting: batches.into_iter().collect(), ..Script::default() };
        Arc::new(Self { capabilities, script: Mutex::new(script), changed: Notify::new() })
    }

    pub(crate) fn bus(self: &Arc<Self>) -> Bus {
        Bus::new(Arc::new(Shared(Arc::clone(self))))
    }

    /// Waits for so many settlements, and returns them by offset.
    pub(crate) async fn settled(&self, count: usize) -> Vec<(u64, Settled)> {
        loop {
            let changed = self.changed.notified();
            {
                let mut settled = self.script.lock().unwrap().settled.clone();
                if settled.len() >= count {
                    settled.sort_by_key(|(offset, _)| *offset);
                    return settled;
                }
            }
            changed.await;
        }
    }
}

struct Shared(Arc<Scripted>);

#[async_trait]
impl Wrap for Shared {
    fn inner(&self) -> Option<&dyn Transport> {
        None
    }

    fn capabilities(&self) -> &Capabilities {
        &self.0.capabilities
    }

    async fn subscribe(&self, spec: SubscriptionSpec) -> Result<Box<dyn Consumer>, Error> {
        spec.check()?;
        self.0.script.lock().unwrap().in_flight_max = spec.in_flight_max;
        Ok(Box::new(Consuming { scripted: Arc::clone(&self.0), name: spec.name }))
    }
}

struct Consuming {
    scripted: Arc<Scripted>,
    name: SubscriptionName,
}

impl Consuming {
    fn deliver(&self) -> Option<Delivered> {
        let mut script = self.scripted.script.lock().unwrap();
        let unsettled = script.bytes.iter().filter(|bytes| **bytes > 0).count();
        if unsettled == script.in_flight_max as usize {
            return None;
        }
        let batch = script.waiting.pop_front()?;
        let offset = script.taken;
        script.taken += 1;
        script.bytes.push(batch.bytes().len());
        script.bytes_most = script.bytes_most.max(script.bytes.iter().sum());
        let topic = Topic::new("time").unwrap();
        let lease = Lease { subscription: self.name.clone(), topic, offset, attempt: 1 };
        Some(Delivered { lease, appended_ms: 0, batch })
    }
}

#[async_trait]
impl Consumer for Consuming {
    async fn next(&mut self) -> Result<Delivered, Error> {
        loop {
            let changed = self.scripted.changed.notified();
            if let Some(delivered) = self.deliver() {
                return Ok(delivered);
            }
            changed.await;
        }
    }

    fn settler(&self) -> Arc<dyn Settle> {
        Arc::new(Settler(Arc::clone(&self.scripted)))
    }

    async fn close(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}

struct Settler(Arc<Scripted>);

#[async_trait]
impl Settle for Settler {
    async fn settle(&self, lease: &Lease, outcome: Outcome) -> Result<(), Error> {
        let mut script = self.0.script.lock().unwrap();
        let offset = lease.offset;
        let settled = match outcome {
            Outcome::Extend if script.lost.contains(&offset) => {
                return Err(Error::refused(Kind::LeaseLost, "lost, as the test asked for"));
            }
            Outcome::Extend => {
                script.extended.push(offset);
                return Ok(());
            }
            Outcome::Ack => {
                if let Some(note) = &script.on_ack {
                    note(offset);
                }
                let mine = script.dead.iter().filter(|(of, _)| *of == offset);
                Settled::Acked { dead: mine.map(|(_, index)| *index).collect() }
            }
            Outcome::Release | Outcome::Nack(_) => Settled::Released,
        };
        script.bytes[offset as usize] = 0;
        script.settled.push((offset, settled));
        drop(script);
        self.0.changed.notify_waiters();
        Ok(())
    }

    async fn dead_letter(&self, lease: &Lease, events: Vec<DeadEvent>) -> Result<(), Error> {
        let mut script = self.0.script.lock().unwrap();
        script.dead.extend(events.into_iter().map(|event| (lease.offset, event.index)));
        Ok(())
    }
}

/// A batch of game minutes by sequence, each about an entity or about none.
pub(crate) fn batch<'a>(events: impl IntoIterator<Item = (u64, Option<&'a str>)>) -> Batch {
    let mut builder = BatchBuilder::new("test", "europe");
    for (sequence, entity) in events {
        let id = EventId { producer: ProducerId::from_bits(9), sequence };
        let event = TimeUpdated { total_minutes: sequence as i64, ..TimeUpdated::default() };
        builder.push_event(&event, id, 0, entity).unwrap();
    }
    builder.finish().unwrap()
}
