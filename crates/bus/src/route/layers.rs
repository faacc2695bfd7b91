//! The layers that every handler has: retry and tracing.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tracing::{Instrument, Span};

use super::handler::{Handler, HandlerError};
use super::message::Message;
use crate::calls::Backoff;
use crate::trace::{self, Consuming};
use crate::wall::WallClock;

/// How often and how fast a failing event is tried again in place.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// Attempts in all, at least 1.
    pub attempts_max: u32,
    /// The delay before the second attempt; it doubles each time, with jitter.
    pub delay_min: Duration,
    /// The longest delay.
    pub delay_max: Duration,
}

impl Default for RetryPolicy {
    /// Five attempts, 100 ms to 5 s apart.
    fn default() -> Self {
        Self {
            attempts_max: 5,
            delay_min: Duration::from_millis(100),
            delay_max: Duration::from_secs(5),
        }
    }
}

/// Tries a failing event again, unless its error is permanent.
pub struct Retry<H> {
    inner: H,
    policy: RetryPolicy,
    wall: Arc<dyn WallClock>,
}

impl<H> Retry<H> {
    /// Retries around a handler; `wall` gives the time of the first failure.
    pub fn new(inner: H, policy: RetryPolicy, wall: Arc<dyn WallClock>) -> Self {
        Self { inner, policy, wall }
    }
}

impl<H: Handler> Handler for Retry<H> {
    async fn handle(&self, message: Message) -> Result<(), HandlerError> {
        let mut backoff = Backoff::new(self.policy.delay_min, self.policy.delay_max);
        let mut attempt = 1;
        let mut first_failed_ms = None;
        loop {
            let Err(error) = self.inner.handle(message.clone()).await else {
                return Ok(());
            };
            let first_failed_ms = *first_failed_ms.get_or_insert_with(|| self.wall.now_us() / 1000);
            if error.is_permanent() || attempt >= self.policy.attempts_max {
                return Err(error.after(attempt, first_failed_ms));
            }
            tracing::debug!(event_id = %message.id, attempt, %error, "tried again");
            attempt += 1;
            tokio::time::sleep(backoff.next()).await;
        }
    }
}

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
