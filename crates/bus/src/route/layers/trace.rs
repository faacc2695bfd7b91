//! Each event is handled in a span. Not here: what spans are and who exports them (`trace`).

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tracing::{Instrument, Span};

use crate::route::handler::{Handler, HandlerError};
use crate::route::message::Message;
use crate::trace::{self, Consuming};

/// Runs each event in a span: of its trace if it carries one, else one that names it in logs.
pub struct Trace<H> {
    inner: H,
    system: &'static str,
}

impl<H> Trace<H> {
    /// Spans around a handler; `system` is where events come from, as traces call it:
    /// [`Transport::messaging_systems`](crate::Transport::messaging_systems).
    pub fn new(inner: H, system: &'static str) -> Self {
        Self { inner, system }
    }

    /// In a box: it is rare, and would make the future of every event larger.
    fn traced(&self, message: Message, span: Span) -> BoxFuture<'_, Result<(), HandlerError>>
    where
        H: Handler,
    {
        let handled = async move {
            let result = self.inner.handle(message).instrument(span.clone()).await;
            if let Err(error) = &result {
                trace::failed([&span], "handler", error);
            }
            result
        };
        handled.boxed()
    }

    fn of_trace(&self, message: &Message) -> Option<Span> {
        let parent = message.trace_parent()?;
        let consuming = Consuming {
            system: self.system,
            topic: message.topic(),
            subscription: message.subscription(),
            attempt: message.attempt(),
        };
        trace::processing(consuming, message.id, message.event_type, parent)
    }
}

impl<H: Handler> Handler for Trace<H> {
    async fn handle(&self, message: Message) -> Result<(), HandlerError> {
        if trace::is_on()
            && let Some(span) = self.of_trace(&message)
        {
            return self.traced(message, span).await;
        }
        let span = tracing::debug_span!(
            "event",
            event_id = %message.id,
            event_type = message.event_type,
            topic = %message.topic(),
            attempt = message.attempt(),
        );
        if span.is_disabled() {
            return self.inner.handle(message).await;
        }
        self.traced(message, span).await
    }
}
