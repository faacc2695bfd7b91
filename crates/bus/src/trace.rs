//! Traces: what followed from what, across processes, as OpenTelemetry's messaging conventions say.
//!
//! A span is begun where an event is published and where one is handled, and the event carries the
//! context of the first to the second in its metadata, as a W3C `traceparent`. A trace begins with
//! a request or with an event, never at a consumer; an event that is not sampled carries nothing.
//!
//! The spans are those of the `tracing` crate, under the target [`TARGET`]. Who exports them is not
//! known here: it is given to [`install`], and without it no span is begun and nothing is read.

mod parent;
mod spans;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use tracing::Span;

use worldbus_events::EventView;

pub use parent::TraceParent;
pub use spans::{Consuming, appending, failed, processing};

/// The target of all spans that belong to traces; logs need not show them.
pub const TARGET: &str = "worldbus_trace";
/// The name in an event's metadata under which it carries its context.
pub const TRACEPARENT: &str = "traceparent";

/// Whatever gives the spans of this process their identity, and exports them.
pub trait Tracer: Send + Sync {
    /// The context of a span, if it is sampled.
    fn context(&self, span: &Span) -> Option<TraceParent>;

    /// The context of the span that this task is in, if it is sampled.
    fn current(&self) -> Option<TraceParent>;

    /// Makes a span that was not entered yet the child of one elsewhere.
    fn set_parent(&self, span: &Span, parent: TraceParent);
}

static TRACER: OnceLock<Box<dyn Tracer>> = OnceLock::new();

/// Traces from now on. Once is enough; the first stays. `false` if there was one.
pub fn install(tracer: Box<dyn Tracer>) -> bool {
    TRACER.set(tracer).is_ok()
}

/// What this process traces with, if it does.
pub(crate) fn tracer() -> Option<&'static dyn Tracer> {
    TRACER.get().map(AsRef::as_ref)
}

/// Whether this process traces.
pub fn is_on() -> bool {
    TRACER.get().is_some()
}

/// The context of the span that this task is in, if there is one and it is sampled.
pub fn current() -> Option<TraceParent> {
    TRACER.get()?.current()
}

/// Makes a span that was not entered yet the child of one elsewhere.
pub fn set_parent(span: &Span, parent: TraceParent) {
    if let Some(tracer) = TRACER.get() {
        tracer.set_parent(span, parent);
    }
}

/// The context that an event carries, if it is sampled.
pub fn carried(event: &EventView<'_>) -> Option<TraceParent> {
    of_metadata(event.metadata()?)
}

pub(crate) fn of_metadata(entries: &BTreeMap<String, String>) -> Option<TraceParent> {
    let parent: TraceParent = entries.get(TRACEPARENT)?.parse().ok()?;
    parent.is_sampled().then_some(parent)
}
