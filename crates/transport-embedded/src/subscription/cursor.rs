//! Where a subscription stands in one topic: which batches were never delivered, which are
//! pending, which are settled. A state machine: offsets and time in, decisions out.
//!
//! ```text
//! offset   0 ─── floor ────────────── next ─────────── end of the topic
//!          settled     settled, or    never delivered
//!                      pending: leased, expired or due
//! ```
//!
//! Everything below `next` is settled unless it is pending. So a run of settled batches costs
//! nothing, however long it is and however old the batch that is still pending before it.

use std::collections::{BTreeMap, BTreeSet};

use crate::format::codec::{Put, Take};
use worldbus_bus::limits::LEASE_MAX;

/// Batches of one subscription and topic that were delivered and not settled; beyond them
/// nothing new is delivered until one is settled.
pub(crate) const PENDING_MAX: usize = 4096;
/// What a lease or a delay has left is at most this when it is read from the disk: as much as a
/// consumer may ask for.
pub(crate) const REMAINING_MS_MAX: i64 = LEASE_MAX.as_millis() as i64;

/// A consumer within this process; 0 is one of an earlier process.
pub(crate) type ConsumerId = u64;

/// The state of a subscription in one topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    next: u64,
    pending: BTreeMap<u64, Pending>,
    /// The same by the time at which something happens: steady time of this process.
    timers: BTreeSet<(i64, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pending {
    /// Deliveries so far, of which the last may be under way.
    attempts: u32,
    state: State,
    /// When the lease ends or the delivery is due, in steady milliseconds.
    at_ms: i64,
    consumer: ConsumerId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A consumer works on it.
    Leased,
    /// The lease ended. Its holder may still settle it, until it is given to another.
    Expired,
    /// Nacked or released: the last delivery was settled, another one is due.
    Due,
}

/// How a delivery is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settlement {
    Ack,
    /// Again at this time.
    Nack {
        at_ms: i64,
    },
    Release,
    /// The lease ends at this time.
    Extend {
        until_ms: i64,
    },
}

/// The delivery is not the one that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lost;

/// What retention took from a subscription.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Retired {
    /// Batches that were removed before they were settled.
    pub(crate) lost: u64,
    /// Whose leases ended with them.
    pub(crate) freed: Vec<ConsumerId>,
}

impl Cursor {
    /// A cursor that begins at an offset.
    pub(crate) fn new(next: u64) -> Self {
        Self { next, ..Self::default() }
    }

    /// Everything below it is settled.
    pub(crate) fn floor(&self) -> u64 {
        self.pending.first_key_value().map_or(self.next, |(&offset, _)| offset)
    }

    /// Ends the leases that are over; whose they were.
    pub(crate) fn expire(&mut self, now_ms: i64) -> Vec<ConsumerId> {
        let mut freed = Vec::new();
        for &(at_ms, offset) in &self.timers {
            if at_ms > now_ms {
                break;
            }
            if let Some(pending) = self.pending.get_mut(&offset)
                && pending.state == State::Leased
            {
                pending.state = State::Expired;
                freed.push(pending.consumer);
            }
        }
        freed
    }

    /// Stands at `end` at the most.
    pub(crate) fn confine(&mut self, end: u64) {
        self.next = self.next.min(end);
        while let Some((&offset, _)) = self.pending.last_key_value()
            && offset >= end
        {
            self.remove(offset);
        }
    }

    /// Ends all leases now: who held them is known to be gone.
    pub(crate) fn end_leases(&mut self) {
        self.timers.clear();
        for (&offset, pending) in &mut self.pending {
            if pending.state != State::Due {
                pending.state = State::Expired;
                pending.at_ms = 0;
            }
            self.timers.insert((pending.at_ms, offset));
        }
    }

    /// The batch that has to be delivered again, and how often it was already. Leases that
    /// are over must have been ended.
    pub(crate) fn due(&self, now_ms: i64) -> Option<(u64, u32)> {
        let &(at_ms, offset) = self.timers.first()?;
        let pending = self.pending.get(&offset)?;
        (at_ms <= now_ms && pending.state != State::Leased).then_some((offset, pending.attempts))
    }

    /// The next batch that was never delivered, if the log has it and there is room.
    pub(crate) fn fresh(&self, end: u64) -> Option<u64> {
        (self.next < end && self.has_room()).then_some(self.next)
    }

    /// Whether one more may be under way.
    pub(crate) fn has_room(&self) -> bool {
        self.pending.len() < PENDING_MAX
    }

    /// Whether a batch was delivered, or skipped, at some time.
    pub(crate) fn has_passed(&self, offset: u64) -> bool {
        offset < self.next
    }

    /// When a lease ends or a delivery is due.
    pub(crate) fn timer(&self) -> Option<i64> {
        self.timers.first().map(|&(at_ms, _)| at_ms)
    }

    /// Gives a batch that is due or fresh to a consumer; which attempt it is.
    pub(crate) fn grant(&mut self, offset: u64, consumer: ConsumerId, until_ms: i64) -> u32 {
        let attempts = self.remove(offset).map_or(0, |pending| pending.attempts);
        let attempts = attempts.saturating_add(1);
        self.next = self.next.max(offset.saturating_add(1));
        let pending = Pending { attempts, state: State::Leased, at_ms: until_ms, consumer };
        self.insert(offset, pending);
        attempts
    }

    /// Settles a batch that no consumer works on: the filter does not admit it.
    pub(crate) fn skip(&mut self, offset: u64) {
        self.remove(offset);
        self.next = self.next.max(offset.saturating_add(1));
    }

    /// Whether this delivery may still be settled.
    pub(crate) fn holds(&self, offset: u64, attempt: u32) -> bool {
        self.pending
            .get(&offset)
            .is_some_and(|pending| pending.attempts == attempt && pending.state != State::Due)
    }

    /// Settles a delivery; whose lease ended with it, or began again (`Extend`).
    pub(crate) fn settle(
        &mut self,
        offset: u64,
        attempt: u32,
        settlement: Settlement,
    ) -> Result<Settled, Lost> {
        if !self.holds(offset, attempt) {
            return Err(Lost);
        }
        let Some(pending) = self.remove(offset) else { return Err(Lost) };
        let leased = pending.state == State::Leased;
        let again = |attempts, at_ms| Pending { attempts, state: State::Due, at_ms, ..pending };
        match settlement {
            Settlement::Ack => {}
            Settlement::Nack { at_ms } => self.insert(offset, again(attempt, at_ms)),
            Settlement::Release => self.insert(offset, again(attempt.saturating_sub(1), 0)),
            Settlement::Extend { until_ms } => {
                let extended = Pending { state: State::Leased, at_ms: until_ms, ..pending };
                self.insert(offset, extended);
            }
        }
        let extends = matches!(settlement, Settlement::Extend { .. });
        Ok(Settled {
            consumer: pending.consumer,
            freed: leased && !extends,
            taken: !leased && extends,
        })
    }

    /// Goes on at the first batch that is kept.
    pub(crate) fn retire(&mut self, first_offset: u64) -> Retired {
        let mut retired =
            Retired { lost: first_offset.saturating_sub(self.next), ..Retired::default() };
        while let Some((&offset, pending)) = self.pending.first_key_value() {
            if offset >= first_offset {
                break;
            }
            retired.lost += 1;
            if pending.state == State::Leased {
                retired.freed.push(pending.consumer);
            }
            self.remove(offset);
        }
        self.next = self.next.max(first_offset);
        retired
    }

    fn insert(&mut self, offset: u64, pending: Pending) {
        self.timers.insert((pending.at_ms, offset));
        self.pending.insert(offset, pending);
    }

    fn remove(&mut self, offset: u64) -> Option<Pending> {
        let pending = self.pending.remove(&offset)?;
        self.timers.remove(&(pending.at_ms, offset));
        Some(pending)
    }

    /// Appends the state to a record: of leases and delays what is left of them, since no other
    /// process knows this one's steady time.
    ///
    /// ```text
    /// next u64 │ pending u32 │ { offset u64 │ attempts u32 │ state u8 │ left_ms i64 } × pending
    /// state: 3 leased, 4 expired, 5 due; 0 to 2 the same with a wall time in place of left_ms
    /// ```
    pub(crate) fn encode(&self, put: Put, now_ms: i64) -> Put {
        let mut put = put.u64(self.next).u32(self.pending.len() as u32);
        for (&offset, pending) in &self.pending {
            let state = match pending.state {
                State::Leased => 3,
                State::Expired => 4,
                State::Due => 5,
            };
            let left_ms = pending.at_ms.saturating_sub(now_ms).max(0);
            put = put.u64(offset).u32(pending.attempts).u8(state).i64(left_ms);
        }
        put
    }

    /// Reads what [`Cursor::encode`] wrote; consumers are those of an earlier process. Nothing
    /// has more left than [`REMAINING_MS_MAX`]. Up to format 2 there were wall times in place of
    /// what is left (states 0 to 2): nothing is left of them.
    pub(crate) fn decode(take: &mut Take<'_>, now_ms: i64) -> Option<Self> {
        let mut cursor = Self::new(take.u64()?);
        for _ in 0..take.u32()? {
            let (offset, attempts) = (take.u64()?, take.u32()?);
            let code = take.u8()?;
            let state = match code {
                0 | 3 => State::Leased,
                1 | 4 => State::Expired,
                2 | 5 => State::Due,
                _ => return None,
            };
            let left_ms = take.i64()?.clamp(0, REMAINING_MS_MAX);
            let at_ms = if code < 3 { now_ms } else { now_ms.saturating_add(left_ms) };
            cursor.insert(offset, Pending { attempts, state, at_ms, consumer: 0 });
        }
        let beyond = cursor.pending.last_key_value().is_some_and(|(&last, _)| last >= cursor.next);
        (!beyond).then_some(cursor)
    }
}

/// What a settlement did to the load of the consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) consumer: ConsumerId,
    /// It has one delivery less.
    pub(crate) freed: bool,
    /// It has one more: an ended lease began again.
    pub(crate) taken: bool,
}

#[cfg(test)]
mod tests;
