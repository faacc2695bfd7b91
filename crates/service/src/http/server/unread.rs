//! Whole answers that clients were given and have not taken yet, counted in bytes over all
//! connections of a port: a client that asks and does not read holds no more of the process than
//! that.
//!
//! - A small answer is always given. A large one waits for room for a moment, and is then refused;
//!   what waits has a bound, too.
//! - An answer of which the client takes nothing for [`WRITE_STALL_MS_MAX`] costs it its
//!   connection; after [`STALL_CONTENDED_MS_MAX`] already, if there is no room for others.
//!
//! Not for: streams, whose length is unknown. Those who open them count them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use metrics::counter;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use super::progress::{Cut, WRITE_STALL_MS_MAX};

/// Bytes of answers that clients have not taken yet, of all connections together. What is larger
/// than that goes alone.
pub const ANSWER_BYTES_MAX: usize = 32 << 20;
/// An answer of so many bytes is given whatever others have left; of HTTP/2 a page or two.
pub const SMALL_ANSWER_BYTES: usize = 16 << 10;
/// Bytes of larger ones that wait for room, together.
pub const WAITING_BYTES_MAX: usize = 8 << 20;
/// How long one waits for room before it is refused.
pub const ANSWER_WAIT_MS_MAX: u64 = 1_000;
/// How long a client may take nothing of its answer while there is no room for others.
pub const STALL_CONTENDED_MS_MAX: u64 = 2_000;

/// What an answer holds besides its bytes: its request, its stream, its entry here.
const OVERHEAD_BYTES: usize = 4 << 10;
/// An answer leaves in pieces of this size, each of which is progress.
const PIECE_BYTES: usize = 16 << 10;
/// How often clients that take nothing are looked for.
const LOOK_PERIOD: Duration = Duration::from_millis(250);

/// The answers of one port that are not taken yet; clones share them.
#[derive(Debug, Clone)]
pub(super) struct Unread(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    bytes_max: usize,
    table: Mutex<Table>,
    /// Woken when bytes become free.
    freed: Notify,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    given: BTreeMap<u64, Given>,
    /// Sum of what was given.
    bytes: usize,
    /// Sum of what waits.
    waiting_bytes: usize,
    /// Whether there was no room since clients were looked at.
    is_short: bool,
}

#[derive(Debug)]
struct Given {
    bytes: usize,
    /// When it was given, or a piece of it was last taken.
    since: Instant,
    cut: Cut,
}

/// The bytes of one answer; given back when the last piece of it was written or dropped.
#[derive(Debug)]
pub(super) struct Share {
    shared: Arc<Shared>,
    id: u64,
}

/// Bytes that wait for room.
struct Waiting<'a> {
    shared: &'a Shared,
    bytes: usize,
}

/// A piece of an answer, in the hands of the protocol until it is written.
struct Piece {
    bytes: Bytes,
    share: Arc<Share>,
}

impl Unread {
    pub(super) fn new(bytes_max: usize) -> Self {
        let (table, freed) = (Mutex::default(), Notify::new());
        Self(Arc::new(Shared { bytes_max, table, freed }))
    }

    /// The share of an answer of so many bytes on the connection that `cut` cuts; `None` if there
    /// is no room for it. Cancel-safe.
    pub(super) async fn take(&self, bytes: usize, cut: &Cut) -> Option<Arc<Share>> {
        if let Some(share) = self.try_take(bytes, cut) {
            return Some(share);
        }
        let _waiting = self.wait(bytes)?;
        let room = async {
            loop {
                let mut freed = std::pin::pin!(self.0.freed.notified());
                freed.as_mut().enable();
                match self.try_take(bytes, cut) {
                    Some(share) => return share,
                    None => freed.await,
                }
            }
        };
        timeout(Duration::from_millis(ANSWER_WAIT_MS_MAX), room).await.ok()
    }

    /// Cuts clients that take nothing, for ever.
    pub(super) async fn watch(&self) -> Infallible {
        loop {
            sleep(LOOK_PERIOD).await;
            self.0.table().cut_stalled();
        }
    }

    fn try_take(&self, bytes: usize, cut: &Cut) -> Option<Arc<Share>> {
        let id = self.0.table().take(bytes, self.0.bytes_max, cut)?;
        Some(Arc::new(Share { shared: Arc::clone(&self.0), id }))
    }

    fn wait(&self, bytes: usize) -> Option<Waiting<'_>> {
        let mut table = self.0.table();
        if table.waiting_bytes > 0 && table.waiting_bytes + bytes > WAITING_BYTES_MAX {
            return None;
        }
        table.waiting_bytes += bytes;
        Some(Waiting { shared: &self.0, bytes })
    }

    /// Bytes that are given, and bytes that wait.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> (usize, usize) {
        let table = self.0.table();
        (table.bytes, table.waiting_bytes)
    }
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        // No update leaves it half done.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn take(&mut self, bytes: usize, bytes_max: usize, cut: &Cut) -> Option<u64> {
        let is_small = bytes <= SMALL_ANSWER_BYTES;
        let bytes = bytes + OVERHEAD_BYTES;
        if self.bytes > 0 && self.bytes + bytes > bytes_max {
            self.is_short = true;
            if !is_small {
                return None;
            }
        }
        let id = self.next;
        self.next += 1;
        self.bytes += bytes;
        self.given.insert(id, Given { bytes, since: Instant::now(), cut: cut.clone() });
        Some(id)
    }

    fn cut_stalled(&mut self) {
        let limit = match std::mem::take(&mut self.is_short) || self.waiting_bytes > 0 {
            true => STALL_CONTENDED_MS_MAX,
            false => WRITE_STALL_MS_MAX,
        };
        let limit = Duration::from_millis(limit);
        for given in self.given.values() {
            if given.since.elapsed() >= limit && !given.cut.is_cut() {
                tracing::debug!("a client does not read its answer; connection cut");
                counter!("worldbus_answers_cut_total").increment(1);
                given.cut.now();
            }
        }
    }
}

impl Share {
    /// The next piece of what is left of the answer.
    pub(super) fn piece(self: &Arc<Self>, left: &mut Bytes) -> Bytes {
        let bytes = left.split_to(left.len().min(PIECE_BYTES));
        Bytes::from_owner(Piece { bytes, share: Arc::clone(self) })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut table = self.shared.table();
        if let Some(given) = table.given.remove(&self.id) {
            table.bytes -= given.bytes;
        }
        drop(table);
        self.shared.freed.notify_waiters();
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.shared.table().waiting_bytes -= self.bytes;
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        if let Some(given) = self.share.shared.table().given.get_mut(&self.share.id) {
            given.since = Instant::now();
        }
    }
}
