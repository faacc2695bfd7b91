//! The spans of the bus and their attributes, by OpenTelemetry's conventions for messaging:
//! `create` for each event (producer), `send` for the batch that it leaves in (client), `process`
//! where it is handled (consumer).

use std::collections::BTreeMap;
use std::fmt::Display;

use tracing::Span;
use tracing::field::Empty;

use super::{TARGET, TRACEPARENT, TRACER, TraceParent, Tracer, carried};
use crate::bus::Bus;
use crate::names::{SubscriptionName, Topic};
use crate::publish::Outgoing;
use worldbus_events::{Batch, EventId, EventView};

/// A sampled event on its way: its span, which lasts until the event is durable or has failed, and
/// the metadata that carries its context.
pub(crate) struct Creation {
    pub(crate) span: Span,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// The span of an event that is published; `None` if it is not sampled. It continues the trace that
/// the caller names, or the one that the event carries already, or the one that this task is in.
#[inline]
pub(crate) fn created(bus: &Bus, topic: &Topic, event: &Outgoing<'_>) -> Option<Box<Creation>> {
    create(TRACER.get()?.as_ref(), bus, topic, event).map(Box::new)
}

#[cold]
fn create(tracer: &dyn Tracer, bus: &Bus, topic: &Topic, event: &Outgoing<'_>) -> Option<Creation> {
    let span = tracing::debug_span!(
        target: TARGET,
        "create",
        otel.name = %format_args!("create {topic}"),
        otel.kind = "producer",
        otel.status_code = Empty,
        otel.status_description = Empty,
        "error.type" = Empty,
        "messaging.system" = bus.transport().messaging_systems().0,
        "messaging.operation.name" = "create",
        "messaging.operation.type" = "create",
        "messaging.destination.name" = %topic,
        "messaging.message.id" = Empty,
        "messaging.message.body.size" = event.payload.len(),
        "worldbus.event_type" = event.event_type,
        "worldbus.entity" = event.entity,
    );
    let given = || event.metadata?.get(TRACEPARENT)?.parse().ok();
    if let Some(parent) = event.parent.copied().or_else(given) {
        tracer.set_parent(&span, parent);
    }
    let context = tracer.context(&span)?;
    let mut metadata = event.metadata.cloned().unwrap_or_default();
    metadata.insert(TRACEPARENT.to_owned(), context.to_string());
    Some(Creation { span, metadata })
}

/// The span of a batch that is given to the engine: within the first of its sampled events, linked
/// to the others.
pub(crate) fn sending(bus: &Bus, topic: &Topic, batch: &Batch, created: &[Span]) -> Span {
    let Some((first, others)) = created.split_first() else { return Span::none() };
    let span = tracing::debug_span!(
        target: TARGET,
        parent: first,
        "send",
        otel.name = %format_args!("send {topic}"),
        otel.kind = "client",
        otel.status_code = Empty,
        otel.status_description = Empty,
        "error.type" = Empty,
        "messaging.system" = bus.transport().messaging_systems().0,
        "messaging.operation.name" = "send",
        "messaging.operation.type" = "send",
        "messaging.destination.name" = %topic,
        "messaging.batch.message_count" = batch.len(),
        "worldbus.world" = batch.world(),
    );
    for other in others {
        span.follows_from(other);
    }
    span
}

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

/// Says in spans that what they stand for failed.
pub fn failed<'a>(spans: impl IntoIterator<Item = &'a Span>, kind: &str, error: &dyn Display) {
    for span in spans {
        span.record("otel.status_code", "ERROR");
        span.record("otel.status_description", tracing::field::display(error));
        span.record("error.type", kind);
    }
}
