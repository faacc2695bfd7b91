//! Events of several deliveries at a time: which of them may begin, and when a delivery has ended.
//!
//! ```text
//! deliveries ──▶ line ──▶ under way, n at most ──▶ last of its delivery: settled
//!              in order │                        ▲
//!                       └─▶ behind the same key ─┘ when the one before it has ended
//! ```
//! An event has a key: its entity, or where order does not matter its id. Two events of one key
//! are never under way together, so a twin waits for its first, too. All is polled by one task,
//! as a handler's first steps have an order. Not here: one event at a time, which needs none of
//! this (`work`).

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState};
use std::pin::Pin;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{Instant, Sleep};

use super::limits::{Limits, Order};
use super::message::Message;
use super::seen::SeenWindow;
use super::settlement::Settlement;
use super::work::Work;
use crate::transport::{DeadEvent, Delivered, Lease};
use worldbus_events::{EventId, EventView};

/// Events that wait behind others of their key; beyond them no further delivery is taken, and those
/// of the last one come on top.
const BEHIND_COUNT_MAX: usize = 4096;

/// The deliveries that were taken and have not ended.
pub(super) struct Flow<'a> {
    work: &'a Work,
    limits: Limits,
    hasher: RandomState,
    /// By the number of their arrival.
    open: BTreeMap<u64, Open>,
    taken: u64,
    /// Of the open deliveries' batches.
    bytes: usize,
    /// Events that have not had their turn, in order of arrival. All of one delivery, since no
    /// other is taken before.
    line: VecDeque<Waiting>,
    /// The keys that are under way, and what waits for each, in order of arrival. Earlier in it
    /// than all of the line.
    behind: HashMap<u64, VecDeque<Waiting>>,
    behind_count: usize,
    under_way: FuturesUnordered<UnderWay<'a>>,
    /// Open deliveries by when their leases are to be extended.
    leases: BTreeSet<(Instant, u64)>,
    /// For the first of them.
    timer: Pin<Box<Sleep>>,
    /// The open deliveries that are in neither: whether their leases are still theirs.
    extending: FuturesUnordered<BoxFuture<'a, (u64, bool)>>,
    ended: Vec<Settlement>,
}

/// A delivery that has not ended.
struct Open {
    lease: Lease,
    extended_at: Instant,
    bytes: usize,
    /// Its events that have not ended.
    left: usize,
    dead: Vec<DeadEvent>,
}

/// An event that has not begun.
struct Waiting {
    delivery: u64,
    key: u64,
    message: Message,
}

/// An event that has begun and has not ended.
struct UnderWay<'a> {
    delivery: u64,
    key: u64,
    handling: BoxFuture<'a, Result<EventId, DeadEvent>>,
}

/// An event that has ended.
struct Ended {
    delivery: u64,
    key: u64,
    handled: Result<EventId, DeadEvent>,
}

impl Future for UnderWay<'_> {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ended> {
        let (delivery, key) = (self.delivery, self.key);
        let handled = self.handling.as_mut().poll(context);
        handled.map(|handled| Ended { delivery, key, handled })
    }
}

impl<'a> Flow<'a> {
    pub(super) fn new(work: &'a Work, limits: Limits) -> Self {
        Self {
            work,
            limits,
            hasher: RandomState::new(),
            open: BTreeMap::new(),
            taken: 0,
            bytes: 0,
            line: VecDeque::new(),
            behind: HashMap::new(),
            behind_count: 0,
            under_way: FuturesUnordered::new(),
            leases: BTreeSet::new(),
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            extending: FuturesUnordered::new(),
            ended: Vec::new(),
        }
    }

    /// Whether no delivery is open.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether another delivery may be taken. Not while an event has not had its turn: that of an
    /// event of the next delivery would come later.
    pub(super) fn has_room(&self) -> bool {
        self.line.is_empty()
            && self.under_way.len() < self.limits.concurrency
            && self.behind_count < BEHIND_COUNT_MAX
            && (self.open.is_empty() || self.bytes < self.limits.prefetch_bytes)
    }

    /// Takes a delivery. Its lease is kept from now on.
    pub(super) fn take(&mut self, delivered: Delivered) {
        let work = self.work;
        let (delivery, delivered) = (self.taken, Arc::new(delivered));
        self.taken += 1;
        let wanted = |view: &EventView<'_>| {
            work.within.admits_event(view) && work.handlers.contains_key(&view.event_type)
        };
        // Two keys that chance makes one are one: more wait than need to, and none overtakes.
        let mut entities = self.hasher.build_hasher();
        (&delivered.lease.topic, delivered.batch.world()).hash(&mut entities);
        for view in delivered.batch.iter().filter(wanted) {
            let mut key = entities.clone();
            match self.limits.order {
                Order::PerEntity => view.entity.hash(&mut key),
                Order::BeginOnly => view.id.hash(&mut key),
            }
            let (key, message) = (key.finish(), Message::new(&delivered, &view));
            self.line.push_back(Waiting { delivery, key, message });
        }

        let (lease, bytes) = (delivered.lease.clone(), delivered.batch.bytes().len());
        let left = self.line.len();
        if left == 0 {
            self.ended.push(work.settlement(lease, Some(Vec::new())));
            return;
        }
        let extended_at = Instant::now() + work.extend_after();
        self.leases.insert((extended_at, delivery));
        self.open.insert(delivery, Open { lease, extended_at, bytes, left, dead: Vec::new() });
        self.bytes += bytes;
    }

    /// Begins what may begin, in order of arrival.
    pub(super) fn begin(&mut self) {
        while self.under_way.len() < self.limits.concurrency
            && let Some(event) = self.line.pop_front()
        {
            if let Some(behind) = self.behind.get_mut(&event.key) {
                behind.push_back(event);
                self.behind_count += 1;
                continue;
            }
            let key = event.key;
            if self.begin_event(event) {
                self.behind.insert(key, VecDeque::new());
            }
        }
    }

    /// Whether the event is under way now; else it has ended already.
    fn begin_event(&mut self, event: Waiting) -> bool {
        let Waiting { delivery, key, message } = event;
        let work = self.work;
        // Not before: its twin may have been under way when this came.
        let is_seen = lock(work).contains(message.id);
        let handler = work.handlers.get(&message.event_type).filter(|_| !is_seen);
        let Some(handler) = handler else {
            metrics::counter!("worldbus_duplicates_dropped_total").increment(1);
            self.end_event(delivery, None);
            return false;
        };
        // Up to where it first waits, here and now: that is what beginning in order means.
        let mut handling = work.handle_event(handler, message).boxed();
        match (&mut handling).now_or_never() {
            Some(handled) => {
                self.end_event(delivery, self.note(handled));
                false
            }
            None => {
                self.under_way.push(UnderWay { delivery, key, handling });
                true
            }
        }
    }

    /// Waits until something has ended, and begins what waited behind it; for ever if nothing is
    /// open. Keeps the leases of what is open meanwhile. Cancel-safe.
    pub(super) async fn next(&mut self) {
        let due = self.leases.first().copied();
        if let Some((due, _)) = due.filter(|(due, _)| *due != self.timer.deadline()) {
            self.timer.as_mut().reset(due);
        }
        tokio::select! {
            biased;
            Some(ended) = self.under_way.next() => {
                self.pass(ended);
                while let Some(Some(ended)) = self.under_way.next().now_or_never() {
                    self.pass(ended);
                }
            }
            Some((delivery, is_ours)) = self.extending.next() => self.extended(delivery, is_ours),
            () = &mut self.timer, if due.is_some() => self.extend(),
            else => std::future::pending().await,
        }
    }

    /// Ends an event and begins the next of its key.
    fn pass(&mut self, ended: Ended) {
        let dead = self.note(ended.handled);
        self.end_event(ended.delivery, dead);
        self.free(ended.key);
    }

    /// Begins the next of a key.
    fn free(&mut self, key: u64) {
        while let Some(next) = self.behind.get_mut(&key).and_then(VecDeque::pop_front) {
            self.behind_count -= 1;
            if self.begin_event(next) {
                return;
            }
        }
        self.behind.remove(&key);
    }

    /// Remembers an event that was handled; one that no retry mended.
    fn note(&self, handled: Result<EventId, DeadEvent>) -> Option<DeadEvent> {
        handled.map(|id| lock(self.work).insert(id)).err()
    }

    fn end_event(&mut self, delivery: u64, dead: Option<DeadEvent>) {
        let Some(open) = self.open.get_mut(&delivery) else { return };
        open.dead.extend(dead);
        open.left -= 1;
        if open.left == 0 {
            let mut dead = std::mem::take(&mut open.dead);
            dead.sort_unstable_by_key(|event| event.index);
            self.close(delivery, Some(dead));
        }
    }

    /// A delivery is over: handled, or else to be handed back.
    fn close(&mut self, delivery: u64, handled: Option<Vec<DeadEvent>>) {
        let Some(open) = self.open.remove(&delivery) else { return };
        self.leases.remove(&(open.extended_at, delivery));
        self.bytes -= open.bytes;
        self.ended.push(self.work.settlement(open.lease, handled));
    }

    /// Begins to extend the lease that is to be first.
    fn extend(&mut self) {
        let Some((_, delivery)) = self.leases.pop_first() else { return };
        let Some(open) = self.open.get(&delivery) else { return };
        let (work, lease) = (self.work, open.lease.clone());
        self.extending.push(async move { (delivery, work.extend(&lease).await) }.boxed());
    }

    fn extended(&mut self, delivery: u64, is_ours: bool) {
        let Some(open) = self.open.get_mut(&delivery) else { return };
        if is_ours {
            open.extended_at = Instant::now() + self.work.extend_after();
            self.leases.insert((open.extended_at, delivery));
        } else {
            self.give_up(delivery);
        }
    }

    /// What is under way of a delivery is dropped, and the rest of it does not begin.
    fn give_up(&mut self, delivery: u64) {
        self.close(delivery, None);
        self.line.retain(|event| event.delivery != delivery);
        for behind in self.behind.values_mut() {
            behind.retain(|event| event.delivery != delivery);
        }
        self.behind_count = self.behind.values().map(VecDeque::len).sum();

        let (dropped, under_way): (Vec<_>, Vec<_>) = std::mem::take(&mut self.under_way)
            .into_iter()
            .partition(|event| event.delivery == delivery);
        self.under_way = under_way.into_iter().collect();
        let keys: Vec<u64> = dropped.iter().map(|event| event.key).collect();
        drop(dropped);
        keys.into_iter().for_each(|key| self.free(key));
    }

    /// Hands back all that is open.
    pub(super) fn release(&mut self) {
        self.line.clear();
        self.behind.clear();
        self.under_way.clear();
        while let Some((&delivery, _)) = self.open.first_key_value() {
            self.close(delivery, None);
        }
    }

    /// What becomes of the deliveries that have ended since this was asked last.
    pub(super) fn ended(&mut self) -> impl Iterator<Item = Settlement> {
        self.ended.drain(..)
    }
}

fn lock(work: &Work) -> MutexGuard<'_, SeenWindow> {
    work.seen.lock().unwrap_or_else(PoisonError::into_inner)
}
