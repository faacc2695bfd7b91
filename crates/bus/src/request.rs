//! Request and reply over events: a request carries a correlation id, and its reply the same.
//!
//! ```text
//! Requester ── request, correlation ──▶ topic of requests ──▶ a Router: Message::reply
//!     ▲                                                              │
//!     └── reader of the topic of replies ◀── reply, correlation ─────┘
//! ```
//! Replies are read, not subscribed to: a reader leaves nothing behind in the engine, and every
//! instance has one of its own. It drops the replies to others, by their correlation ids.
//!
//! Not for calls that need no record and few milliseconds: gRPC is for those. A request is an event
//! like any other, durable, and carried out at least once, perhaps after its deadline.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::bus::Bus;
use crate::calls::Backoff;
use crate::error::{Error, Fate, Kind};
use crate::names::Topic;
use crate::publish::{Outgoing, Publisher};
use crate::route::CORRELATION;
use crate::transport::{Capability, Filter, Position, RESUME_OVERLAP, ReadSpec, Reader};
use worldbus_events::{About, Batch, Event};

/// Requests of one requester that wait for their replies.
pub const REQUESTS_COUNT_MAX: usize = 1024;
/// A reader that failed is opened again after this at first, and after this at the most.
const REOPEN_DELAY_MIN: Duration = Duration::from_millis(50);
const REOPEN_DELAY_MAX: Duration = Duration::from_secs(2);

/// Sends requests and waits for replies of one event type. Cheap to clone. When the last clone is
/// dropped, its reader is closed and nothing of it is left in the engine.
#[derive(Debug)]
pub struct Requester<R> {
    replies: Arc<Replies<R>>,
    publisher: Publisher,
    reading: Arc<DropGuard>,
}

#[derive(Debug)]
struct Replies<R> {
    /// What the correlation ids of this requester begin with.
    prefix: String,
    waiting: Mutex<Waiting<R>>,
}

#[derive(Debug)]
struct Waiting<R> {
    next: u64,
    /// By number, at most [`REQUESTS_COUNT_MAX`]; `None` once no reply is read any more.
    replies: Option<HashMap<u64, oneshot::Sender<Result<R, Error>>>>,
}

/// A request that waits; it does no longer when this is dropped.
struct Place<'a, R> {
    replies: &'a Replies<R>,
    number: u64,
    reply: oneshot::Receiver<Result<R, Error>>,
}

impl Bus {
    /// A requester for replies of a type, for a service in a world. From when this returns it gets
    /// every reply to its requests.
    ///
    /// # Errors
    /// `Unsupported` without [`Capability::Replay`], e.g. over SNS and SQS: connect to an event-bus
    /// there. Those of [`Transport::read`](crate::Transport::read).
    pub async fn requester<R: Event>(
        &self,
        source: &str,
        world: &str,
    ) -> Result<Requester<R>, Error> {
        self.transport().capabilities().require(Capability::Replay)?;
        let instance = getrandom::u64().map_err(|error| {
            let context = format!("no randomness for correlation ids: {error}");
            Error::retry(Kind::Unavailable, context).with_source(error)
        })?;
        let topic = Topic::new(R::TOPIC)?;
        let opened_ms = self.wall().now_us() / 1000;
        let reader = self.transport().read(spec::<R>(&topic, Position::Now)).await?;

        let waiting = Mutex::new(Waiting { next: 0, replies: Some(HashMap::new()) });
        let replies = Arc::new(Replies { prefix: format!("{instance:016x}-"), waiting });
        let (ends, reading) = (CancellationToken::new(), Reading(Arc::clone(&replies)));
        let from = Position::TimeMs(opened_ms - RESUME_OVERLAP.as_millis() as i64);
        let (bus, ended) = (self.clone(), ends.clone());
        tokio::spawn(async move {
            let read = reading.run(&bus, &topic, reader, from);
            ended.run_until_cancelled(read).await;
        });
        let publisher = self.publisher(source, world);
        Ok(Requester { replies, publisher, reading: Arc::new(ends.drop_guard()) })
    }
}

impl<R: Event> Requester<R> {
    /// Publishes a request and waits for its reply, as long as `deadline`. The service that
    /// handles the request must have its subscription by now, and replies by
    /// [`Message::reply`](crate::Message::reply); the first reply counts.
    ///
    /// Dropped before its reply, the call waits for none; the request may be published or not.
    ///
    /// # Errors
    /// `Timeout` (unknown) at the deadline: the request may have been carried out, or may be later;
    /// a reply that comes then is dropped and counted by `worldbus_late_replies_total`. `Invalid`
    /// (unknown) if the reply does not decode. `Unavailable` (retry) if [`REQUESTS_COUNT_MAX`]
    /// requests wait already. `Closed` once the bus is closed. Those of [`Publisher::publish`].
    pub async fn request<Q: Event>(
        &self,
        about: impl Into<About<'_>>,
        request: &Q,
        deadline: Duration,
    ) -> Result<R, Error> {
        let place = self.replies.enter()?;
        let answered = self.exchange(place, about.into(), request);
        tokio::time::timeout(deadline, answered).await.unwrap_or_else(|_| {
            let (name, deadline_ms) = (Q::NAME, deadline.as_millis());
            let context = format!(
                "no reply to {name} within {deadline_ms} ms: it may have been carried out, or may \
                 be later; look at what it changes before you request it again"
            );
            Err(Error::unknown(Kind::Timeout, context))
        })
    }

    async fn exchange<Q: Event>(
        &self,
        mut place: Place<'_, R>,
        about: About<'_>,
        request: &Q,
    ) -> Result<R, Error> {
        let correlation = format!("{}{}", self.replies.prefix, place.number);
        let metadata = BTreeMap::from([(CORRELATION.to_owned(), correlation)]);
        let mut payload = Vec::new();
        request.write_payload(&mut payload);
        let outgoing = Outgoing {
            event_type: Q::NUMBER,
            entity: about.entity,
            place: about.place,
            payload: &payload,
            metadata: Some(&metadata),
            ..Outgoing::default()
        };
        self.publisher.enqueue_raw(&Topic::new(Q::TOPIC)?, outgoing).await?.await?;
        (&mut place.reply).await.unwrap_or_else(|_| {
            let context = format!("the bus was closed before the reply to {} came", Q::NAME);
            Err(Error::unknown(Kind::Closed, context))
        })
    }
}

impl<R> Clone for Requester<R> {
    fn clone(&self) -> Self {
        let (replies, reading) = (Arc::clone(&self.replies), Arc::clone(&self.reading));
        Self { replies, publisher: self.publisher.clone(), reading }
    }
}

impl<R> Replies<R> {
    fn enter(&self) -> Result<Place<'_, R>, Error> {
        let mut waiting = self.lock();
        let number = waiting.next;
        let Some(replies) = &mut waiting.replies else {
            return Err(Error::refused(
                Kind::Closed,
                "replies are read no more: the bus is closed",
            ));
        };
        if replies.len() == REQUESTS_COUNT_MAX {
            let context = format!("{REQUESTS_COUNT_MAX} requests wait for their replies already");
            return Err(Error::retry(Kind::Unavailable, context));
        }
        let (sender, reply) = oneshot::channel();
        replies.insert(number, sender);
        waiting.next += 1;
        Ok(Place { replies: self, number, reply })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<R>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Event> Replies<R> {
    /// Gives the replies of a batch to those who wait for them.
    fn take(&self, batch: &Batch) {
        if !batch.has_metadata() {
            return;
        }
        for event in batch.iter().filter(|event| event.event_type == R::NUMBER) {
            let correlation = event.metadata().and_then(|entries| entries.get(CORRELATION));
            let mine = correlation.and_then(|text| text.strip_prefix(&self.prefix));
            let Some(number) = mine.and_then(|number| number.parse().ok()) else { continue };
            let waiting = self.lock().replies.as_mut().and_then(|all| all.remove(&number));
            let Some(waiting) = waiting else {
                metrics::counter!("worldbus_late_replies_total").increment(1);
                tracing::debug!(event_id = %event.id, "dropped a reply: late, or the second");
                continue;
            };
            let reply = R::from_payload(event.payload).map_err(|error| {
                let context = format!("failed to decode the reply as {}: {error}", R::NAME);
                Error::unknown(Kind::Invalid, context).with_source(error)
            });
            // One whose caller went away this moment goes nowhere.
            let _ = waiting.send(reply);
        }
    }
}

impl<R> Drop for Place<'_, R> {
    fn drop(&mut self) {
        if let Some(replies) = &mut self.replies.lock().replies {
            replies.remove(&self.number);
        }
    }
}

/// Held by the task that reads. However that ends, no request waits for it.
struct Reading<R>(Arc<Replies<R>>);

impl<R: Event> Reading<R> {
    /// Reads until the bus is closed. `from` is where a reader begins that takes this one's place.
    async fn run(self, bus: &Bus, topic: &Topic, mut reader: Box<dyn Reader>, mut from: Position) {
        let mut backoff = Backoff::new(REOPEN_DELAY_MIN, REOPEN_DELAY_MAX);
        loop {
            let error = match reader.next().await {
                Ok(Some(stored)) => {
                    self.0.take(&stored.batch);
                    from = Position::Offset(stored.offset + 1);
                    backoff = Backoff::new(REOPEN_DELAY_MIN, REOPEN_DELAY_MAX);
                    continue;
                }
                Ok(None) => return,
                Err(error) => error,
            };
            if error.kind() == Kind::Closed {
                return;
            }
            tracing::warn!(%topic, %error, "replies are not read; retrying");
            reader = loop {
                tokio::time::sleep(backoff.next()).await;
                match bus.transport().read(spec::<R>(topic, from)).await {
                    Ok(reader) => break reader,
                    Err(error) if error.fate() == Fate::Refused => return,
                    Err(error) => tracing::debug!(%topic, %error, "replies are not read yet"),
                }
            };
        }
    }
}

impl<R> Drop for Reading<R> {
    fn drop(&mut self) {
        let left = self.0.lock().replies.take();
        drop(left);
    }
}

fn spec<R: Event>(topic: &Topic, from: Position) -> ReadSpec {
    let filter = Filter { types: vec![R::NUMBER], ..Filter::default() };
    ReadSpec { filter, ..ReadSpec::topics([topic.clone()], from, true) }
}
