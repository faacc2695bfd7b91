//! What handles one event, and how it fails.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use super::message::Message;
use worldbus_events::Event;

/// Any error that a handler ends with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Handles events. Layers are handlers around a handler.
pub trait Handler: Send + Sync {
    /// Handles one event. `Ok` means that it need not come again.
    fn handle(&self, message: Message) -> impl Future<Output = Result<(), HandlerError>> + Send;
}

/// Any handler, in a box. Handlers of different types in one place cost an allocation an
/// event; the layers within cost none.
#[derive(Clone)]
pub struct BoxHandler(Arc<dyn Boxed>);

impl BoxHandler {
    /// Puts a handler into a box.
    pub fn new(handler: impl Handler + 'static) -> Self {
        Self(Arc::new(handler))
    }
}

impl Handler for BoxHandler {
    async fn handle(&self, message: Message) -> Result<(), HandlerError> {
        self.0.handle(message).await
    }
}

/// A [`Handler`] whose futures are in boxes.
trait Boxed: Send + Sync {
    fn handle(&self, message: Message) -> BoxFuture<'_>;
}

type BoxFuture<'a> = Pin<Box<dyn Future<Output = Result<(), HandlerError>> + Send + 'a>>;

impl<H: Handler> Boxed for H {
    fn handle(&self, message: Message) -> BoxFuture<'_> {
        Box::pin(Handler::handle(self, message))
    }
}

/// Why a handler failed, and whether trying again can help.
#[derive(Debug)]
pub struct HandlerError {
    source: BoxError,
    permanent: bool,
    attempts: u32,
    first_failed_ms: Option<i64>,
}

impl HandlerError {
    /// An error that another attempt may not meet.
    pub fn temporary(error: impl Into<BoxError>) -> Self {
        Self { source: error.into(), permanent: false, attempts: 1, first_failed_ms: None }
    }

    /// An error of the event itself: it is set aside without another attempt.
    pub fn permanent(error: impl Into<BoxError>) -> Self {
        Self { permanent: true, ..Self::temporary(error) }
    }

    /// Whether trying again is useless.
    pub fn is_permanent(&self) -> bool {
        self.permanent
    }

    /// How often the handler was tried.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// When the first attempt failed, in milliseconds since the Unix epoch, if a layer noted
    /// it.
    pub fn first_failed_ms(&self) -> Option<i64> {
        self.first_failed_ms
    }

    pub(super) fn after(mut self, attempts: u32, first_failed_ms: i64) -> Self {
        self.attempts = attempts;
        self.first_failed_ms = Some(first_failed_ms);
        self
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl<E: Into<BoxError>> From<E> for HandlerError {
    fn from(error: E) -> Self {
        Self::temporary(error)
    }
}

/// A handler that decodes the payload first; a payload that does not decode is poison.
pub(super) struct Typed<E, F> {
    handle: F,
    event: PhantomData<fn() -> E>,
}

impl<E, F> Typed<E, F> {
    pub(super) fn new(handle: F) -> Self {
        Self { handle, event: PhantomData }
    }
}

impl<E, F, R, X> Handler for Typed<E, F>
where
    E: Event,
    F: Fn(E, Message) -> R + Send + Sync,
    R: Future<Output = Result<(), X>> + Send,
    X: Into<HandlerError>,
{
    async fn handle(&self, message: Message) -> Result<(), HandlerError> {
        let event = E::from_payload(message.payload()).map_err(HandlerError::permanent)?;
        (self.handle)(event, message).await.map_err(Into::into)
    }
}

/// A handler of payloads as they are.
pub(super) struct Untyped<F>(pub(super) F);

impl<F, R, X> Handler for Untyped<F>
where
    F: Fn(Message) -> R + Send + Sync,
    R: Future<Output = Result<(), X>> + Send,
    X: Into<HandlerError>,
{
    async fn handle(&self, message: Message) -> Result<(), HandlerError> {
        (self.0)(message).await.map_err(Into::into)
    }
}
