//! The publisher: events in, batches out, an answer for each event once its batch is durable.
//!
//! Batching is adaptive: a batch leaves at once when none is in flight; while one is, events
//! gather. So an idle publisher adds no delay and a busy one sends full batches.

mod because;
mod completion;
mod lane;
mod parts;
mod send;
mod spans;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::bus::Bus;
use crate::error::{Error, Kind};
use crate::names::Topic;
use crate::trace::{self, TraceParent};
use lane::{Lane, New, Wish};
use worldbus_events::{About, Event, EventId, NewEvent};

pub use completion::{Pending, PendingReceipt, Receipt};

/// Topics that one publisher writes to.
const TOPICS_MAX: usize = 1024;
/// What an entry of metadata takes in a batch besides its texts.
const ENTRY_BYTES: usize = 16;
/// What an entry of metadata takes in memory besides its texts, about: a node of a map has room for
/// eleven.
const ENTRY_MEMORY_BYTES: usize = 64;
/// What the metadata of an event takes in memory besides its entries, about.
const METADATA_MEMORY_BYTES: usize = 512;

/// How a publisher batches, waits and gives up.
#[derive(Debug, Clone)]
pub struct PublisherOptions {
    /// The service that publishes, e.g. `weather-manager`.
    pub source: String,
    /// The world that the events happen in.
    pub world: String,
    /// How long an event waits for others to share its batch: a topic's batches leave at least
    /// this far apart, unless they are full. Not given: as the transport wants it, which is not
    /// at all unless its engine charges by the request.
    pub linger: Option<Duration>,
    /// Bytes buffered for each topic, in flight and metadata included. Beyond them publishing
    /// waits.
    pub buffer_bytes_max: u32,
    /// How long after its first event came a batch is tried before its events fail or are spooled.
    /// Each is tried once at the least, so that an engine that is only slow fails none.
    pub timeout: Duration,
    /// For publishers whose events are one sequence, which has to be taken up where it broke off:
    /// all of them have this token. It is cancelled when events fail that were not refused, and
    /// then nothing more is sent: what waits fails as well, with the fate `Retry`.
    pub halt: Option<CancellationToken>,
}

impl PublisherOptions {
    /// The transport's linger, 16 MiB of buffer a topic, 30 s of trying.
    pub fn new(source: &str, world: &str) -> Self {
        Self {
            source: source.to_owned(),
            world: world.to_owned(),
            linger: None,
            buffer_bytes_max: 16 << 20,
            timeout: Duration::from_secs(30),
            halt: None,
        }
    }
}

/// An event whose payload is encoded already: what gateways and simulated services publish.
#[derive(Debug, Clone, Default)]
pub struct Outgoing<'a> {
    /// The event type's number.
    pub event_type: u32,
    /// The identity of a simulated event; others are numbered by the publisher.
    pub id: Option<EventId>,
    /// Wall time in milliseconds since the Unix epoch; now, if not given.
    pub timestamp_ms: Option<i64>,
    /// What the event is about.
    pub entity: Option<&'a str>,
    /// Where it happened, if that is not its entity.
    pub place: Option<&'a str>,
    /// The encoded payload message.
    pub payload: &'a [u8],
    /// Free entries.
    pub metadata: Option<&'a BTreeMap<String, String>>,
    /// The span that it follows from, where traces are exported. Not given: the one that its
    /// metadata names, or else the one that this task is in.
    pub parent: Option<&'a TraceParent>,
}

/// Publishes the events of one source in one world. Cheap to clone; all clones share buffers
/// and numbering. Events of a topic keep the order in which their calls were first polled.
#[derive(Debug, Clone)]
pub struct Publisher {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bus: Bus,
    options: PublisherOptions,
    /// By topic.
    lanes: RwLock<Vec<Arc<Lane>>>,
}

impl Bus {
    /// A publisher for a service in a world, with the default options.
    pub fn publisher(&self, source: &str, world: &str) -> Publisher {
        self.publisher_with(PublisherOptions::new(source, world))
    }

    /// A publisher with options.
    pub fn publisher_with(&self, options: PublisherOptions) -> Publisher {
        let (bus, lanes) = (self.clone(), RwLock::default());
        Publisher { shared: Arc::new(Shared { bus, options, lanes }) }
    }
}

impl Publisher {
    /// Publishes an event and waits until it is durable in the engine.
    ///
    /// If the call is dropped before its answer, the event may be published or not.
    ///
    /// # Errors
    /// With its fate: `Refused` (e.g. `TooLarge`, `Closed`), `Retry`, or `Unknown`, after the
    /// publisher's own attempts during [`PublisherOptions::timeout`]. Where older events of the
    /// topic wait in a spool it waits for them, so that order holds: `Unavailable` (retry) if
    /// they are still there at the timeout.
    pub async fn publish<E: Event>(&self, event: &E) -> Result<EventId, Error> {
        self.enqueue(About::default(), event).await?.await
    }

    /// As [`Publisher::publish`], for an event about an entity, perhaps at a place:
    /// `publish_about(About::from("npc-7").at("market"), &event)`.
    ///
    /// # Errors
    /// As [`Publisher::publish`].
    pub async fn publish_about<E: Event>(
        &self,
        about: impl Into<About<'_>>,
        event: &E,
    ) -> Result<EventId, Error> {
        self.enqueue(about, event).await?.await
    }

    /// Publishes an event, or spools it if the bus has a spool and the engine does not take the
    /// event within [`PublisherOptions::timeout`]; at once if it is known to be away. Without
    /// a spool it is [`Publisher::publish`]: whether there is one is up to whoever opens the
    /// bus.
    ///
    /// A spooled event is durable on this machine's disk and goes to the engine when that
    /// returns, with the same id. Events of a topic keep their order, spooled or not. When the
    /// spool is full this waits for room.
    ///
    /// # Errors
    /// As [`Publisher::publish`], but an engine that is away is an error only if the spool
    /// cannot take the event either, e.g. `Full` (retry) when its disk is full.
    pub async fn publish_or_spool<E: Event>(&self, event: &E) -> Result<Receipt, Error> {
        PendingReceipt::new(self.put(About::default(), event, Wish::OrSpool).await?).await
    }

    /// As [`Publisher::publish_or_spool`], for an event about an entity, perhaps at a place.
    ///
    /// # Errors
    /// As [`Publisher::publish_or_spool`].
    pub async fn publish_about_or_spool<E: Event>(
        &self,
        about: impl Into<About<'_>>,
        event: &E,
    ) -> Result<Receipt, Error> {
        PendingReceipt::new(self.put(about.into(), event, Wish::OrSpool).await?).await
    }

    /// Puts an event into the buffer, waiting for room; the answer comes later through
    /// [`Pending`]. For callers that have many events in flight.
    ///
    /// # Errors
    /// `TooLarge` or `Closed`; the event is then not in the buffer.
    pub async fn enqueue<E: Event>(
        &self,
        about: impl Into<About<'_>>,
        event: &E,
    ) -> Result<Pending, Error> {
        self.put(about.into(), event, Wish::Durable).await
    }

    async fn put<E: Event>(
        &self,
        about: About<'_>,
        event: &E,
        wish: Wish,
    ) -> Result<Pending, Error> {
        if trace::is_on() {
            let payload = event.encode_to_vec();
            let (event_type, payload) = (E::NUMBER, &payload[..]);
            let About { entity, place } = about;
            let event = Outgoing { event_type, entity, place, payload, ..Outgoing::default() };
            return self.put_raw(&Topic::new(E::TOPIC)?, event, wish).await;
        }
        let lane = self.lane(E::TOPIC)?;
        let bytes = event.encoded_len();
        let cost = lane::cost(bytes, about, 0);
        lane.reserve(cost, bytes).await?;
        let timestamp_ms = self.shared.bus.wall().now_us() / 1000;
        let new = New { id: None, timestamp_ms, bytes, span: None };
        lane.push(wish, cost, new, |builder, id| builder.push_event(event, id, timestamp_ms, about))
    }

    /// As [`Publisher::enqueue`], for an event whose payload is encoded already.
    ///
    /// # Errors
    /// As [`Publisher::enqueue`].
    pub async fn enqueue_raw(&self, topic: &Topic, event: Outgoing<'_>) -> Result<Pending, Error> {
        self.put_raw(topic, event, Wish::Durable).await
    }

    /// As [`Publisher::enqueue_raw`], for an event that may be spooled: see
    /// [`Publisher::publish_or_spool`].
    ///
    /// # Errors
    /// As [`Publisher::enqueue`].
    pub async fn enqueue_raw_or_spool(
        &self,
        topic: &Topic,
        event: Outgoing<'_>,
    ) -> Result<PendingReceipt, Error> {
        Ok(PendingReceipt::new(self.put_raw(topic, event, Wish::OrSpool).await?))
    }

    async fn put_raw(
        &self,
        topic: &Topic,
        event: Outgoing<'_>,
        wish: Wish,
    ) -> Result<Pending, Error> {
        let lane = self.lane(topic.as_str())?;
        let creation = spans::created(&**self.shared.bus.transport(), topic, &event);
        let metadata = creation.as_ref().map(|creation| &creation.metadata).or(event.metadata);
        let metadata_memory = metadata.map_or(0, metadata_memory);
        let Outgoing { entity, place, .. } = event;
        let cost = lane::cost(event.payload.len(), About { entity, place }, metadata_memory);
        lane.reserve(cost, event.payload.len()).await?;
        let now_ms = || self.shared.bus.wall().now_us() / 1000;
        let timestamp_ms = event.timestamp_ms.unwrap_or_else(now_ms);
        let span = creation.as_ref().map(|creation| &creation.span);
        let metadata_bytes = metadata.map_or(0, metadata_bytes);
        let bytes = event.payload.len() + metadata_bytes;
        let new = New { id: event.id, timestamp_ms, bytes, span };
        lane.push(wish, cost, new, |builder, id| {
            builder.push(NewEvent {
                event_type: event.event_type,
                id,
                timestamp_ms,
                entity,
                place,
                payload: event.payload,
                metadata,
            })
        })
    }

    /// Why a batch of this publisher is being retried at the moment: the error of the last failed
    /// attempt. For services that retry for as long as it takes and report why.
    pub fn retrying(&self) -> Option<Error> {
        let lanes = self.shared.lanes.read().unwrap_or_else(PoisonError::into_inner);
        lanes.iter().find_map(|lane| lane.retrying())
    }

    /// Waits until everything that is buffered now is durable or has failed, and takes no
    /// more. Dropping the last clone does the same without waiting.
    pub async fn close(&self) {
        let lanes = self.shared.lanes.read().unwrap_or_else(PoisonError::into_inner).clone();
        for lane in lanes {
            lane.close();
            lane.drained().await;
        }
    }

    fn lane(&self, topic: &str) -> Result<Arc<Lane>, Error> {
        let find =
            |lanes: &[Arc<Lane>]| lanes.binary_search_by(|lane| lane.topic().as_str().cmp(topic));
        let lanes = self.shared.lanes.read().unwrap_or_else(PoisonError::into_inner);
        if let Ok(at) = find(&lanes) {
            return Ok(Arc::clone(&lanes[at]));
        }
        drop(lanes);
        let topic_name = Topic::new(topic)?;
        let mut lanes = self.shared.lanes.write().unwrap_or_else(PoisonError::into_inner);
        let at = match find(&lanes) {
            Ok(at) => return Ok(Arc::clone(&lanes[at])),
            Err(at) => at,
        };
        if lanes.len() == TOPICS_MAX {
            let context = format!("topic {topic}: a publisher writes to {TOPICS_MAX} at most");
            return Err(Error::refused(Kind::Invalid, context));
        }
        let Shared { bus, options, .. } = &*self.shared;
        let lane = Arc::new(Lane::new(bus, topic_name, options)?);
        let (emptying, bus, options) = (lane.emptying(), bus.clone(), options.clone());
        // Ends after the lane was closed.
        tokio::spawn(async move { send::flush(&emptying, bus, options).await });
        lanes.insert(at, Arc::clone(&lane));
        Ok(lane)
    }
}

/// Bytes that the entries take in a batch, at the most.
fn metadata_bytes(entries: &BTreeMap<String, String>) -> usize {
    let entry = |(name, value): (&String, &String)| name.len() + value.len() + ENTRY_BYTES;
    ENTRY_BYTES + entries.iter().map(entry).sum::<usize>()
}

/// What the entries take in memory, about.
fn metadata_memory(entries: &BTreeMap<String, String>) -> usize {
    let entry = |(name, value): (&String, &String)| name.len() + value.len() + ENTRY_MEMORY_BYTES;
    METADATA_MEMORY_BYTES + entries.iter().map(entry).sum::<usize>()
}

impl Drop for Shared {
    fn drop(&mut self) {
        for lane in self.lanes.get_mut().unwrap_or_else(PoisonError::into_inner) {
            lane.close();
        }
    }
}
