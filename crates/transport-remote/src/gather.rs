//! One call under way at a time; what comes meanwhile gathers into the next. So an idle client
//! waits for nothing and a busy one makes few large calls.
//!
//! Not a channel: one that is full hands out its places in an order that the scheduler
//! decides, and batches must leave in the order in which their publishing began. Here an item
//! takes its place at once, and is withdrawn if its caller goes away before it left. So what
//! gathers is owned by callers that wait: their number is the bound.

use futures_util::future::BoxFuture;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;
use worldbus_bus::{Error, Kind};
use worldbus_rpc::limits::{GATHER_BYTES, GATHER_COUNT_MAX};

/// Callers that wait at once.
const WAITING_COUNT_MAX: usize = 1 << 16;

/// Makes the call for some items: an answer for each, in their order, or one error for all.
pub(crate) type Call<I, A> =
    Box<dyn Fn(Vec<I>) -> BoxFuture<'static, Result<Vec<Result<A, Error>>, Error>> + Send + Sync>;

/// Gathers items into calls.
pub(crate) struct Gather<I, A> {
    queue: Arc<Queue<I, A>>,
    done: CancellationToken,
}

struct Queue<I, A> {
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
    pub(crate) fn start(call: Call<I, A>) -> Self {
        let line = Line { waiting: VecDeque::new(), tickets: 0, closed: false };
        let queue = Arc::new(Queue { line: Mutex::new(line), work: Notify::new() });
        let done = CancellationToken::new();
        let (work, guard) = (Arc::clone(&queue), done.clone().drop_guard());
        tokio::spawn(async move {
            let _done = guard;
            while let Some(items) = work.next().await {
                answer(items, &call).await;
            }
        });
        Self { queue, done }
    }

    /// Has an item sent, behind those whose call was polled before; its answer.
    pub(crate) async fn send(&self, item: I, bytes: usize) -> Result<A, Error> {
        let (reply, answer) = oneshot::channel();
        let _place = self.queue.enter(item, bytes, reply)?;
        answer.await.unwrap_or_else(|_| {
            let context = "the connection to the event-bus was given up";
            Err(Error::unknown(Kind::Unavailable, context))
        })
    }

    /// Takes no more items; waits until those in line have their answers.
    pub(crate) async fn close(&self) {
        self.queue.close();
        self.done.cancelled().await;
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
            return Err(Error::refused(Kind::Closed, "the connection to the event-bus is closed"));
        }
        if line.waiting.len() >= WAITING_COUNT_MAX {
            let context = format!("{WAITING_COUNT_MAX} calls wait for the event-bus already");
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
        loop {
            {
                let mut line = self.lock();
                if !line.waiting.is_empty() {
                    return Some(line.take());
                }
                if line.closed {
                    return None;
                }
            }
            self.work.notified().await;
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
    fn take(&mut self) -> Vec<Waiting<I, A>> {
        let (mut count, mut bytes) = (0, 0);
        while let Some(waiting) = self.waiting.get(count) {
            bytes += waiting.bytes;
            if count > 0 && (bytes > GATHER_BYTES || count == GATHER_COUNT_MAX) {
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
                format!("the event-bus gave {} answers to {} items", answers.len(), replies.len());
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
