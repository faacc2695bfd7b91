//! A real embedded bus behind a switch that can hold and fail publishes and settlements.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tempfile::TempDir;
use tokio::sync::Semaphore;

use worldbus_bus::*;
use worldbus_events::v1::TimeUpdated;
use worldbus_events::{Batch, Event};
use worldbus_transport_embedded::{Embedded, Options};

/// What happens to a publish.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It fails without reaching the engine.
    Before(Error),
    /// It reaches the engine, and then fails.
    After(Error),
    /// The transport has a bug.
    Panic,
}

pub(crate) struct Faulty {
    pub(crate) inner: Arc<dyn Transport>,
    pub(crate) faults: Mutex<VecDeque<Fault>>,
    /// Publishes that may begin; closed: all.
    pub(crate) gate: Semaphore,
    /// Publishes that came to the gate.
    pub(crate) waiting: AtomicUsize,
    pub(crate) sizes: Mutex<Vec<usize>>,
    /// While it is set every publish fails with it.
    pub(crate) down: Mutex<Option<Error>>,
    /// A batch that holds this minute is refused.
    pub(crate) poison: Mutex<Option<i64>>,
    pub(crate) settle_faults: Arc<Mutex<VecDeque<Error>>>,
    /// Acks that may be answered; closed: all.
    pub(crate) settle_gate: Arc<Semaphore>,
    _dir: TempDir,
}

impl Faulty {
    pub(crate) fn open() -> Arc<Self> {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Arc<Self> {
        let dir = tempfile::tempdir().unwrap();
        let embedded = Embedded::open(dir.path().join("bus"), options).unwrap();
        let gate = Semaphore::new(0);
        gate.close();
        let settle_gate = Arc::new(Semaphore::new(0));
        settle_gate.close();
        Arc::new(Self {
            inner: Arc::new(embedded),
            faults: Mutex::default(),
            gate,
            waiting: AtomicUsize::new(0),
            sizes: Mutex::default(),
            down: Mutex::default(),
            poison: Mutex::default(),
            settle_faults: Arc::default(),
            settle_gate,
            _dir: dir,
        })
    }

    /// As [`Faulty::open`], each publish waiting for a permit.
    pub(crate) fn gated() -> Arc<Self> {
        let mut faulty = Self::open();
        Arc::get_mut(&mut faulty).unwrap().gate = Semaphore::new(0);
        faulty
    }

    /// As [`Faulty::open`], each ack waiting for a permit before its answer.
    pub(crate) fn slow_to_settle() -> Arc<Self> {
        let mut faulty = Self::open();
        Arc::get_mut(&mut faulty).unwrap().settle_gate = Arc::new(Semaphore::new(0));
        faulty
    }

    pub(crate) fn bus(self: &Arc<Self>) -> Bus {
        Bus::new(Arc::clone(self) as Arc<dyn Transport>)
    }

    /// The minutes of all time.updated events, as they are stored.
    pub(crate) async fn minutes(&self) -> Vec<i64> {
        let mut minutes = Vec::new();
        for batch in self.stored().await {
            minutes.extend(self::minutes(&batch));
        }
        minutes
    }

    pub(crate) async fn stored(&self) -> Vec<Batch> {
        let topic = Topic::new(TimeUpdated::TOPIC).unwrap();
        let spec = ReadSpec::topics([topic], Position::Start, false);
        let mut reader = self.inner.read(spec).await.unwrap();
        let mut batches = Vec::new();
        while let Some(stored) = reader.next().await.unwrap() {
            batches.push(stored.batch);
        }
        batches
    }
}

#[async_trait]
impl Wrap for Faulty {
    fn inner(&self) -> Option<&dyn Transport> {
        Some(&*self.inner)
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn publish(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        if let Ok(permit) = self.gate.acquire().await {
            permit.forget();
        }
        let fault = self.faults.lock().unwrap().pop_front();
        match fault {
            Some(Fault::Before(error)) => return Err(error),
            Some(Fault::Panic) => panic!("asked for by a test"),
            _ => {}
        }
        if let Some(error) = self.down.lock().unwrap().clone() {
            return Err(error);
        }
        let poison = *self.poison.lock().unwrap();
        if poison.is_some_and(|poison| minutes(&batch).any(|minute| minute == poison)) {
            return Err(Error::refused(Kind::TooLarge, "too large for this engine"));
        }
        self.sizes.lock().unwrap().push(batch.len());
        let appended = self.inner.publish(topic, batch).await?;
        match fault {
            Some(Fault::After(error)) => Err(error),
            _ => Ok(appended),
        }
    }

    async fn subscribe(&self, spec: SubscriptionSpec) -> Result<Box<dyn Consumer>, Error> {
        let inner = self.inner.subscribe(spec).await?;
        let (faults, gate) = (Arc::clone(&self.settle_faults), Arc::clone(&self.settle_gate));
        Ok(Box::new(FaultyConsumer { inner, faults, gate }))
    }
}

struct FaultyConsumer {
    inner: Box<dyn Consumer>,
    faults: Arc<Mutex<VecDeque<Error>>>,
    gate: Arc<Semaphore>,
}

#[async_trait]
impl Consumer for FaultyConsumer {
    async fn next(&mut self) -> Result<Delivered, Error> {
        self.inner.next().await
    }

    fn settler(&self) -> Arc<dyn Settle> {
        let inner = self.inner.settler();
        let (faults, gate) = (Arc::clone(&self.faults), Arc::clone(&self.gate));
        Arc::new(FaultySettler { inner, faults, gate })
    }

    async fn close(self: Box<Self>) -> Result<(), Error> {
        self.inner.close().await
    }
}

struct FaultySettler {
    inner: Arc<dyn Settle>,
    faults: Arc<Mutex<VecDeque<Error>>>,
    gate: Arc<Semaphore>,
}

#[async_trait]
impl Settle for FaultySettler {
    async fn settle(&self, lease: &Lease, outcome: Outcome) -> Result<(), Error> {
        if outcome == Outcome::Ack
            && let Some(error) = self.faults.lock().unwrap().pop_front()
        {
            return Err(error);
        }
        self.inner.settle(lease, outcome).await?;
        if outcome == Outcome::Ack
            && let Ok(permit) = self.gate.acquire().await
        {
            permit.forget();
        }
        Ok(())
    }

    async fn dead_letter(&self, lease: &Lease, events: Vec<DeadEvent>) -> Result<(), Error> {
        self.inner.dead_letter(lease, events).await
    }
}

pub(crate) fn minutes(batch: &Batch) -> impl Iterator<Item = i64> {
    batch.iter().map(|event| event.decode::<TimeUpdated>().unwrap().total_minutes)
}

pub(crate) fn tick(minute: i64) -> TimeUpdated {
    TimeUpdated { total_minutes: minute, ..Default::default() }
}
