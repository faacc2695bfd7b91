//! The spans of a publisher and their attributes, by OpenTelemetry's conventions for messaging:
//! `create` for each event (producer), `send` for the batch that it leaves in (client).

use std::collections::BTreeMap;

use tracing::Span;
use tracing::field::Empty;

use super::Outgoing;
use crate::names::Topic;
use crate::trace::{self, TARGET, TRACEPARENT, Tracer};
use crate::transport::Transport;
use worldbus_events::Batch;

/// A sampled event on its way: its span, which lasts until the event is durable or has failed, and
/// the metadata that carries its context.
pub(super) struct Creation {
    pub(super) span: Span,
    pub(super) metadata: BTreeMap<String, String>,
}

/// The span of an event that is published; `None` if it is not sampled. It continues the trace that
/// the caller names, or the one that the event carries already, or the one that this task is in.
#[inline]
pub(super) fn created(
    transport: &dyn Transport,
    topic: &Topic,
    event: &Outgoing<'_>,
) -> Option<Box<Creation>> {
    create(trace::tracer()?, transport, topic, event).map(Box::new)
}

#[cold]
fn create(
    tracer: &dyn Tracer,
    transport: &dyn Transport,
    topic: &Topic,
    event: &Outgoing<'_>,
) -> Option<Creation> {
    let span = tracing::debug_span!(
        target: TARGET,
        "create",
        otel.name = %format_args!("create {topic}"),
        otel.kind = "producer",
        otel.status_code = Empty,
        otel.status_description = Empty,
        "error.type" = Empty,
        "messaging.system" = transport.messaging_systems().0,
        "messaging.operation.name" = "create",
        "messaging.operation.type" = "create",
        "messaging.destination.name" = %topic,
        "messaging.message.id" = Empty,
        "messaging.message.body.size" = event.payload.len(),
        "worldbus.event_type" = event.event_type,
        "worldbus.entity" = event.entity,
        "worldbus.place" = event.place,
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
pub(super) fn sending(
    transport: &dyn Transport,
    topic: &Topic,
    batch: &Batch,
    created: &[Span],
) -> Span {
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
        "messaging.system" = transport.messaging_systems().0,
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
