//! What a handler gets in addition to the decoded event.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::names::{SubscriptionName, Topic};
use crate::trace::{self, TraceParent};
use crate::transport::Delivered;
use worldbus_events::{EventId, EventView};

/// The name in an event's metadata of the event that it follows from, by id.
pub const CAUSATION: &str = "causation";
/// The name in an event's metadata of what belongs together: a request, its reply, and all that
/// follows from them have one value.
pub const CORRELATION: &str = "correlation";

/// One event as it was delivered. Cheap to clone: it shares the delivery that it came in.
#[derive(Debug, Clone)]
pub struct Message {
    /// The event type's number.
    pub event_type: u32,
    /// The event's identity.
    pub id: EventId,
    /// When it happened: wall time in milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    index: u32,
    payload: Range<usize>,
    entity: Option<Range<usize>>,
    place: Option<Range<usize>>,
    delivered: Arc<Delivered>,
}

impl Message {
    pub(super) fn new(delivered: &Arc<Delivered>, view: &EventView<'_>) -> Self {
        let whole = delivered.batch.bytes();
        Self {
            event_type: view.event_type,
            id: view.id,
            timestamp_ms: view.timestamp_ms,
            index: view.index,
            payload: range_of(whole, view.payload),
            entity: view.entity.map(|entity| range_of(whole, entity.as_bytes())),
            place: view.place.map(|place| range_of(whole, place.as_bytes())),
            delivered: Arc::clone(delivered),
        }
    }

    /// The encoded payload message.
    pub fn payload(&self) -> &[u8] {
        &self.bytes()[self.payload.clone()]
    }

    /// The encoded payload message as shared bytes, without copying.
    pub fn payload_bytes(&self) -> Bytes {
        self.bytes().slice(self.payload.clone())
    }

    /// What the event is about, if it names it.
    pub fn entity(&self) -> Option<&str> {
        self.text(self.entity.as_ref()?)
    }

    /// Where it happened, if it names it; else it happened at its entity.
    pub fn place(&self) -> Option<&str> {
        self.text(self.place.as_ref()?)
    }

    /// The service that published the event.
    pub fn source(&self) -> &str {
        self.delivered.batch.source()
    }

    /// The world that it happened in.
    pub fn world(&self) -> &str {
        self.delivered.batch.world()
    }

    /// The topic that it came on.
    pub fn topic(&self) -> &Topic {
        &self.delivered.lease.topic
    }

    /// The batch that it came in, by number within the topic.
    pub fn offset(&self) -> u64 {
        self.delivered.lease.offset
    }

    /// Which delivery of the batch this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.delivered.lease.attempt
    }

    /// When the engine got it: wall time in milliseconds since the Unix epoch.
    pub fn appended_ms(&self) -> i64 {
        self.delivered.appended_ms
    }

    /// The context that the event carries, if it is sampled: where it comes from.
    pub fn trace_parent(&self) -> Option<TraceParent> {
        trace::of_metadata(self.metadata()?)
    }

    /// Free entries, if the event has any.
    pub fn metadata(&self) -> Option<&BTreeMap<String, String>> {
        self.delivered.batch.metadata_of(self.index)
    }

    /// What it belongs to, if it names it: see [`CORRELATION`].
    pub fn correlation(&self) -> Option<&str> {
        self.entry(CORRELATION)
    }

    /// The id of the event that it follows from, if it names it: see [`CAUSATION`].
    pub fn causation(&self) -> Option<&str> {
        self.entry(CAUSATION)
    }

    /// The metadata of an event that is published because of this one, for
    /// [`Outgoing::metadata`](crate::Outgoing::metadata): this one's id as [`CAUSATION`], and its
    /// [`CORRELATION`] if it has one. Some 60 bytes of each such event.
    /// [`Publisher::publish_because`](crate::Publisher::publish_because) gives them to typed ones.
    pub fn because(&self) -> BTreeMap<String, String> {
        let mut entries = BTreeMap::from([(CAUSATION.to_owned(), self.id.to_string())]);
        if let Some(correlation) = self.correlation() {
            entries.insert(CORRELATION.to_owned(), correlation.to_owned());
        }
        entries
    }

    fn entry(&self, name: &str) -> Option<&str> {
        self.metadata()?.get(name).map(String::as_str)
    }

    /// Which event of its batch it is.
    pub(super) fn index(&self) -> u32 {
        self.index
    }

    pub(super) fn subscription(&self) -> &SubscriptionName {
        &self.delivered.lease.subscription
    }

    fn text(&self, range: &Range<usize>) -> Option<&str> {
        // A slice of a checked batch: always UTF-8.
        std::str::from_utf8(&self.bytes()[range.clone()]).ok()
    }

    fn bytes(&self) -> &Bytes {
        self.delivered.batch.bytes()
    }
}

/// Where a part of a batch stands in it. Not a slice that is shared: an event has three of
/// them, and each would count itself.
fn range_of(whole: &Bytes, part: &[u8]) -> Range<usize> {
    if part.is_empty() {
        return 0..0;
    }
    let begin = part.as_ptr() as usize - whole.as_ptr() as usize;
    begin..begin + part.len()
}
