//! Publishing because of an event: what follows from it names it. Metadata costs bytes, so it is
//! asked for by name and never added unasked. Not here: the spans of traces, which follow from one
//! another by themselves.

use super::{Outgoing, Publisher};
use crate::error::Error;
use crate::names::Topic;
use crate::route::Message;
use worldbus_events::{About, Event, EventId};

impl Publisher {
    /// As [`Publisher::publish_about`], for an event that follows from one that is being handled:
    /// it carries [`Message::because`] as metadata.
    ///
    /// # Errors
    /// As [`Publisher::publish`].
    pub async fn publish_because<E: Event>(
        &self,
        message: &Message,
        about: impl Into<About<'_>>,
        event: &E,
    ) -> Result<EventId, Error> {
        let (mut payload, metadata) = (Vec::new(), message.because());
        event.write_payload(&mut payload);
        let About { entity, place } = about.into();
        let outgoing = Outgoing {
            event_type: E::NUMBER,
            entity,
            place,
            payload: &payload,
            metadata: Some(&metadata),
            ..Outgoing::default()
        };
        self.enqueue_raw(&Topic::new(E::TOPIC)?, outgoing).await?.await
    }
}
