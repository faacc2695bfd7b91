//! A stream from the event-bus that outlives its connections: when it breaks it is opened
//! again, with back-off, until that takes too long or is refused.

use std::future::Future;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep};
use tonic::Streaming;

use crate::failure::broken;
use worldbus_bus::{Backoff, Error, Fate};

/// The first pause before an attempt to reconnect, and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// The stream while it is being opened.
pub(crate) type Opening<M> = BoxFuture<'static, Result<Streaming<M>, Error>>;

/// A stream that reconnects.
pub(crate) struct Link<M> {
    state: State<M>,
    what: &'static str,
    reconnect_for: Duration,
}

enum State<M> {
    Open(Box<Streaming<M>>),
    Opening(Opening<M>),
    Failed(Error),
}

impl<M> Link<M>
where
    M: Send + 'static,
{
    /// A stream that is open; `what` it is, for logs.
    pub(crate) fn new(stream: Streaming<M>, what: &'static str, reconnect_for: Duration) -> Self {
        Self { state: State::Open(Box::new(stream)), what, reconnect_for }
    }

    /// The next message. `None` when the event-bus ended the stream. Cancel-safe.
    ///
    /// # Errors
    /// Those that no reconnecting will mend, again at each call.
    pub(crate) async fn next(&mut self, reopen: Reopen<'_, M>) -> Result<Option<M>, Error> {
        loop {
            match &mut self.state {
                State::Open(stream) => {
                    let error = match stream.message().await {
                        Ok(Some(message)) => return Ok(Some(message)),
                        Ok(None) => match reopen {
                            Reopen::WhenBroken(_) => return Ok(None),
                            Reopen::Always(_) => None,
                        },
                        Err(status) => Some(broken(&status)),
                    };
                    self.ended(error, &reopen);
                }
                State::Opening(opening) => {
                    self.state = match opening.await {
                        Ok(stream) => {
                            tracing::info!(what = self.what, "reconnected to the event-bus");
                            State::Open(Box::new(stream))
                        }
                        Err(error) => State::Failed(error),
                    };
                }
                State::Failed(error) => return Err(error.clone()),
            }
        }
    }

    fn ended(&mut self, error: Option<Error>, reopen: &Reopen<'_, M>) {
        self.state = match error {
            Some(error) if error.fate() == Fate::Refused => State::Failed(error),
            error => {
                let reason =
                    error.map_or_else(|| "it ended the stream".to_owned(), |e| e.to_string());
                tracing::warn!(what = self.what, reason, "lost the event-bus; reconnecting");
                metrics::counter!("worldbus_remote_streams_lost_total", "what" => self.what)
                    .increment(1);
                State::Opening(reopen.open(self.reconnect_for))
            }
        };
    }

    /// The stream if it is open, to read its end.
    pub(crate) fn into_open(self) -> Option<Streaming<M>> {
        match self.state {
            State::Open(stream) => Some(*stream),
            State::Opening(_) | State::Failed(_) => None,
        }
    }
}

/// When a stream is reopened, and how.
pub(crate) enum Reopen<'a, M> {
    /// When it broke; its orderly end is the end.
    WhenBroken(&'a (dyn Fn(Duration) -> Opening<M> + Send + Sync)),
    /// Also at its orderly end: the event-bus shuts down.
    Always(&'a (dyn Fn(Duration) -> Opening<M> + Send + Sync)),
}

impl<M> Reopen<'_, M> {
    fn open(&self, during: Duration) -> Opening<M> {
        match self {
            Self::WhenBroken(open) | Self::Always(open) => open(during),
        }
    }
}

/// Tries until it succeeds, is refused, or has taken too long.
pub(crate) async fn persist<T, F>(
    during: Duration,
    mut attempt: impl FnMut() -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let begun = Instant::now();
    let mut pauses = Backoff::new(PAUSE_MIN, PAUSE_MAX);
    loop {
        match attempt().await {
            Err(error) if error.fate() != Fate::Refused && begun.elapsed() < during => {
                tracing::debug!(%error, "cannot reconnect to the event-bus yet");
            }
            result => return result,
        }
        sleep(pauses.next()).await;
    }
}
