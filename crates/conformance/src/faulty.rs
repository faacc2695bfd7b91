//! Transports with a known fault, to show that the suite finds it: a suite that cannot fail proves
//! nothing.
//!
//! Not for: faults of the engine or the network that a transport must survive; those a transport's
//! own tests make.

mod consumer;
mod settler;
mod transport;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use tokio::time::Instant;

use crate::engine::{Engine, Pace};
use worldbus_bus::{Capability, Error, Lease, Topic, Transport};
use worldbus_events::Batch;

/// How long a faulty engine may take: where something is lost, a check waits for as long. Longer
/// than a router drains.
const DEADLINE: Duration = Duration::from_secs(4);

/// What a [`Faulty`] engine does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bug {
    /// Nothing: to show that the wrapper itself is no fault.
    Nothing,
    /// A delivery is acked before its consumer has it.
    AcksEarly,
    /// Consumers are not asked where to begin: always at the start.
    BeginsAtStart,
    /// Of the topics of a subscription only the first is bound.
    BindsOneTopic,
    /// A batch is answered and not appended, now and then.
    DropsOne,
    /// A batch is delivered twice, now and then.
    DoublesOne,
    /// A dead letter takes all events of its batch along.
    DeadLettersWholeBatch,
    /// A dead letter is answered and not written.
    ForgetsDeadLetters,
    /// The events of a batch are about nothing.
    ForgetsEntities,
    /// The events of a batch happened at no place of their own.
    ForgetsPlaces,
    /// A nack is taken for an ack.
    ForgetsNacks,
    /// A subscription ends with its consumer.
    ForgetsSubscriptions,
    /// It can do something and declares that it cannot.
    Hides(Capability),
    /// Attempts have no bound.
    IgnoresAttemptsMax,
    /// A nacked batch comes again at once.
    IgnoresDelays,
    /// A lease ends when it would have ended.
    IgnoresExtensions,
    /// All batches come.
    IgnoresFilters,
    /// A consumer gets as much as there is.
    IgnoresInFlightMax,
    /// Where to begin is always now.
    IgnoresStarts,
    /// What is known by its id is appended again.
    KeepsDuplicates,
    /// Dead letters come in the order in which they were written.
    ListsOldestFirst,
    /// The last event of a batch is lost.
    LosesAnEvent,
    /// A delivery that comes while no consumer waits is gone.
    LosesOnCancel,
    /// What was taken ahead stays under lease when the consumer closes.
    LosesOnClose,
    /// Publishing is answered before the batch is durable.
    LosesOnRestart,
    /// What is replayed is lost.
    ForgetsReplays,
    /// A topic is deleted though something is lost with it and that was not asked for.
    DeletesUnasked,
    /// What is deleted stays.
    KeepsDeleted,
    /// What is discarded stays.
    KeepsDiscarded,
    /// What is replayed is published again.
    PublishesReplays,
    /// Batches that are published at once change their order.
    PublishesOutOfOrder,
    /// A reader leaves out a batch, now and then.
    ReadsWithGaps,
    /// An ack after the end of the lease is refused.
    RefusesLateAcks,
    /// What was handed back counts as an attempt.
    ReleaseCounts,
    /// All subscriptions of a topic are one.
    SharesOneQueue,
    /// Bytes that are no batch vanish without trace.
    SwallowsHostileBytes,
    /// Two deliveries change places.
    SwapsTwo,
    /// A settlement of a lost lease is answered as if it counted.
    TakesLostLeases,
    /// A lease and a delay beyond their bound are shortened.
    ShortensAbsurd,
    /// A batch that is too large is answered as if it were appended.
    TakesOversize,
}

/// A correct engine with one fault.
pub struct Faulty {
    engine: Arc<dyn Engine>,
    bug: Bug,
    memory: Arc<Memory>,
}

impl Faulty {
    /// Plants a fault. The engine must be able to do what the fault is about.
    pub fn new(engine: impl Engine, bug: Bug) -> Self {
        Self { engine: Arc::new(engine), bug, memory: Arc::default() }
    }
}

/// What the parts of a faulty engine have in common.
#[derive(Default)]
struct Memory(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    /// Calls so far, of publishing, of `next`, of subscribing, whatever comes "now and then".
    turn: u64,
    /// Batches that were answered and are not appended yet.
    unwritten: Vec<(Topic, Batch)>,
    /// Each delivery and when it was made. Of one test: bounded by its deliveries.
    delivered: HashMap<Lease, (Batch, Instant)>,
    /// What was set aside, as batches of one.
    dead: Vec<(Topic, Batch)>,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is time again: each `every`th call.
    fn turn(&self, every: u64) -> bool {
        let mut this = self.lock();
        this.turn += 1;
        this.turn.is_multiple_of(every)
    }
}

impl Engine for Faulty {
    fn transport(&self) -> Arc<dyn Transport> {
        let inner = self.engine.transport();
        Arc::new(transport::Wrong::new(inner, self.bug, Arc::clone(&self.memory)))
    }

    fn pace(&self) -> Pace {
        Pace { deadline: DEADLINE, ..self.engine.pace() }
    }

    fn restart(&self) -> Option<BoxFuture<'_, ()>> {
        let restart = self.engine.restart()?;
        Some(
            async {
                self.memory.lock().unwritten.clear();
                restart.await;
            }
            .boxed(),
        )
    }

    fn inject(&self, topic: &Topic, bytes: Bytes) -> Option<BoxFuture<'_, Result<(), Error>>> {
        match self.bug {
            Bug::SwallowsHostileBytes => Some(ready(Ok(())).boxed()),
            _ => self.engine.inject(topic, bytes),
        }
    }
}
