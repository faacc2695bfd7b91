//! One consumer of a subscription: asks the state machine what is next, finds the batch in
//! memory or on the disk, waits when there is nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::dead_letters::add::{Letters, set_aside};
use crate::dead_letters::replay;
use crate::format::record::DeadKey;
use crate::read::pool::Fetched;
use crate::read::tail::{Stored, Tail};
use crate::shared::Shared;
use crate::store::failure::closed;
use crate::subscription::cursor::Cursor;
use crate::subscription::runtime::{Live, State};
use crate::subscription::settler::Settler;
use crate::subscription::state::Walk;
use worldbus_bus::{Consumer, DeadEvent, Delivered, Error, Lease, Settle, SubscriptionSpec};

/// Batches that are skipped in one go before others have their turn at the locks.
const SKIPS_MAX: usize = 256;
/// Bytes of batches that one fetch keeps for a subscription: what is to come again of a topic, or
/// what it reads ahead. One more may go in.
const FETCH_BYTES_MAX: usize = 1 << 20;
/// The lease of a batch that a consumer sets aside itself: longer than its commits take on a busy
/// disk, however short the leases of the subscription are. A second consumer would write the same.
const BURY_LEASE: Duration = Duration::from_secs(30);
/// How long a consumer sleeps at most while a lease or a delay runs: the clock that they run by
/// may be moved by hand.
const TIMER_MS_MAX: i64 = 250;

/// A consumer of a subscription.
pub(crate) struct LogConsumer {
    shared: Arc<Shared>,
    live: Arc<Live>,
    spec: Arc<SubscriptionSpec>,
    id: u64,
    commits: watch::Receiver<u64>,
}

/// What was fetched for the last of them is not kept: a subscription without consumers takes no
/// memory but its cursors.
impl Drop for LogConsumer {
    fn drop(&mut self) {
        if self.shared.closed(&self.live.usage) {
            let mut state = self.live.lock();
            state.fetched.clear();
            state.ahead.clear();
        }
    }
}

/// What a consumer does next.
enum Step {
    Deliver(Box<Delivered>),
    /// Get this batch from the disk, which is to come again.
    Fetch(u32, u64),
    /// Get from the disk what comes next of these topics, from these offsets on, as far as it is
    /// before what is in memory.
    ReadAhead(BTreeMap<u32, u64>, (u64, u32)),
    /// It was delivered too often: set it aside.
    Bury {
        topic: u32,
        offset: u64,
        attempt: u32,
        batch: Arc<Stored>,
    },
    /// Others have their turn.
    Yield,
    /// Until something happens, at the latest in so many milliseconds.
    Wait(Option<i64>),
}

impl LogConsumer {
    pub(crate) fn new(shared: Arc<Shared>, live: Arc<Live>, spec: SubscriptionSpec) -> Self {
        shared.opened(&live.usage);
        let (id, commits) = (live.next_consumer(), shared.commits.subscribe());
        Self { shared, live, spec: Arc::new(spec), id, commits }
    }

    fn step(&self) -> Result<Step, Error> {
        if self.shared.queue.is_closed() {
            return Err(closed());
        }
        if let Some(error) = self.shared.failed() {
            return Err(error);
        }
        if self.live.is_deleted() {
            let context = format!("subscription {} was deleted; open it again", self.live.name);
            return Err(Error::refused(worldbus_bus::Kind::NotFound, context));
        }

        // Bring the state up to now: leases that are over, batches that retention removed.
        let now_ms = self.shared.steady_ms();
        let mut state = self.live.lock();
        let tail = self.shared.tail();
        state.subscription.expire(now_ms);
        self.retire(&mut state, &tail);

        // Deliver what has to come again first, then what is new.
        if state.subscription.held(self.id) >= self.spec.in_flight_max {
            return Ok(wait(&state, now_ms));
        }
        if let Some((topic, offset, attempts)) = state.subscription.due(now_ms) {
            return Ok(self.again(&mut state, &tail, now_ms, (topic, offset, attempts)));
        }
        Ok(self.fresh(&mut state, &tail, now_ms))
    }

    /// Goes on behind what retention has removed.
    fn retire(&self, state: &mut State, tail: &Tail) {
        if !state.subscription.is_behind(tail.removals()) {
            return;
        }
        let topics: Vec<u32> = state.subscription.cursors.keys().copied().collect();
        for topic in topics {
            let Some(head) = tail.head(topic) else { continue };
            let lost = state.subscription.retire(topic, head.first_offset);
            if lost > 0 {
                let (subscription, topic) = (&self.live.name, &head.name);
                tracing::warn!(
                    %subscription, %topic, lost,
                    "retention removed batches that were not consumed"
                );
                metrics::counter!("worldbus_subscription_lost_batches_total").increment(lost);
                self.shared.moved(&self.live);
            }
        }
    }

    /// A batch that was delivered before.
    fn again(
        &self,
        state: &mut State,
        tail: &Tail,
        now_ms: i64,
        (topic, offset, attempts): (u32, u64, u32),
    ) -> Step {
        let Some(stored) = state.find(tail, topic, offset) else {
            return Step::Fetch(topic, offset);
        };
        if attempts >= self.spec.attempts_max {
            // Under lease meanwhile: if this consumer goes away, another one buries it.
            let attempt = self.grant(state, topic, offset, now_ms, BURY_LEASE);
            return Step::Bury { topic, offset, attempt, batch: stored };
        }
        metrics::counter!("worldbus_redeliveries_total").increment(1);
        self.deliver(state, tail, &stored, now_ms)
    }

    /// The earliest batch of all topics that was never delivered and that the filter admits.
    fn fresh(&self, state: &mut State, tail: &Tail, now_ms: i64) -> Step {
        let step = match state.subscription.walk {
            Walk::Tail(place) => self.walk(state, tail, now_ms, place),
            Walk::Ahead => self.walk_ahead(state, tail, now_ms),
            Walk::Unknown => None,
        };
        step.unwrap_or_else(|| self.scan(state, tail, now_ms))
    }

    /// The same for a subscription that keeps up: what it has not got is in memory from a place on,
    /// in the order of all topics, however many there are. `None` if that is so no longer.
    fn walk(&self, state: &mut State, tail: &Tail, now_ms: i64, from: u64) -> Option<Step> {
        state.subscription.walk = Walk::Unknown;
        for (skips, place) in (from..tail.end_place()).enumerate() {
            if skips == SKIPS_MAX {
                state.subscription.walk = Walk::Tail(place);
                return Some(Step::Yield);
            }
            // Too slow: it is no longer in memory.
            let stored = tail.at(place)?;
            if self.passes(state, stored)? {
                state.subscription.walk = Walk::Tail(place + 1);
                return Some(self.deliver(state, tail, stored, now_ms));
            }
        }
        state.subscription.walk = Walk::Tail(tail.end_place());
        Some(wait(state, now_ms))
    }

    /// The same for one that is behind, as far as was read ahead. What cannot be delivered now is
    /// found again by the look at each topic that comes after it.
    fn walk_ahead(&self, state: &mut State, tail: &Tail, now_ms: i64) -> Option<Step> {
        for _ in 0..SKIPS_MAX {
            let Some(stored) = state.ahead.pop_front() else { break };
            if self.passes(state, &stored) == Some(true) {
                return Some(self.deliver(state, tail, &stored, now_ms));
            }
        }
        (!state.ahead.is_empty()).then_some(Step::Yield)
    }

    /// Whether a batch on the walk is to be delivered; `None` if its turn is later, since too many
    /// of its topic are under way.
    fn passes(&self, state: &mut State, stored: &Stored) -> Option<bool> {
        let (topic, offset) = (stored.topic, stored.offset);
        let Some(cursor) = state.subscription.cursors.get_mut(&topic) else { return Some(false) };
        if cursor.has_passed(offset) {
            return Some(false);
        }
        cursor.fresh(offset + 1).filter(|&next| next == offset)?;
        let admits = state.subscription.filter.admits(&stored.batch);
        if !admits {
            cursor.skip(offset);
            self.shared.moved(&self.live);
        }
        Some(admits)
    }

    /// The same by looking at each topic, and whether it can walk from here on.
    fn scan(&self, state: &mut State, tail: &Tail, now_ms: i64) -> Step {
        state.subscription.walk = Walk::Unknown;
        state.ahead.clear();
        let mut earliest: Option<Arc<Stored>> = None;
        let mut missing = BTreeMap::new();
        let (mut skips, mut all_seen) = (0, true);
        let topics: Vec<u32> = state.subscription.cursors.keys().copied().collect();
        for topic in topics {
            let end = tail.head(topic).map_or(0, |head| head.next_offset);
            while let Some(offset) =
                state.subscription.cursors.get(&topic).and_then(|cursor| cursor.fresh(end))
            {
                let Some(stored) = tail.get(topic, offset).cloned() else {
                    missing.insert(topic, offset);
                    break;
                };
                if state.subscription.filter.admits(&stored.batch) {
                    if earliest.as_ref().is_none_or(|known| stored.serial < known.serial) {
                        earliest = Some(stored);
                    }
                    break;
                }
                if let Some(cursor) = state.subscription.cursors.get_mut(&topic) {
                    cursor.skip(offset);
                }
                self.shared.moved(&self.live);
                skips += 1;
                if skips == SKIPS_MAX {
                    return Step::Yield;
                }
            }
            all_seen &= state.subscription.cursors.get(&topic).is_none_or(Cursor::has_room);
        }
        if !missing.is_empty() {
            return Step::ReadAhead(missing, tail.first_serial());
        }
        let place = earliest.as_ref().map_or(Some(tail.end_place()), |stored| tail.place(stored));
        state.subscription.walk = place.filter(|_| all_seen).map_or(Walk::Unknown, Walk::Tail);
        match earliest {
            Some(stored) => self.deliver(state, tail, &stored, now_ms),
            None => wait(state, now_ms),
        }
    }

    fn deliver(&self, state: &mut State, tail: &Tail, stored: &Stored, now_ms: i64) -> Step {
        let (number, offset) = (stored.topic, stored.offset);
        // The subscription is being deleted, with what was replayed to it.
        let Some((topic, leased_offset)) = replay::place(tail, number, offset) else {
            return Step::Yield;
        };
        let attempt = self.grant(state, number, offset, now_ms, self.spec.lease);
        state.fetched.remove(&(number, offset));
        let subscription = self.live.name.clone();
        Step::Deliver(Box::new(Delivered {
            lease: Lease { subscription, topic, offset: leased_offset, attempt },
            appended_ms: stored.appended_ms,
            batch: stored.batch.clone(),
        }))
    }

    fn grant(
        &self,
        state: &mut State,
        topic: u32,
        offset: u64,
        now_ms: i64,
        lease: Duration,
    ) -> u32 {
        let lease_ms = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX);
        let until_ms = now_ms.saturating_add(lease_ms);
        let attempt = state.subscription.grant(topic, offset, self.id, until_ms);
        self.shared.moved(&self.live);
        attempt.unwrap_or_default()
    }

    async fn fetch(&self, topic: u32, offset: u64) -> Result<(), Error> {
        // One fetch at a time; another consumer's may have brought the batch meanwhile.
        let _fetching = self.live.fetching.lock().await;
        if self.live.lock().find(&self.shared.tail(), topic, offset).is_some() {
            return Ok(());
        }

        let wanted = BTreeMap::from([(topic, offset)]);
        match self.shared.reads.fetch(wanted, FETCH_BYTES_MAX).await? {
            Fetched::Batches(batches) => {
                self.keep(topic, batches);
                Ok(())
            }
            Fetched::Nothing { topic, offset } => self.shared.missing(topic, offset),
        }
    }

    async fn read_ahead(
        &self,
        wanted: BTreeMap<u32, u64>,
        before: (u64, u32),
    ) -> Result<(), Error> {
        // One at a time; another consumer's may have brought it meanwhile.
        let _fetching = self.live.fetching.lock().await;
        if self.live.lock().subscription.walk != Walk::Unknown {
            return Ok(());
        }
        match self.shared.reads.fetch(wanted, FETCH_BYTES_MAX).await? {
            Fetched::Batches(batches) => {
                let mut state = self.live.lock();
                let earlier = batches.into_iter().filter(|stored| stored.serial < before);
                state.ahead = earlier.collect();
                state.subscription.walk = Walk::Ahead;
                Ok(())
            }
            Fetched::Nothing { topic, offset } => self.shared.missing(topic, offset),
        }
    }

    fn keep(&self, topic: u32, batches: Vec<Stored>) {
        let mut state = self.live.lock();
        state.fetched.retain(|&(number, _), _| number != topic);
        for stored in batches {
            state.fetched.insert((topic, stored.offset), Arc::new(stored));
        }
    }

    /// Sets every event of a batch aside and settles it.
    async fn bury(&self, lease: &Lease, stored: &Stored) -> Result<(), Error> {
        // A dead letter for each event of the batch.
        let attempts = lease.attempt - 1;
        let now_ms = self.shared.now_ms();
        let reason = format!("delivered {attempts} times and not settled, the most allowed");
        let events = (0..stored.batch.len() as u32).map(|index| DeadEvent {
            index,
            reason: reason.clone(),
            attempts,
            first_failed_ms: stored.appended_ms,
            last_failed_ms: now_ms,
        });
        let (topic, offset) = (stored.topic, stored.offset);
        let key = DeadKey { subscription: self.live.id, topic, offset, index: 0 };
        let (consumer, batch) = (self.spec.consumer.clone(), stored.batch.clone());
        let live = Arc::clone(&self.live);
        let letters = Letters { live, key, consumer, batch, events: events.collect() };
        set_aside(&self.shared, letters).await?;

        // Once they are durable, settle the batch: in this order it is never neither.
        match self.settler().settle(lease, worldbus_bus::Outcome::Ack).await {
            // Once for each batch: only one of those who set it aside settles it.
            Ok(()) => {
                let Lease { subscription, topic, offset, .. } = lease;
                tracing::warn!(
                    %subscription, %topic, offset, attempts,
                    "batch set aside: delivered too often"
                );
                Ok(())
            }
            // Another consumer was given it meanwhile and will find it set aside.
            Err(error) if error.kind() == worldbus_bus::Kind::LeaseLost => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl Consumer for LogConsumer {
    async fn next(&mut self) -> Result<Delivered, Error> {
        loop {
            // What happens from here on is noticed by the wait below.
            self.commits.borrow_and_update();
            let live = Arc::clone(&self.live);
            let mut changed = std::pin::pin!(live.changed.notified());
            changed.as_mut().enable();

            // Decide under the lock, act without it.
            match self.step()? {
                Step::Deliver(delivered) => return Ok(*delivered),
                Step::Fetch(topic, offset) => self.fetch(topic, offset).await?,
                Step::ReadAhead(wanted, before) => self.read_ahead(wanted, before).await?,
                Step::Bury { topic, offset, attempt, batch } => {
                    let place = replay::place(&self.shared.tail(), topic, offset);
                    let Some((name, offset)) = place else { continue };
                    let subscription = self.live.name.clone();
                    let lease = Lease { subscription, topic: name, offset, attempt };
                    self.bury(&lease, &batch).await?;
                }
                Step::Yield => tokio::task::yield_now().await,
                Step::Wait(wait_ms) => {
                    let timer = async {
                        match wait_ms {
                            Some(ms) => tokio::time::sleep(Duration::from_millis(ms as u64)).await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        _ = self.commits.changed() => {}
                        () = changed => {}
                        () = timer => {}
                    }
                }
            }
        }
    }

    fn settler(&self) -> Arc<dyn Settle> {
        Arc::new(Settler {
            shared: Arc::clone(&self.shared),
            live: Arc::clone(&self.live),
            spec: Arc::clone(&self.spec),
        })
    }

    /// Nothing to hand back: nothing is delivered ahead of `next`.
    async fn close(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}

fn wait(state: &State, now_ms: i64) -> Step {
    let timer = state.subscription.timer();
    Step::Wait(timer.map(|at_ms| at_ms.saturating_sub(now_ms).clamp(1, TIMER_MS_MAX)))
}

#[cfg(test)]
mod tests;
