//! What is under lease: which message a delivery is, until when it is ours, and how often it was
//! handed back, which SQS counts as an attempt and we do not.

use crate::queue::Queue;
use crate::room::Taking;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
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

/// A message under lease.
pub(crate) struct Held {
    pub(crate) home: Arc<Home>,
    pub(crate) message_id: String,
    pub(crate) receipt: String,
    pub(crate) topic: Topic,
    pub(crate) batch: Batch,
    pub(crate) attempt: u32,
    pub(crate) expires: Instant,
    /// Whether it still waits to be returned by `next`: then we extend its lease.
    pub(crate) waits: bool,
    /// Events that were set aside already.
    pub(crate) aside: BTreeSet<u32>,
    pub(crate) room: Taking,
}

/// All deliveries of a transport that are under lease, by number. Bounded by the room of its
/// consumers.
#[derive(Default)]
pub(crate) struct Ledger {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    held: BTreeMap<u64, Held>,
    /// How often messages were handed back, by message id.
    released: HashMap<String, u32>,
}

impl Ledger {
    /// Enters a message; its number. An earlier delivery of it is nobody's from now on: SQS ended
    /// its lease a little before we would have.
    pub(crate) fn enter(&self, held: Held) -> u64 {
        let mut state = self.lock();
        state.held.retain(|_, earlier| !earlier.is_of(&held));
        let number = state.next;
        state.next += 1;
        state.held.insert(number, held);
        number
    }

    /// Does something with a delivery that is ours.
    ///
    /// # Errors
    /// `LeaseLost` if it is not, or its lease has ended.
    pub(crate) fn with<T>(
        &self,
        lease: &Lease,
        act: impl FnOnce(&mut Held) -> T,
    ) -> Result<T, Error> {
        let mut state = self.lock();
        let held = state.held.get_mut(&lease.offset);
        let held = held.filter(|held| held.is(lease)).ok_or_else(|| lost(lease))?;
        Ok(act(held))
    }

    /// Takes a delivery out.
    ///
    /// # Errors
    /// As [`Ledger::with`].
    pub(crate) fn take(&self, lease: &Lease) -> Result<Held, Error> {
        self.with(lease, |_| ())?;
        self.lock().held.remove(&lease.offset).ok_or_else(|| lost(lease))
    }

    /// Puts a delivery back whose settlement failed.
    pub(crate) fn put_back(&self, lease: &Lease, held: Held) {
        self.lock().held.insert(lease.offset, held);
    }

    /// Removes what is held beyond its lease, whoever holds it; it comes again.
    pub(crate) fn drop_expired(&self) {
        let now = Instant::now();
        self.lock().held.retain(|_, held| held.expires > now);
    }

    /// Receipts of what waits in a consumer's buffer and would expire within a time.
    pub(crate) fn expiring(&self, home: &Arc<Home>, within: Duration) -> Vec<(u64, String)> {
        let soon = Instant::now() + within;
        let state = self.lock();
        let expiring = state.held.iter().filter(|(_, held)| {
            held.waits && held.expires <= soon && Arc::ptr_eq(&held.home, home)
        });
        expiring.map(|(&number, held)| (number, held.receipt.clone())).collect()
    }

    /// Notes that a lease was extended.
    pub(crate) fn extended(&self, number: u64, expires: Instant) {
        if let Some(held) = self.lock().held.get_mut(&number) {
            held.expires = expires;
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

impl Held {
    /// Whether both are deliveries of one message.
    fn is_of(&self, other: &Self) -> bool {
        self.message_id == other.message_id && self.home.spec.name == other.home.spec.name
    }

    /// Whether a lease is the one of this delivery, and has not ended.
    fn is(&self, lease: &Lease) -> bool {
        self.home.spec.name == lease.subscription
            && self.topic == lease.topic
            && self.attempt == lease.attempt
            && self.expires > Instant::now()
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
