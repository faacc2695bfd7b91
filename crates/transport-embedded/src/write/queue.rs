//! What waits for the writer. Bounded in bytes; behind the bound, callers wait in line.
//!
//! Not a channel: a channel that is full hands out its places in an order that the scheduler
//! decides, and batches must be appended in the order in which their publishing began. Here a
//! request takes its place at once, and is withdrawn if its caller goes away before the
//! writer has room for it. So what waits in line is owned by callers that are waiting.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::format::record::Dead;
use crate::store::failure::closed;
use crate::subscription::runtime::Live;
use worldbus_bus::{Appended, Error, Position, SubscriptionName, SubscriptionSpec, Topic};
use worldbus_events::Batch;

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// What the writer is asked for.
pub(crate) enum Request {
    Publish {
        topic: Topic,
        batch: Batch,
        reply: Reply<Appended>,
    },
    Subscribe {
        spec: Box<SubscriptionSpec>,
        starts: Vec<Position>,
        reply: Reply<Arc<Live>>,
    },
    DeadLetter {
        live: Arc<Live>,
        letters: Vec<Dead>,
        reply: Reply<()>,
    },
    TakeOut(TakeOut, Reply<Vec<u64>>),
    Delete(Deletion, Reply<()>),
    /// A fault in the writer.
    #[cfg(test)]
    Panic,
}

/// What is to be deleted; with `force` also if something is lost with it.
pub(crate) enum Deletion {
    Topic { name: Topic, force: bool },
    Subscription { name: SubscriptionName, force: bool },
}

/// Dead letters that are to be taken out of where they are, and given back to their subscription
/// if they are to be replayed.
pub(crate) struct TakeOut {
    pub(crate) live: Arc<Live>,
    pub(crate) letters: Vec<Letter>,
    pub(crate) replay: bool,
}

/// A dead letter that is there, as far as a reader saw.
pub(crate) struct Letter {
    pub(crate) number: u64,
    /// The topic that it came on.
    pub(crate) topic: u32,
    pub(crate) batch: Batch,
}

/// What a request costs besides its batch.
const REQUEST_BYTES: usize = 256;

impl Request {
    pub(crate) fn bytes(&self) -> usize {
        let bytes = match self {
            Self::Publish { batch, .. } => batch.memory_bytes(),
            Self::Subscribe { .. } | Self::Delete(..) => 0,
            #[cfg(test)]
            Self::Panic => 0,
            Self::DeadLetter { letters, .. } => letters.iter().map(Dead::bytes).sum(),
            Self::TakeOut(take_out, _) => {
                take_out.letters.iter().map(|letter| letter.batch.memory_bytes()).sum()
            }
        };
        bytes + REQUEST_BYTES
    }
}

/// What the writer does next.
pub(crate) enum Work {
    /// Write these, and the cursors that changed if they are due.
    Group { requests: Vec<Request>, cursors_due: bool },
    /// Nothing is left and nothing will come.
    End,
}

/// The line before the writer.
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    work: Condvar,
    /// Whether a time is set for the cursors, to be read without the lock.
    cursors_await: AtomicBool,
    bytes_max: usize,
}

#[derive(Default)]
struct Inner {
    pending: VecDeque<Request>,
    pending_bytes: usize,
    waiting: VecDeque<(u64, Request)>,
    tickets: u64,
    /// Whether the writer sleeps and has to be woken.
    idle: bool,
    closed: bool,
    /// When cursors that changed are written: with the first commit from then on.
    cursors_due: Option<Instant>,
}

/// A request's place; withdraws it when dropped, unless the writer has taken it over.
pub(crate) struct Place<'a> {
    queue: &'a Queue,
    ticket: Option<u64>,
}

impl Queue {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let (inner, work, cursors_await) = Default::default();
        Self { inner, work, cursors_await, bytes_max }
    }

    /// Takes a place in line, at once.
    pub(crate) fn submit(&self, request: Request) -> Result<Place<'_>, Error> {
        let mut inner = self.lock();
        if inner.closed {
            return Err(closed());
        }
        let bytes = request.bytes();
        let fits = inner.pending.is_empty() || inner.pending_bytes + bytes <= self.bytes_max;
        let ticket = if inner.waiting.is_empty() && fits {
            inner.pending_bytes += bytes;
            inner.pending.push_back(request);
            None
        } else {
            inner.tickets += 1;
            let ticket = inner.tickets;
            inner.waiting.push_back((ticket, request));
            Some(ticket)
        };
        self.wake(&mut inner);
        Ok(Place { queue: self, ticket })
    }

    /// Has the cursors written that are marked as changed: with the first commit `delay` from now,
    /// or without another then.
    pub(crate) fn cursors_changed(&self, delay: Duration) {
        // Either this sees that they are taken, or who takes them sees the mark: all of these are
        // in one order.
        if self.cursors_await.load(Ordering::SeqCst) {
            return;
        }
        let mut inner = self.lock();
        if inner.cursors_due.is_none() {
            inner.cursors_due = Some(Instant::now() + delay);
            self.cursors_await.store(true, Ordering::SeqCst);
            self.wake(&mut inner);
        }
    }

    /// Takes no more requests; what is in line is still done.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        self.wake(&mut inner);
    }

    /// Closes and drops what is in line: no writer is left to do it.
    pub(crate) fn abandon(&self) {
        let mut inner = self.lock();
        *inner = Inner { closed: true, ..Inner::default() };
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits for work, at most `idle_max`; takes up to `bytes_max` of it and at least one
    /// request if there is one.
    pub(crate) fn take(&self, bytes_max: usize, idle_max: Duration) -> Work {
        let idle_end = Instant::now() + idle_max;
        let mut inner = self.lock();
        loop {
            let now = Instant::now();
            let wake_at = inner.cursors_due.map_or(idle_end, |due| due.min(idle_end));
            if !inner.pending.is_empty() || (wake_at <= now && !inner.closed) {
                let requests = self.pop(&mut inner, bytes_max);
                // Without requests it has waited for nothing else, or tries again what failed.
                let cursors_due = wake_at <= now || requests.is_empty();
                if cursors_due {
                    inner.cursors_due = None;
                    self.cursors_await.store(false, Ordering::SeqCst);
                }
                return Work::Group { requests, cursors_due };
            }
            if inner.closed {
                return Work::End;
            }
            inner.idle = true;
            let waited = self.work.wait_timeout(inner, wake_at - now);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
            inner.idle = false;
        }
    }

    fn pop(&self, inner: &mut Inner, bytes_max: usize) -> Vec<Request> {
        let mut taken = Vec::new();
        let mut taken_bytes = 0;
        while let Some(request) = inner.pending.front() {
            let bytes = request.bytes();
            if !taken.is_empty() && taken_bytes + bytes > bytes_max {
                break;
            }
            taken_bytes += bytes;
            inner.pending_bytes -= bytes;
            taken.extend(inner.pending.pop_front());
        }
        while let Some((_, request)) = inner.waiting.front() {
            let bytes = request.bytes();
            if !inner.pending.is_empty() && inner.pending_bytes + bytes > self.bytes_max {
                break;
            }
            inner.pending_bytes += bytes;
            inner.pending.extend(inner.waiting.pop_front().map(|(_, request)| request));
        }
        taken
    }

    fn wake(&self, inner: &mut Inner) {
        if std::mem::take(&mut inner.idle) {
            self.work.notify_one();
        }
    }

    fn withdraw(&self, ticket: u64) {
        let mut inner = self.lock();
        if let Ok(index) = inner.waiting.binary_search_by_key(&ticket, |(ticket, _)| *ticket) {
            inner.waiting.remove(index);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.queue.withdraw(ticket);
        }
    }
}
