//! Places for streams: so many of a kind, and so many bytes that their clients were given and have
//! not taken yet. A client that leaves what it was given is cut after
//! [`STALL_MS_MAX`]; sooner, if it is the one that has left it for longest and another needs its
//! place or its bytes.
//!
//! A stream does not know how large that is which it reads next. So few at a time read from the
//! past ([`Place::read`]), and account for it ([`Place::give`]) before others have their turn.
//!
//! Not for: connections whose socket takes no bytes at all, which `server::progress` of the service
//! kit cuts. Here it is known of each stream of a connection whether it is read.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use crate::limits::{STALL_CONTENDED_MS_MAX, STALL_MS_MAX, TURN_COUNT_MAX, UNREAD_BYTES_MAX};
use worldbus_bus::{Error, Kind};
use worldbus_service::server::Cut;

/// How often stalled clients are looked for.
const LOOK_PERIOD: Duration = Duration::from_secs(1);
const STALL_MAX: Duration = Duration::from_millis(STALL_MS_MAX);
/// Who has read nothing for so long is at the end, and waits for what comes without a turn.
const QUIET: Duration = Duration::from_millis(10);
const STALL_CONTENDED_MAX: Duration = Duration::from_millis(STALL_CONTENDED_MS_MAX);

/// The places of one kind of stream. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    kind: &'static str,
    count_max: usize,
    taken: Mutex<Taken>,
    /// Woken when bytes become free.
    freed: Notify,
    turns: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Taken {
    next_id: u64,
    streams: BTreeMap<u64, Stream>,
    /// Sum of what all were given.
    bytes: usize,
}

#[derive(Debug)]
struct Stream {
    cut: Cut,
    /// What the client was given and has not taken yet, and what is held for it.
    bytes: usize,
    /// Since when it has left what it was given.
    since: Option<Instant>,
}

/// The right to hold what was read and is not given yet.
pub(crate) type Turn = OwnedSemaphorePermit;

/// The place of one stream; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    shared: Arc<Shared>,
    id: u64,
}

impl Places {
    pub(crate) fn new(kind: &'static str, count_max: usize) -> Self {
        let (taken, freed) = (Mutex::default(), Notify::new());
        let turns = Arc::new(Semaphore::new(TURN_COUNT_MAX));
        Self { shared: Arc::new(Shared { kind, count_max, taken, freed, turns }) }
    }

    /// A place for a stream on the connection that `cut` cuts. At the bound the client that has
    /// stalled for longest loses its own.
    ///
    /// # Errors
    /// `Unavailable` (retry) if all are taken by clients that read.
    pub(crate) fn take(&self, cut: Cut) -> Result<Place, Error> {
        let Shared { kind, count_max, .. } = *self.shared;
        let mut taken = self.shared.lock();
        if taken.streams.len() >= count_max && !self.shared.cut_longest(&mut taken) {
            let context = format!("{count_max} streams of kind {kind} are open; try again later");
            return Err(Error::retry(Kind::Unavailable, context));
        }
        let id = taken.next_id;
        taken.next_id += 1;
        taken.streams.insert(id, Stream { cut, bytes: 0, since: None });
        metrics::gauge!("worldbus_streams_open", "kind" => kind).increment(1.0);
        Ok(Place { shared: Arc::clone(&self.shared), id })
    }

    /// Streams that are open now.
    pub(crate) fn taken(&self) -> usize {
        self.shared.lock().streams.len()
    }

    /// Bytes that clients were given and have not taken.
    #[cfg(test)]
    pub(crate) fn unread_bytes(&self) -> usize {
        self.shared.lock().bytes
    }

    /// Cuts stalled clients, for ever.
    pub(crate) async fn watch(&self) {
        loop {
            sleep(LOOK_PERIOD).await;
            let mut taken = self.shared.lock();
            while let Some((id, since)) = taken.longest()
                && since.elapsed() >= STALL_MAX
            {
                self.shared.cut(&mut taken, id);
            }
        }
    }
}

/// The error of a stream whose client did not read. Its connection is cut, so it rarely arrives.
pub(crate) fn place_lost() -> Error {
    Error::retry(Kind::Unavailable, "another client needed the place of this one; try again")
}

impl Place {
    /// The client has taken what it was given: it asks for more. Of that, `held` bytes are still
    /// held for it.
    pub(crate) fn taken(&self, held: usize) {
        let mut taken = self.shared.lock();
        let Some(stream) = taken.streams.get_mut(&self.id) else { return };
        let before = std::mem::replace(&mut stream.bytes, held);
        stream.since = None;
        taken.bytes = taken.bytes - before + held;
        self.shared.freed.notify_waiters();
    }

    /// Waits for what is read next; who is `behind` the present does so when it has its turn, which
    /// it keeps until the bytes are accounted for.
    pub(crate) async fn read<T>(
        &self,
        behind: bool,
        next: impl Future<Output = T>,
    ) -> (T, Option<Turn>) {
        let mut next = pin!(next);
        if behind
            && let Ok(turn) = Arc::clone(&self.shared.turns).acquire_owned().await
            && let Ok(read) = timeout(QUIET, next.as_mut()).await
        {
            return (read, Some(turn));
        }
        (next.await, None)
    }

    /// Accounts for bytes that the client is given now or that are held for it; waits while others
    /// were given too many, unless some are held for it already. False if the place was lost
    /// meanwhile: then the stream ends. Cancel-safe.
    pub(crate) async fn give(&self, bytes: usize) -> bool {
        loop {
            let freed = self.shared.freed.notified();
            if let Some(given) = self.try_give(bytes) {
                return given;
            }
            // A timeout is no failure: another client may have stalled for long enough by now.
            let _ = timeout(STALL_CONTENDED_MAX, freed).await;
        }
    }

    /// `None` if there is no room now.
    fn try_give(&self, bytes: usize) -> Option<bool> {
        let mut taken = self.shared.lock();
        loop {
            let Some(held) = taken.streams.get(&self.id).map(|stream| stream.bytes) else {
                return Some(false);
            };
            // What is larger than the bound goes alone.
            if held > 0 || taken.bytes == 0 || taken.bytes + bytes <= UNREAD_BYTES_MAX {
                break;
            }
            if !self.shared.cut_longest(&mut taken) {
                return None;
            }
        }
        let Some(stream) = taken.streams.get_mut(&self.id) else { return Some(false) };
        let before = std::mem::replace(&mut stream.bytes, bytes);
        stream.since = Some(Instant::now());
        taken.bytes = taken.bytes - before + bytes;
        Some(true)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.remove(&mut self.shared.lock(), self.id);
    }
}

impl Taken {
    /// The stream whose client has left what it was given for longest.
    fn longest(&self) -> Option<(u64, Instant)> {
        let given = self.streams.iter().filter_map(|(&id, stream)| Some((id, stream.since?)));
        given.min_by_key(|&(_, since)| since)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts the client that has stalled for longest, if any has for long enough.
    fn cut_longest(&self, taken: &mut Taken) -> bool {
        let Some((id, since)) = taken.longest() else { return false };
        let stalled = since.elapsed() >= STALL_CONTENDED_MAX;
        if stalled {
            self.cut(taken, id);
        }
        stalled
    }

    fn cut(&self, taken: &mut Taken, id: u64) {
        if let Some(stream) = self.remove(taken, id) {
            tracing::warn!(kind = self.kind, "a client does not read its stream; connection cut");
            metrics::counter!("worldbus_streams_cut_total", "kind" => self.kind).increment(1);
            stream.cut.now();
        }
    }

    fn remove(&self, taken: &mut Taken, id: u64) -> Option<Stream> {
        let stream = taken.streams.remove(&id)?;
        taken.bytes -= stream.bytes;
        metrics::gauge!("worldbus_streams_open", "kind" => self.kind).decrement(1.0);
        self.freed.notify_waiters();
        Some(stream)
    }
}

#[cfg(test)]
mod tests;
