//! One call under way at a time; what comes meanwhile gathers into the next. So an idle client
//! waits for nothing and a busy one makes few large calls. For transports whose engine takes
//! several items in a call, and for handlers whose database takes several in a transaction.
//!
//! Not a channel: one that is full hands out its places in an order that the scheduler
//! decides, and batches must leave in the order in which their publishing began. Here an item
//! takes its place at once, and is withdrawn if its caller goes away before it left. So what
//! gathers is owned by callers that wait: their number is the bound.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::error::{Error, Kind};

/// Callers that wait at once.
const WAITING_COUNT_MAX: usize = 1 << 16;

/// How much goes into one call.
#[derive(Debug, Clone, Copy)]
pub struct GatherLimits {
    /// Items of a call.
    pub count_max: usize,
    /// Bytes of a call; a larger item goes alone.
    pub bytes_max: usize,
    /// How long the first item of a call waits for company. Zero unless the engine charges by
    /// the call.
    pub linger: Duration,
}

/// Makes the call for some items: an answer for each, in their order, or one error for all.
pub type Call<I, A> =
    Box<dyn Fn(Vec<I>) -> BoxFuture<'static, Result<Vec<Result<A, Error>>, Error>> + Send + Sync>;

/// Gathers items into calls.
pub struct Gather<I, A> {
    queue: Arc<Queue<I, A>>,
    done: CancellationToken,
}

struct Queue<I, A> {
    limits: GatherLimits,
    line: Mutex<Line<I, A>>,
    work: Notify,
}

struct Line<I, A> {
    waiting: VecDeque<Waiting<I, A>>,
    tickets: u64,
    closed: bool,
}

struct Waiting<I, A> {
    ticket: u64,
    item: I,
    bytes: usize,
    reply: oneshot::Sender<Result<A, Error>>,
}

/// A place in line; given back when dropped.
struct Place<'a, I, A> {
    queue: &'a Queue<I, A>,
    ticket: u64,
}

impl<I: Send + 'static, A: Send + 'static> Gather<I, A> {
    /// Starts the task that makes the calls; it ends after [`Gather::close`].
    pub fn start(limits: GatherLimits, call: Call<I, A>) -> Self {
        let line = Line { waiting: VecDeque::new(), tickets: 0, closed: false };
        let queue = Arc::new(Queue { limits, line: Mutex::new(line), work: Notify::new() });
        let done = CancellationToken::new();
        let calling = Calling { queue: Arc::clone(&queue), _done: done.clone().drop_guard() };
        tokio::spawn(async move {
            while let Some(items) = calling.queue.next().await {
                answer(items, &call).await;
            }
        });
        Self { queue, done }
    }

    /// Has an item sent, behind those whose call was polled before; its answer. Dropped before
    /// the item left, it withdraws it.
    ///
    /// # Errors
    /// Those of the call; `Closed` after [`Gather::close`]; `Unavailable` (retry) if too many
    /// wait already.
    pub async fn send(&self, item: I, bytes: usize) -> Result<A, Error> {
        let (reply, answer) = oneshot::channel();
        let _place = self.queue.enter(item, bytes, reply)?;
        answer.await.unwrap_or_else(|_| {
            let context = "the connection to the engine was given up";
            Err(Error::unknown(Kind::Unavailable, context))
        })
    }

    /// Takes no more items; waits until those in line have their answers.
    pub async fn close(&self) {
        self.queue.close();
        self.done.cancelled().await;
    }
}

/// Held by the task that makes the calls. However that ends, by a panic of a call as well, no one
/// waits for it.
struct Calling<I, A> {
    queue: Arc<Queue<I, A>>,
    _done: DropGuard,
}

impl<I, A> Drop for Calling<I, A> {
    fn drop(&mut self) {
        self.queue.close();
        // Those who wait for a reply see that there will be none.
        let left = std::mem::take(&mut self.queue.lock().waiting);
        drop(left);
    }
}

impl<I, A> Drop for Gather<I, A> {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl<I, A> Queue<I, A> {
    fn enter(
        &self,
        item: I,
        bytes: usize,
        reply: oneshot::Sender<Result<A, Error>>,
    ) -> Result<Place<'_, I, A>, Error> {
        let mut line = self.lock();
        if line.closed {
            return Err(Error::refused(Kind::Closed, "the connection to the engine is closed"));
        }
        if line.waiting.len() >= WAITING_COUNT_MAX {
            let context = format!("{WAITING_COUNT_MAX} calls wait for the engine already");
            return Err(Error::retry(Kind::Unavailable, context));
        }
        line.tickets += 1;
        let ticket = line.tickets;
        line.waiting.push_back(Waiting { ticket, item, bytes, reply });
        drop(line);
        self.work.notify_one();
        Ok(Place { queue: self, ticket })
    }

    /// Waits for items and takes what fits into one call; `None` when no more will come.
    async fn next(&self) -> Option<Vec<Waiting<I, A>>> {
        // When the first item will have waited long enough.
        let mut due = None;
        loop {
            {
                let mut line = self.lock();
                let now = Instant::now();
                if line.waiting.is_empty() {
                    if line.closed {
                        return None;
                    }
                    due = None;
                } else {
                    let due = *due.get_or_insert(now + self.limits.linger);
                    let full = line.waiting.len() >= self.limits.count_max;
                    if full || line.closed || due <= now {
                        return Some(line.take(&self.limits));
                    }
                }
            }
            match due {
                None => self.work.notified().await,
                // That it passes is looked at above.
                Some(due) => drop(timeout_at(due, self.work.notified()).await),
            }
        }
    }

    fn close(&self) {
        self.lock().closed = true;
        self.work.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Line<I, A>> {
        // Nothing panics while it is held.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I, A> Line<I, A> {
    fn take(&mut self, limits: &GatherLimits) -> Vec<Waiting<I, A>> {
        let (mut count, mut bytes) = (0, 0);
        while let Some(waiting) = self.waiting.get(count) {
            bytes += waiting.bytes;
            if count > 0 && (bytes > limits.bytes_max || count == limits.count_max) {
                break;
            }
            count += 1;
        }
        self.waiting.drain(..count).collect()
    }
}

impl<I, A> Drop for Place<'_, I, A> {
    fn drop(&mut self) {
        let mut line = self.queue.lock();
        if let Ok(index) = line.waiting.binary_search_by_key(&self.ticket, |one| one.ticket) {
            line.waiting.remove(index);
        }
    }
}

async fn answer<I, A>(waiting: Vec<Waiting<I, A>>, call: &Call<I, A>) {
    let (items, replies): (Vec<_>, Vec<_>) =
        waiting.into_iter().map(|one| (one.item, one.reply)).unzip();
    let answers = match call(items).await {
        Ok(answers) if answers.len() == replies.len() => Ok(answers),
        Ok(answers) => {
            let context =
                format!("the engine gave {} answers to {} items", answers.len(), replies.len());
            Err(Error::unknown(Kind::Unavailable, context))
        }
        Err(error) => Err(error),
    };
    // A reply whose caller went away goes nowhere.
    match answers {
        Ok(answers) => {
            for (reply, answer) in replies.into_iter().zip(answers) {
                let _ = reply.send(answer);
            }
        }
        Err(error) => {
            for reply in replies {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
