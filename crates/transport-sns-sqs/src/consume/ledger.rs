//! What is under lease: which message a delivery is of, until when that is ours, which of its parts
//! are not settled yet, and how often it was handed back, which SQS counts as an attempt and we do
//! not.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::aws::queue::Queue;
use crate::consume::capacity::Taking;
use worldbus_bus::{Error, Kind, Lease, SubscriptionSpec, Topic};
use worldbus_events::Batch;

/// Messages whose releases are remembered; beyond them all are forgotten, and count.
const RELEASED_COUNT_MAX: usize = 4096;

/// What the deliveries of one consumer share.
pub(crate) struct Home {
    pub(crate) spec: SubscriptionSpec,
    pub(crate) queue: Arc<Queue>,
    pub(crate) dead_letters: Arc<Queue>,
    /// Acks on their way.
    pub(crate) acks: TaskTracker,
}

impl Home {
    /// Removes a message that is done, with others if they come soon. It keeps its room until it
    /// is gone, so what is under way is bounded.
    pub(crate) fn remove(self: &Arc<Self>, receipt: String, room: Taking) {
        let home = Arc::clone(self);
        self.acks.spawn(async move {
            if let Err(error) = home.queue.delete(receipt).await {
                let queue = home.queue.url();
                tracing::warn!(queue, %error, "an ack was not taken: the delivery comes again");
                metrics::counter!("worldbus_acks_lost_total").increment(1);
            }
            drop(room);
        });
    }
}

/// A message under lease, which all its parts share.
pub(crate) struct HeldMessage {
    pub(crate) home: Arc<Home>,
    pub(crate) id: String,
    pub(crate) receipt: String,
    pub(crate) attempt: u32,
    pub(crate) expires: Instant,
    pub(crate) room: Taking,
    /// When it comes again, if a part of it was handed back.
    pub(crate) back: Option<Back>,
}

/// When a message comes again, and whether that counts as an attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Back {
    pub(crate) at: Instant,
    pub(crate) counts: bool,
}

impl Back {
    /// Of two parts that were handed back, the later one decides when.
    fn and(self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        Self { at: self.at.max(other.at), counts: self.counts || other.counts }
    }
}

/// A batch of a message: a delivery. Most messages have one.
pub(crate) struct Part {
    pub(crate) topic: Topic,
    pub(crate) batch: Batch,
    /// Events that were set aside already.
    pub(crate) aside: BTreeSet<u32>,
    /// Its place among what the consumer has in its hands; none while it waits for `next`.
    pub(crate) in_flight: Option<OwnedSemaphorePermit>,
}

impl Part {
    pub(crate) fn new(topic: Topic, batch: Batch) -> Self {
        Self { topic, batch, aside: BTreeSet::new(), in_flight: None }
    }
}

/// All deliveries of a transport that are under lease, by number. Bounded by the room of its
/// consumers, and by what fits into a message.
#[derive(Default)]
pub(crate) struct Ledger {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    /// Messages by the number of their first part. Those of the others follow, so a part is of the
    /// message whose number is the last one up to its own.
    held: BTreeMap<u64, Held>,
    /// How often messages were handed back, by message id.
    released: HashMap<String, u32>,
}

struct Held {
    message: HeldMessage,
    /// The parts that are not settled, by number.
    parts: BTreeMap<u64, Part>,
}

impl Ledger {
    /// Enters a message with its parts; the number of the first, the others follow. An earlier
    /// delivery of it is lost from now on: SQS ended its lease a little before we would have.
    pub(crate) fn enter(&self, message: HeldMessage, parts: Vec<Part>) -> u64 {
        let mut state = self.lock();
        state.held.retain(|_, earlier| !earlier.message.is_of(&message));
        let first = state.next;
        let parts: BTreeMap<u64, Part> = (first..).zip(parts).collect();
        state.next += parts.len() as u64;
        state.held.insert(first, Held { message, parts });
        first
    }

    /// Does something with a delivery that is ours.
    ///
    /// # Errors
    /// `LeaseLost` if it is not, or its lease has ended.
    pub(crate) fn with<T>(
        &self,
        lease: &Lease,
        act: impl FnOnce(&mut HeldMessage, &mut Part) -> T,
    ) -> Result<T, Error> {
        let mut state = self.lock();
        let (_, Held { message, parts }) = state.of(lease)?;
        let part = parts.get_mut(&lease.offset).ok_or_else(|| lost(lease))?;
        Ok(act(message, part))
    }

    /// Takes a delivery out, which is done or comes `back`. The last one of its message brings that
    /// along: it is to be deleted, or handed back if any of its parts was.
    ///
    /// # Errors
    /// As [`Ledger::with`].
    pub(crate) fn take(
        &self,
        lease: &Lease,
        back: Option<Back>,
    ) -> Result<Option<(HeldMessage, Part)>, Error> {
        let mut state = self.lock();
        let (number, held) = state.of(lease)?;
        if let Some(back) = back {
            held.message.back = Some(back.and(held.message.back));
        }
        let part = held.parts.remove(&lease.offset).ok_or_else(|| lost(lease))?;
        if !held.parts.is_empty() {
            return Ok(None);
        }
        let message = state.held.remove(&number).map(|held| held.message);
        Ok(message.map(|message| (message, part)))
    }

    /// Puts the last delivery of a message back, whose settlement failed.
    pub(crate) fn put_back(&self, lease: &Lease, message: HeldMessage, part: Part) {
        let parts = [(lease.offset, part)].into();
        self.lock().held.insert(lease.offset, Held { message, parts });
    }

    /// Removes what is held beyond its lease, whoever holds it; it comes again.
    pub(crate) fn drop_expired(&self) {
        let now = Instant::now();
        self.lock().held.retain(|_, held| held.message.expires > now);
    }

    /// Receipts of what waits in a consumer's buffer and would expire within a time. Who has a part
    /// of a message in its hands extends the lease of all: if it does not, the message comes again.
    pub(crate) fn expiring(&self, home: &Arc<Home>, within: Duration) -> Vec<(u64, String)> {
        let soon = Instant::now() + within;
        let state = self.lock();
        let expiring = state.held.iter().filter(|(_, Held { message, parts })| {
            message.expires <= soon
                && Arc::ptr_eq(&message.home, home)
                && parts.values().all(|part| part.in_flight.is_none())
        });
        expiring.map(|(&number, held)| (number, held.message.receipt.clone())).collect()
    }

    /// Notes that the lease of a message was extended.
    pub(crate) fn extended(&self, number: u64, expires: Instant) {
        if let Some(held) = self.lock().held.get_mut(&number) {
            held.message.expires = expires;
        }
    }

    /// How often a message was handed back by us.
    pub(crate) fn releases(&self, message_id: &str) -> u32 {
        self.lock().released.get(message_id).copied().unwrap_or_default()
    }

    /// Notes that a message was handed back.
    pub(crate) fn released(&self, message_id: &str) {
        let released = &mut self.lock().released;
        if released.len() >= RELEASED_COUNT_MAX && !released.contains_key(message_id) {
            released.clear();
        }
        *released.entry(message_id.to_owned()).or_default() += 1;
    }

    /// Forgets the releases of a message that is done.
    pub(crate) fn done(&self, message_id: &str) {
        self.lock().released.remove(message_id);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The message of a delivery that is ours, and its number.
    fn of(&mut self, lease: &Lease) -> Result<(u64, &mut Held), Error> {
        let found = self.held.range_mut(..=lease.offset).next_back();
        let found = found.filter(|(_, held)| held.has(lease));
        found.map(|(&number, held)| (number, held)).ok_or_else(|| lost(lease))
    }
}

impl HeldMessage {
    /// Whether both are deliveries of one message.
    fn is_of(&self, other: &Self) -> bool {
        self.id == other.id && self.home.spec.name == other.home.spec.name
    }
}

impl Held {
    /// Whether a lease is the one of a part of it, and has not ended.
    fn has(&self, lease: &Lease) -> bool {
        let Held { message, parts } = self;
        message.home.spec.name == lease.subscription
            && message.attempt == lease.attempt
            && message.expires > Instant::now()
            && parts.get(&lease.offset).is_some_and(|part| part.topic == lease.topic)
    }
}

fn lost(lease: &Lease) -> Error {
    let Lease { subscription, topic, offset, attempt } = lease;
    let context = format!(
        "delivery {offset} (attempt {attempt}) of topic {topic} is not {subscription}'s any more: \
         it was settled, or its lease ended; drop it, it comes again if need be"
    );
    Error::refused(Kind::LeaseLost, context)
}
