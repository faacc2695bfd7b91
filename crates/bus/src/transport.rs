//! The contract between the bus and what carries its batches. The comments here are the
//! durability contract: every transport keeps them, and users may rely on them.

mod capabilities;
pub mod limits;
mod resume;
mod wrap;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;

use crate::error::{Error, Kind};
use crate::names::{SubscriptionName, Topic};
use worldbus_events::{Batch, Change, EventView, v1};

pub use capabilities::{Capabilities, Capability};
pub use resume::{Gap, GapReason, LogEnd, LogId, Notice, RESUME_OVERLAP, Resume};
pub use wrap::Wrap;

/// What OpenTelemetry calls us, giving and taking.
const MESSAGING_SYSTEMS: (&str, &str) = ("worldbus", "worldbus");

/// Carries batches between processes, or within one, and keeps them. One that wraps another is
/// written by [`Wrap`].
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// What this transport can do.
    fn capabilities(&self) -> &Capabilities;

    /// What OpenTelemetry calls the system behind it: the one that batches are given to, and the
    /// one that they are taken from. For the spans of traces.
    fn messaging_systems(&self) -> (&'static str, &'static str) {
        MESSAGING_SYSTEMS
    }

    /// The world that the engine's services simulate, where it knows: an event-bus does. Who
    /// publishes for people takes it as the default.
    fn world(&self) -> Option<&str> {
        None
    }

    /// Appends a batch to a topic, creating the topic if need be.
    ///
    /// When it returns `Ok` the batch is durable in the engine: it survives the loss of every
    /// process and of power. Batches of one producer are appended in the order in which
    /// `publish` was first polled, one call after the other. Events that the engine has
    /// already, by id, are left out and count as appended.
    ///
    /// # Errors
    /// With [`Fate::Refused`](crate::Fate) or `Retry` nothing was appended. With `Unknown` the
    /// batch may be there: the same batch may be published again without a duplicate, within
    /// the engine's window.
    async fn publish(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error>;

    /// Opens a subscription as one of its competing consumers, creating it if need be.
    ///
    /// A subscription is durable: batches appended after its creation wait for it. Its start
    /// is used at creation only; topics and filter are those of the last opening.
    ///
    /// A consumer gets no batch without an event that its filter admits: what an engine without
    /// the capability does not leave out, the transport does.
    ///
    /// # Errors
    /// `Unsupported` if the start asks for a capability that is missing; those of
    /// [`SubscriptionSpec::check`].
    async fn subscribe(&self, spec: SubscriptionSpec) -> Result<Box<dyn Consumer>, Error>;

    /// Reads what is stored, past or as it comes, without leases and without trace.
    ///
    /// # Errors
    /// `Unsupported` without [`Capability::Replay`](crate::Capability::Replay); those of
    /// [`ReadSpec::check`].
    async fn read(&self, spec: ReadSpec) -> Result<Box<dyn Reader>, Error>;

    /// The topics that exist, by name.
    ///
    /// # Errors
    /// `Unsupported` without [`Capability::Replay`](crate::Capability::Replay): who keeps nothing
    /// has nothing to count.
    async fn topics(&self) -> Result<Vec<TopicStatus>, Error>;

    /// Where the log ends now, if the engine numbers its commits over all topics. `None` if it does
    /// not.
    async fn end(&self) -> Result<Option<LogEnd>, Error> {
        Ok(None)
    }

    /// The subscriptions that exist, by name.
    ///
    /// # Errors
    /// `Unsupported` without [`Capability::Delete`](crate::Capability::Delete).
    async fn subscriptions(&self) -> Result<Vec<SubscriptionStatus>, Error> {
        Err(lists_nothing(self.capabilities()))
    }

    /// Deletes a topic with all that it holds and with the dead letters of its events. Its name is
    /// free again when this returns, and the subscriptions that were bound to it are no longer.
    ///
    /// # Errors
    /// `Unsupported` without [`Capability::Delete`](crate::Capability::Delete); `NotFound`;
    /// without `force`, `InUse` for one that holds batches or that a subscription is bound to.
    async fn delete_topic(&self, name: &Topic, force: bool) -> Result<(), Error> {
        let _ = (name, force);
        Err(lists_nothing(self.capabilities()))
    }

    /// Deletes a subscription with its dead letters.
    ///
    /// # Errors
    /// `Unsupported` without [`Capability::Delete`](crate::Capability::Delete); `NotFound`;
    /// `InUse` for one that has consumers, and, without `force`, for one that batches wait for or
    /// that has dead letters.
    async fn delete_subscription(&self, name: &SubscriptionName, force: bool) -> Result<(), Error> {
        let _ = (name, force);
        Err(lists_nothing(self.capabilities()))
    }

    /// The event types of studios that the engine knows besides Worldbus's own: none, unless it is
    /// an event-bus.
    ///
    /// # Errors
    /// `TooLarge` if they are more than a message takes.
    async fn studio_types(&self) -> Result<StudioTypes, Error> {
        Ok(StudioTypes::default())
    }

    /// Adds the event types of a FileDescriptorSet to those that the engine knows and keeps. All of
    /// them are durable when this returns; after an error none is added, unless its fate is
    /// unknown.
    ///
    /// # Errors
    /// `Unsupported` for all but an event-bus; `Invalid` for a malformed set, or one that conflicts
    /// with what is there, naming both; `TooLarge`.
    async fn register_types(&self, set: Bytes) -> Result<Vec<RegisteredType>, Error> {
        let _ = set;
        let context = format!(
            "the {} transport keeps no catalogue: register at a running event-bus (--url \
             http://HOST:7070), or give the file to each command by --catalog FILE",
            self.capabilities().transport
        );
        Err(Error::refused(Kind::Unsupported, context))
    }

    /// The latest dead letters of a subscription, or of all, newest first, at most `limit`. All of
    /// them are in memory at once: use pages where their size is not known.
    async fn dead_letters(
        &self,
        subscription: Option<&SubscriptionName>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error>;

    /// The next dead letters behind `after` (an id of the page before; `None`: from the newest on),
    /// newest first, at most `limit` and a few MiB. Empty at the end.
    ///
    /// An engine without pages returns the whole list as the first.
    async fn dead_letter_page(
        &self,
        subscription: Option<&SubscriptionName>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        match after {
            None => self.dead_letters(subscription, limit).await,
            Some(_) => Ok(Vec::new()),
        }
    }

    /// How many dead letters there are, without reading them; `None` if the engine keeps no count.
    /// Over SQS it is approximate, and some seconds old.
    ///
    /// # Errors
    /// `Unauthorized` if the role may not count; others if the engine is away. The number is
    /// unknown then, not 0.
    async fn dead_letter_count(&self) -> Result<Option<u64>, Error> {
        Ok(None)
    }

    /// Gives dead letters back to the subscription that set them aside, and to no other. Each
    /// comes as a batch of its own, as new (attempt 1), on the topic that it was published on;
    /// durable when this returns; then they are no dead letters any more. Returns the ids that
    /// were not there. After an error, those that were given back before it stay so.
    ///
    /// # Errors
    /// `NotFound` for a subscription that does not exist; `TooLarge` beyond
    /// [`DEAD_LETTER_ID_COUNT_MAX`](crate::limits::DEAD_LETTER_ID_COUNT_MAX).
    async fn replay_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error>;

    /// Removes dead letters for good. Returns the ids that were not there.
    ///
    /// # Errors
    /// As [`Transport::replay_dead_letters`].
    async fn discard_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error>;

    /// Stops taking new work and waits for what is under way to be durable.
    async fn close(&self) -> Result<(), Error>;
}

/// The refusal of a transport that keeps no list: without
/// [`Capability::Delete`](crate::Capability::Delete).
pub fn lists_nothing(capabilities: &Capabilities) -> Error {
    let context = format!(
        "the {} transport keeps no list of topics and subscriptions, and can neither replay nor \
         delete; choose another by WORLDBUS_URL",
        capabilities.transport
    );
    Error::refused(Kind::Unsupported, context)
}

/// Event types of studios that an engine knows, each a FileDescriptorSet for
/// [`Catalogue::joined`](worldbus_events::Catalogue::joined).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StudioTypes {
    /// Those that were registered, which the engine keeps.
    pub registered: Bytes,
    /// Those that it was started with.
    pub configured: Bytes,
}

/// An event type of a set that was registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredType {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// The topic of its events.
    pub topic: String,
    /// What became of it.
    pub change: Change,
}

/// Where a subscription or a reader begins in a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Behind what is there now.
    Now,
    /// At the oldest batch that is kept.
    Start,
    /// At this offset. One below the oldest that is kept begins there, one beyond the end at the
    /// end.
    Offset(u64),
    /// At the first batch appended at or after this wall time, in milliseconds since the Unix
    /// epoch.
    TimeMs(i64),
    /// At the first batch of this commit or a later one (see [`Serial`]). For readers of engines
    /// that number commits; a subscription takes it where it takes a time.
    Commit(u64),
}

/// Which events are asked for. Engines and readers leave out whole batches without any; the
/// events that are not asked for in a batch that has some are skipped by the receiver.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Event types by number; empty admits all.
    pub types: Vec<u32>,
    /// Entities; empty admits all.
    pub entities: Vec<String>,
    /// Places; empty admits all. An event that names none is at its entity.
    pub places: Vec<String>,
}

impl Filter {
    /// Whether it admits everything.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty() && self.entities.is_empty() && self.places.is_empty()
    }

    /// Whether it admits an event of the batch.
    pub fn admits(&self, batch: &Batch) -> bool {
        batch.admits(&self.types, &self.entities, &self.places)
    }

    /// Whether it admits this event.
    pub fn admits_event(&self, event: &EventView<'_>) -> bool {
        event.admits(&self.types, &self.entities, &self.places)
    }
}

/// What a consumer asks for when it opens a subscription.
#[derive(Debug, Clone)]
pub struct SubscriptionSpec {
    /// The subscription. Its instances compete for deliveries.
    pub name: SubscriptionName,
    /// The topics it is bound to, at least one.
    pub topics: Vec<Topic>,
    /// The events it wants.
    pub filter: Filter,
    /// Where it begins if it does not exist yet.
    pub start: Position,
    /// How long a delivery is the consumer's before it goes to another; from
    /// [`LEASE_MIN`](crate::limits::LEASE_MIN) to [`LEASE_MAX`](crate::limits::LEASE_MAX).
    pub lease: Duration,
    /// After this many deliveries without a settlement a batch is dead-lettered; at least 1.
    pub attempts_max: u32,
    /// Unsettled deliveries of this consumer at once, in batches; at least 1.
    pub in_flight_max: u32,
    /// Who consumes, for people: host and process. At most
    /// [`CONSUMER_BYTES_MAX`](crate::limits::CONSUMER_BYTES_MAX).
    pub consumer: String,
}

impl SubscriptionSpec {
    /// Lease of 30 s, 16 batches in flight, 10 attempts, from now.
    pub fn new(name: SubscriptionName, topics: Vec<Topic>) -> Self {
        Self {
            name,
            topics,
            filter: Filter::default(),
            start: Position::Now,
            lease: Duration::from_secs(30),
            attempts_max: 10,
            in_flight_max: 16,
            consumer: String::new(),
        }
    }
}

/// One open consumer of a subscription. Dropping it releases nothing early: what it holds
/// under lease goes to others when the lease ends.
#[async_trait]
pub trait Consumer: Send {
    /// The next delivery; waits for one. Cancel-safe: a delivery is never lost between the
    /// engine and the caller, it comes again after its lease at the latest.
    ///
    /// # Errors
    /// `Closed` after the transport was closed; others only after the transport's own
    /// attempts to reconnect ended.
    async fn next(&mut self) -> Result<Delivered, Error>;

    /// Why nothing comes at the moment, while the consumer tries on by itself: the error of its
    /// last attempt, `None` once one succeeds. For readiness. No receiver if the transport does not
    /// try on but ends [`Consumer::next`] with an error.
    fn outage(&self) -> Option<watch::Receiver<Option<Error>>> {
        None
    }

    /// Settles the deliveries of this consumer; may be used from several tasks.
    fn settler(&self) -> Arc<dyn Settle>;

    /// Hands back, as [`Outcome::Release`], what was delivered ahead and not yet returned by
    /// `next`. Leases of deliveries that were returned stay as they are.
    async fn close(self: Box<Self>) -> Result<(), Error>;
}

/// The right to settle a delivery. Valid until it is given to another consumer, across
/// reconnects and restarts of either side.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The subscription.
    pub subscription: SubscriptionName,
    /// The topic of the batch.
    pub topic: Topic,
    /// The batch.
    pub offset: u64,
    /// Which delivery of it, from 1.
    pub attempt: u32,
}

/// A batch under lease.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// The right to settle it.
    pub lease: Lease,
    /// When it was appended, in milliseconds since the Unix epoch.
    pub appended_ms: i64,
    /// The batch, as it was published.
    pub batch: Batch,
}

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done: it does not come again.
    Ack,
    /// Failed: it comes again after the delay, at most
    /// [`NACK_DELAY_MAX`](crate::limits::NACK_DELAY_MAX).
    Nack(Duration),
    /// Not begun, as at shutdown: it comes again at once and the attempt does not count.
    Release,
    /// Still working: the lease begins again.
    Extend,
}

/// An event of a delivery that no retry will mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadEvent {
    /// Which event of the batch.
    pub index: u32,
    /// Why, for people.
    pub reason: String,
    /// How often its handler was tried.
    pub attempts: u32,
    /// Wall time of the first failure, in milliseconds since the Unix epoch.
    pub first_failed_ms: i64,
    /// Wall time of the last.
    pub last_failed_ms: i64,
}

/// Settles deliveries.
#[async_trait]
pub trait Settle: Send + Sync {
    /// Settles a delivery. An ack is known to the engine when this returns, and durable
    /// shortly after: if the engine fails in between, the delivery comes again.
    ///
    /// # Errors
    /// `LeaseLost` if the delivery was given to another consumer or settled before; those of
    /// [`Outcome::check`].
    async fn settle(&self, lease: &Lease, outcome: Outcome) -> Result<(), Error>;

    /// Sets events of a delivery aside as dead letters, their bytes unchanged. Durable when
    /// it returns. The delivery is still to be settled. Each event stands once; reasons are cut at
    /// [`REASON_BYTES_MAX`](crate::limits::REASON_BYTES_MAX).
    ///
    /// # Errors
    /// As [`Settle::settle`]; those of
    /// [`check_dead_events`](crate::limits::check_dead_events).
    async fn dead_letter(&self, lease: &Lease, events: Vec<DeadEvent>) -> Result<(), Error>;
}

/// What a reader asks for.
#[derive(Debug, Clone)]
pub struct ReadSpec {
    /// Topics and where to begin in each. Empty: every topic, also those created later, from
    /// `default_from`.
    pub topics: Vec<(Topic, Position)>,
    /// Where to begin in topics that are not listed.
    pub default_from: Position,
    /// Whether topics that are not listed are read as well.
    pub all_topics: bool,
    /// The events that are wanted.
    pub filter: Filter,
    /// Whether to wait for what comes, or to end behind what is there.
    pub follow: bool,
    /// Which log the offsets and commits above are of. `None`: whichever is read. If another is
    /// read, or one that ends before such a commit, all of them are a time instead, and the
    /// reader reports [`Notice::Resumed`] before its first batch.
    pub resume: Option<Resume>,
}

impl ReadSpec {
    /// Every topic from one place on.
    pub fn all(from: Position, follow: bool) -> Self {
        Self {
            topics: Vec::new(),
            default_from: from,
            all_topics: true,
            filter: Filter::default(),
            follow,
            resume: None,
        }
    }

    /// Some topics from one place on.
    pub fn topics(topics: impl IntoIterator<Item = Topic>, from: Position, follow: bool) -> Self {
        let topics = topics.into_iter().map(|topic| (topic, from)).collect();
        Self { topics, all_topics: false, ..Self::all(from, follow) }
    }
}

/// Reads batches in the order of their offsets within each topic, and across topics in the
/// order in which they were appended as far as they were read together.
#[async_trait]
pub trait Reader: Send {
    /// The next batch. `None` at the end, unless the reader follows. Cancel-safe.
    ///
    /// # Errors
    /// `Damaged` if what is stored there is not what was appended.
    async fn next(&mut self) -> Result<Option<StoredBatch>, Error>;

    /// What is to be reported before the batch that [`Reader::next`] returned last; to be asked
    /// until there is no more, after the reader was opened and after each batch. Engines without
    /// a name for their log report nothing.
    fn notice(&mut self) -> Option<Notice> {
        None
    }
}

/// A batch as it is stored.
#[derive(Debug, Clone)]
pub struct StoredBatch {
    /// The topic.
    pub topic: Topic,
    /// The number of the batch within the topic.
    pub offset: u64,
    /// When it was appended, in milliseconds since the Unix epoch.
    pub appended_ms: i64,
    /// Its place in the order of all topics, if the engine has one.
    pub serial: Option<Serial>,
    /// The batch.
    pub batch: Batch,
}

/// The place of a batch in the one order of all topics. A reader of an engine that has it gets
/// batches in this order, from wherever it began in each topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial {
    /// The commit that appended it; commits are numbered without end and never twice.
    pub commit: u64,
    /// Which batch of the commit, from 0.
    pub index: u32,
}

/// What became of a published batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Appended {
    /// The offset that it got, if the engine has offsets and the batch was not a duplicate.
    pub offset: Option<u64>,
    /// The events that the engine had already, by their index in the batch, rising. Empty without
    /// [`Capability::DropDuplicates`].
    pub duplicates: Vec<u32>,
}

/// A topic and how much it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicStatus {
    /// The topic.
    pub topic: Topic,
    /// The oldest offset that is kept.
    pub first_offset: u64,
    /// The offset that the next batch gets.
    pub next_offset: u64,
    /// Events appended since the topic was created.
    pub events_total: u64,
    /// Bytes of the batches that are kept.
    pub bytes: u64,
    /// How long nothing was published to it and no one read it by name, as far as the engine knows.
    pub idle: Option<Duration>,
}

/// A subscription and what waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionStatus {
    /// The subscription.
    pub name: SubscriptionName,
    /// The topics that it is bound to.
    pub topics: Vec<Topic>,
    /// Batches that are not settled.
    pub batches: u64,
    /// Consumers that have it open now.
    pub consumers: u64,
    /// How long it has been unused, as far as the engine knows; zero while it has consumers.
    pub idle: Option<Duration>,
}

/// An event, or bytes that were none, set aside.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// Its name within the engine; opaque text. Letters that share one go together.
    pub id: String,
    /// The subscription that could not handle it.
    pub subscription: SubscriptionName,
    /// The topic that it came on, as far as it is known.
    pub topic: Option<Topic>,
    /// The batch that it came in, if the engine numbers batches.
    pub offset: Option<u64>,
    /// The consumer that gave up.
    pub consumer: String,
    /// Why, attempts and times.
    pub event: DeadEvent,
    /// What was set aside.
    pub content: DeadContent,
}

/// What was set aside.
#[derive(Debug, Clone, PartialEq)]
pub enum DeadContent {
    /// The event itself, as a message of its own.
    Event(v1::GameEvent),
    /// Bytes that did not decode, as they came, with what they were declared to be.
    Undecoded {
        /// The content type that they were declared to have.
        content_type: String,
        /// The bytes.
        bytes: Bytes,
    },
}
