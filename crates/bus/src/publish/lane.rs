//! One topic of a publisher: a bounded buffer in front, one batch in flight behind.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use metrics::{Counter, Histogram};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::PublisherOptions;
use super::completion::{Completion, Pending};
use crate::bus::Bus;
use crate::error::{Error, Kind};
use crate::names::Topic;
use crate::transport::Transport;
use worldbus_events::{About, Batch, BatchBuilder, EventId, ProducerId};

/// What an event takes in the buffer besides its payload, entity, place and metadata.
const EVENT_OVERHEAD_BYTES: usize = 64;

/// What the caller wants of an event. The events of a batch all have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Wish {
    /// Durable in the engine, or an error.
    #[default]
    Durable,
    /// Durable in the engine or in the spool.
    OrSpool,
}

/// An event on its way into the buffer.
pub(super) struct New<'a> {
    /// Not given: the next of this lane's.
    pub(super) id: Option<EventId>,
    pub(super) timestamp_ms: i64,
    /// Of payload and metadata.
    pub(super) bytes: usize,
    /// Lasts until its batch is delivered or has failed.
    pub(super) span: Option<&'a Span>,
}

pub(super) fn cost(payload_bytes: usize, about: About<'_>, metadata_memory: usize) -> u32 {
    let names: usize = [about.entity, about.place].into_iter().flatten().map(str::len).sum();
    let own = payload_bytes + names + metadata_memory;
    let bytes = own + EVENT_OVERHEAD_BYTES;
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

pub(super) struct Lane {
    topic: Topic,
    /// Asked for its limits each time: one that was away when the bus was opened learns them.
    transport: Arc<dyn Transport>,
    spool_bytes_max: usize,
    buffer_bytes_max: u32,
    /// Bytes of the buffer that are free. A semaphore since it is fair: who waits first is
    /// first.
    pub(super) room: Semaphore,
    state: Mutex<State>,
    /// Why the batch in flight is being retried.
    retrying: Mutex<Option<Error>>,
    metrics: OnceLock<Metrics>,
    /// Wakes the flusher when the buffer is no longer empty.
    pub(super) filled: Notify,
    pub(super) drained: watch::Sender<bool>,
    pub(super) closing: CancellationToken,
}

/// What is counted of a topic, looked up once.
pub(super) struct Metrics {
    pub(super) events_total: Counter,
    pub(super) batch_events: Histogram,
    pub(super) batch_bytes: Histogram,
}

#[derive(Debug)]
struct State {
    builder: BatchBuilder,
    builder_cost: usize,
    builder_wish: Wish,
    /// Those of sampled events: at most as many as the batch has events.
    builder_spans: Vec<Span>,
    completion: Arc<Completion>,
    /// When the first event of the batch came that is being built.
    builder_since: Option<Instant>,
    sealed: VecDeque<Sealed>,
    producer: ProducerId,
    next_sequence: u64,
    closed: bool,
}

#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) batch: Batch,
    pub(super) wish: Wish,
    pub(super) cost: usize,
    pub(super) spans: Vec<Span>,
    pub(super) completion: Arc<Completion>,
    /// When its first event came.
    pub(super) since: Instant,
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl Lane {
    /// A lane that a task has yet to empty, holding [`Lane::emptying`].
    pub(super) fn new(bus: &Bus, topic: Topic, options: &PublisherOptions) -> Result<Self, Error> {
        let spool_bytes_max = bus.spool().map_or(usize::MAX, |spool| spool.batch_bytes_max());
        Ok(Self {
            topic,
            transport: Arc::clone(bus.transport()),
            spool_bytes_max,
            buffer_bytes_max: options.buffer_bytes_max,
            room: Semaphore::new(options.buffer_bytes_max as usize),
            state: Mutex::new(State {
                builder: BatchBuilder::new(&options.source, &options.world),
                builder_cost: 0,
                builder_wish: Wish::default(),
                builder_spans: Vec::new(),
                completion: Arc::default(),
                builder_since: None,
                sealed: VecDeque::new(),
                producer: random_producer()?,
                next_sequence: 0,
                closed: false,
            }),
            retrying: Mutex::default(),
            metrics: OnceLock::new(),
            filled: Notify::new(),
            drained: watch::Sender::new(false),
            closing: CancellationToken::new(),
        })
    }

    /// For the task that empties the lane: when that ends, nothing waits for it any more.
    pub(super) fn emptying(self: &Arc<Self>) -> Emptying {
        Emptying(Arc::clone(self))
    }

    pub(super) fn topic(&self) -> &Topic {
        &self.topic
    }

    pub(super) fn metrics(&self) -> &Metrics {
        self.metrics.get_or_init(|| {
            let topic = || self.topic.to_string();
            Metrics {
                events_total: metrics::counter!(
                    "worldbus_published_events_total", "topic" => topic()
                ),
                batch_events: metrics::histogram!("worldbus_batch_events", "topic" => topic()),
                batch_bytes: metrics::histogram!("worldbus_batch_bytes", "topic" => topic()),
            }
        })
    }

    /// Takes room in the buffer, waiting for it in the order of calls.
    pub(super) async fn reserve(&self, cost: u32, payload_bytes: usize) -> Result<(), Error> {
        let payload_bytes_max = self.transport.capabilities().payload_bytes_max;
        if payload_bytes > payload_bytes_max || cost > self.buffer_bytes_max {
            let max = payload_bytes_max.min(self.buffer_bytes_max as usize);
            let context = format!(
                "an event of {payload_bytes} bytes for topic {}: the transport takes {max} at \
                 most; put large data elsewhere and publish a reference to it",
                self.topic
            );
            return Err(Error::refused(Kind::TooLarge, context));
        }
        let permit = match self.room.try_acquire_many(cost) {
            Ok(permit) => permit,
            Err(_) => self.room.acquire_many(cost).await.map_err(|_| self.closed())?,
        };
        permit.forget();
        Ok(())
    }

    /// Adds an event for which room is reserved.
    pub(super) fn push(
        &self,
        wish: Wish,
        cost: u32,
        New { id, timestamp_ms, bytes, span }: New<'_>,
        push: impl FnOnce(&mut BatchBuilder, EventId) -> Result<(), worldbus_events::Error>,
    ) -> Result<Pending, Error> {
        let mut state = self.lock();
        if state.closed {
            return Err(self.closed());
        }
        let numbered = EventId { producer: state.producer, sequence: state.next_sequence };
        let event_id = id.unwrap_or(numbered);
        let idle = state.builder.is_empty() && state.sealed.is_empty();
        let batch_bytes_max = self.transport.capabilities().batch_bytes_max;
        let batch_bytes_max = batch_bytes_max.min(self.spool_bytes_max);
        let fits = state.builder.fits(event_id, timestamp_ms, bytes, batch_bytes_max);
        if !fits || state.builder_wish != wish {
            state.seal();
            state.builder_wish = wish;
        }
        let index = state.builder.len();
        if let Err(error) = push(&mut state.builder, event_id) {
            drop(state);
            self.room.add_permits(cost as usize);
            return Err(error.into());
        }
        state.builder_since.get_or_insert_with(Instant::now);
        state.next_sequence += u64::from(id.is_none());
        state.builder_cost += cost as usize;
        if let Some(span) = span {
            span.record("messaging.message.id", tracing::field::display(event_id));
            state.builder_spans.push(span.clone());
        }
        let pending = Pending::new(Arc::clone(&state.completion), event_id, index);
        drop(state);
        if idle {
            self.filled.notify_one();
        }
        Ok(pending)
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.closing.cancel();
        self.room.close();
        self.filled.notify_one();
    }

    /// It is not emptied any more: what waits has failed.
    fn abandon(&self) {
        self.close();
        let left = {
            let mut state = self.lock();
            state.seal();
            std::mem::take(&mut state.sealed)
        };
        drop(left);
        self.drained.send_replace(true);
    }

    pub(super) async fn drained(&self) {
        // The sender is in this lane: waiting cannot fail.
        let _ = self.drained.subscribe().wait_for(|drained| *drained).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the last attempt at the batch in flight failed; `None` while nothing is retried.
    pub(super) fn retrying(&self) -> Option<Error> {
        self.retrying.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_retrying(&self, error: Option<Error>) {
        *self.retrying.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    fn closed(&self) -> Error {
        let context = format!("topic {}: the publisher was closed", self.topic);
        Error::refused(Kind::Closed, context)
    }

    /// Whether the next batch may still grow, or begin.
    pub(super) fn may_grow(&self) -> bool {
        let state = self.lock();
        state.sealed.is_empty() && !state.closed
    }

    /// The next batch to send; `Err(closed)` if no batch waits.
    pub(super) fn next(&self) -> Result<Sealed, bool> {
        let mut state = self.lock();
        if state.sealed.is_empty() {
            state.seal();
        }
        let closed = state.closed;
        state.sealed.pop_front().ok_or(closed)
    }
}

/// Held by the task that empties a lane. However that ends, by a panic of a transport as well,
/// nothing waits for it.
pub(super) struct Emptying(Arc<Lane>);

impl Deref for Emptying {
    type Target = Lane;

    fn deref(&self) -> &Lane {
        &self.0
    }
}

impl Drop for Emptying {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        // Not if it has its answer.
        self.completion.abandon();
    }
}

impl State {
    fn seal(&mut self) {
        if let Some(batch) = self.builder.finish() {
            let cost = std::mem::take(&mut self.builder_cost);
            let completion = std::mem::take(&mut self.completion);
            let (wish, spans) = (self.builder_wish, std::mem::take(&mut self.builder_spans));
            let since = self.builder_since.take().unwrap_or_else(Instant::now);
            self.sealed.push_back(Sealed { batch, wish, cost, spans, completion, since });
        }
    }
}

fn random_producer() -> Result<ProducerId, Error> {
    let bits = getrandom::u64().map_err(|error| {
        let context = format!("no randomness for a producer id: {error}");
        Error::retry(Kind::Unavailable, context).with_source(error)
    })?;
    Ok(ProducerId::from_bits(bits))
}
