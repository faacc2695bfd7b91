//! So many events a second, for what stands behind a handler and takes no more. A token bucket
//! that holds no tokens, only the time at which it is full again (the generic cell rate algorithm
//! of ITU-T I.371): a waiting event knows its time at once, and nothing refills.
//!
//! Not for refusing: what is beyond the rate waits, under its lease.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::route::handler::{Handler, HandlerError};
use crate::route::message::Message;

/// A rate that handlers share. Cheap to clone; clones share it. On tokio's clock.
#[derive(Debug, Clone)]
pub struct RateLimit {
    /// Between events that wait.
    interval: Duration,
    /// How far ahead of the rate events may begin.
    ahead: Duration,
    /// When the next event would be due if there were no burst.
    due: Arc<Mutex<Option<Instant>>>,
}

impl RateLimit {
    /// So many events a second, and `burst` at once after a pause; 0 counts as 1 for both.
    ///
    /// Each event takes one place, whatever its attempts. Events begin in the order in which they
    /// came, to the millisecond. One that is dropped while it waits leaves its place empty.
    pub fn per_second(events: u32, burst: u32) -> Self {
        let interval = Duration::from_secs(1) / events.max(1);
        Self { interval, ahead: interval * (burst.max(1) - 1), due: Arc::default() }
    }

    /// A handler that keeps to the rate.
    pub fn around<H: Handler>(&self, inner: H) -> Limited<H> {
        Limited { inner, limit: self.clone() }
    }

    /// Takes the next place; when it is.
    fn place(&self, now: Instant) -> Instant {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = due.map_or(now, |due| due.max(now));
        *due = Some(mine + self.interval);
        mine.checked_sub(self.ahead).map_or(now, |begin| begin.max(now))
    }
}

/// A handler that keeps to a [`RateLimit`].
pub struct Limited<H> {
    inner: H,
    limit: RateLimit,
}

impl<H: Handler> Handler for Limited<H> {
    async fn handle(&self, message: Message) -> Result<(), HandlerError> {
        let now = Instant::now();
        let begin = self.limit.place(now);
        if begin > now {
            tokio::time::sleep_until(begin).await;
        }
        self.inner.handle(message).await
    }
}
