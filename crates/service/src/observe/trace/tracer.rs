//! The bus's contexts and OpenTelemetry's, one into the other.

use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use worldbus_bus::trace::{TraceParent, Tracer};

/// Spans that the layer of [`super::Traces`] knows.
pub(super) struct Layered;

impl Tracer for Layered {
    fn context(&self, span: &Span) -> Option<TraceParent> {
        sampled(&span.context())
    }

    fn current(&self) -> Option<TraceParent> {
        sampled(&Context::current())
    }

    fn set_parent(&self, span: &Span, parent: TraceParent) {
        let flags = TraceFlags::default().with_sampled(parent.is_sampled());
        let (trace_id, span_id) = (parent.trace_id(), parent.span_id());
        let (trace_id, span_id) = (TraceId::from(trace_id), SpanId::from(span_id));
        let remote = SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE);
        // It fails for a span without a subscriber: then there is nothing to be a child.
        let _ = span.set_parent(Context::new().with_remote_span_context(remote));
    }
}

fn sampled(context: &Context) -> Option<TraceParent> {
    let span = context.span();
    let span = span.span_context();
    let ids = (u128::from_be_bytes(span.trace_id().to_bytes()), span.span_id().to_bytes());
    span.is_sampled().then(|| TraceParent::new(ids.0, u64::from_be_bytes(ids.1), true))?
}
