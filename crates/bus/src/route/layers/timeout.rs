//! A handler that takes too long fails. Not for work that goes on when its future is dropped, as
//! that of `spawn_blocking` does.

use std::time::Duration;

use crate::route::handler::{Handler, HandlerError};
use crate::route::message::Message;

/// Fails what takes longer, with a temporary error: [`Retry`](super::Retry) around it tries again.
/// The handler is dropped where it waits, so what it began may be half done.
pub struct Timeout<H> {
    inner: H,
    after: Duration,
}

impl<H> Timeout<H> {
    /// A handler with a bound of time.
    pub fn new(inner: H, after: Duration) -> Self {
        Self { inner, after }
    }
}

impl<H: Handler> Handler for Timeout<H> {
    async fn handle(&self, message: Message) -> Result<(), HandlerError> {
        let handled = tokio::time::timeout(self.after, self.inner.handle(message)).await;
        handled.unwrap_or_else(|_| {
            let after_ms = self.after.as_millis();
            Err(HandlerError::temporary(format!("the handler took longer than {after_ms} ms")))
        })
    }
}
