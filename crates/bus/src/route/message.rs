//! What a handler gets beside the payload.

use crate::names::Topic;
use crate::transport::Lease;
use bytes::Bytes;
use std::sync::Arc;
use worldbus_events::{Batch, EventId, EventView};

/// One event as it was delivered. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Message {
    /// The event type's number.
    pub event_type: u32,
    /// The event's identity.
    pub id: EventId,
    /// When it happened: wall time in milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// When the engine got it.
    pub appended_ms: i64,
    /// The topic that it came on.
    pub topic: Topic,
    /// The batch that it came in, by number within the topic.
    pub offset: u64,
    /// Which delivery of the batch this is, from 1.
    pub attempt: u32,
    /// The encoded payload message.
    pub payload: Bytes,
    entity: Option<Bytes>,
    batch: Arc<Batch>,
}

impl Message {
    pub(super) fn new(
        batch: &Arc<Batch>,
        view: &EventView<'_>,
        lease: &Lease,
        appended_ms: i64,
    ) -> Self {
        Self {
            event_type: view.event_type,
            id: view.id,
            timestamp_ms: view.timestamp_ms,
            appended_ms,
            topic: lease.topic.clone(),
            offset: lease.offset,
            attempt: lease.attempt,
            payload: view.payload_bytes(),
            entity: view.entity.map(|entity| batch.bytes().slice_ref(entity.as_bytes())),
            batch: Arc::clone(batch),
        }
    }

    /// What the event is about, if it names it.
    pub fn entity(&self) -> Option<&str> {
        // A slice of a checked batch: always UTF-8.
        self.entity.as_deref().and_then(|entity| std::str::from_utf8(entity).ok())
    }

    /// The service that published the event.
    pub fn source(&self) -> &str {
        self.batch.source()
    }

    /// The world that it happened in.
    pub fn world(&self) -> &str {
        self.batch.world()
    }
}
