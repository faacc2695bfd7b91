//! The spans of brokers and consumers and their attributes, by OpenTelemetry's conventions for
//! messaging: `append` where a broker stores an event (server), `process` where it is handled
//! (consumer). Those of publishers are in `publish`.

use std::fmt::Display;

use tracing::Span;
use tracing::field::Empty;

use super::{TARGET, TRACER, TraceParent, carried};
use crate::names::{SubscriptionName, Topic};
use worldbus_events::{Batch, EventId, EventView};

/// Who processes events, and where they came from.
#[derive(Debug, Clone, Copy)]
pub struct Consuming<'a> {
    /// The messaging system: [`Transport::messaging_systems`](crate::Transport::messaging_systems).
    pub system: &'static str,
    /// The topic.
    pub topic: &'a Topic,
    /// The subscription.
    pub subscription: &'a SubscriptionName,
    /// Which delivery it is, from 1.
    pub attempt: u32,
}

/// The span in which an event that carries a context is processed. Not entered yet.
pub fn processing(
    consuming: Consuming<'_>,
    id: EventId,
    event_type: u32,
    parent: TraceParent,
) -> Option<Span> {
    let tracer = TRACER.get()?;
    let Consuming { system, topic, subscription, attempt } = consuming;
    let span = tracing::debug_span!(
        target: TARGET,
        "process",
        otel.name = %format_args!("process {topic}"),
        otel.kind = "consumer",
        otel.status_code = Empty,
        otel.status_description = Empty,
        "error.type" = Empty,
        "messaging.system" = system,
        "messaging.operation.name" = "process",
        "messaging.operation.type" = "process",
        "messaging.destination.name" = %topic,
        "messaging.destination.subscription.name" = %subscription,
        "messaging.message.id" = %id,
        "worldbus.event_type" = event_type,
        "worldbus.attempt" = attempt,
    );
    tracer.set_parent(&span, parent);
    Some(span)
}

/// The spans of a broker's part in publishing a batch: one for each event that carries a context.
pub fn appending(topic: &Topic, batch: &Batch) -> Vec<Span> {
    let Some(tracer) = TRACER.get().filter(|_| batch.has_metadata()) else { return Vec::new() };
    let span = |event: EventView<'_>| {
        let parent = carried(&event)?;
        let span = tracing::debug_span!(
            target: TARGET,
            "append",
            otel.name = %format_args!("append {topic}"),
            otel.kind = "server",
            otel.status_code = Empty,
            otel.status_description = Empty,
            "error.type" = Empty,
            "messaging.system" = "worldbus",
            "messaging.operation.name" = "append",
            "messaging.destination.name" = %topic,
            "messaging.message.id" = %event.id,
            "worldbus.event_type" = event.event_type,
        );
        tracer.set_parent(&span, parent);
        Some(span)
    };
    batch.iter().filter_map(span).collect()
}

/// Records in spans that what they stand for failed.
pub fn failed<'a>(spans: impl IntoIterator<Item = &'a Span>, kind: &str, error: &dyn Display) {
    for span in spans {
        span.record("otel.status_code", "ERROR");
        span.record("otel.status_description", tracing::field::display(error));
        span.record("error.type", kind);
    }
}
