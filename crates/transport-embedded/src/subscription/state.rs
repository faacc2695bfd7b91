//! A subscription: its cursors, its filter, and how much each of its consumers holds. A state
//! machine without I/O, as [`crate::subscription::cursor`].

use std::collections::{BTreeMap, HashMap};

use crate::format::codec::{Kind, Put, unseal};
use crate::format::record::Head;
use crate::subscription::cursor::{ConsumerId, Cursor, Lost, Retired, Settlement};
use worldbus_bus::{Filter, SubscriptionName};

/// Where a subscription goes on with what was never delivered, without a look at each topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Walk {
    /// Not known: each topic is looked at.
    Unknown,
    /// What was read ahead from the disk comes first, in its order.
    Ahead,
    /// Nothing of it is before this place in the tail.
    Tail(u64),
}

/// The state of a subscription.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) name: SubscriptionName,
    pub(crate) filter: Filter,
    pub(crate) cursors: BTreeMap<u32, Cursor>,
    /// Deliveries under lease by consumer; without an entry 0.
    held: HashMap<ConsumerId, u32>,
    /// Before this time nothing happens by itself, so that no cursor need be looked at.
    quiet_until_ms: i64,
    /// Where the earliest batch is that was never delivered.
    pub(crate) walk: Walk,
    /// The removals of batches that the cursors stand behind.
    removals: u64,
}

impl Subscription {
    pub(crate) fn new(name: SubscriptionName) -> Self {
        let (filter, cursors, held) = Default::default();
        let (quiet_until_ms, walk, removals) = (i64::MIN, Walk::Unknown, 0);
        Self { name, filter, cursors, held, quiet_until_ms, walk, removals }
    }

    /// Binds it to these topics and no others. A topic that is new to it begins at its offset.
    pub(crate) fn bind(&mut self, topics: &[(u32, u64)], filter: &Filter) {
        self.filter = filter.clone();
        let unbound: Vec<u32> = self.cursors.keys().copied().collect();
        for number in unbound {
            if topics.iter().all(|&(topic, _)| topic != number) {
                self.unbind(number);
            }
        }
        self.add(topics);
    }

    /// Binds it to these topics as well. One that is new to it begins at its offset.
    pub(crate) fn add(&mut self, topics: &[(u32, u64)]) {
        // It may begin before the place that was walked to.
        self.walk = Walk::Unknown;
        for &(topic, offset) in topics {
            self.cursors.entry(topic).or_insert_with(|| Cursor::new(offset));
        }
    }

    /// Puts right what earlier versions took from a caller: a start beyond the end of a topic.
    pub(crate) fn confine(&mut self, heads: &[Head]) {
        for (&topic, cursor) in &mut self.cursors {
            cursor.confine(heads.get(topic as usize).map_or(0, |head| head.next_offset));
        }
    }

    /// Binds it to a topic no longer.
    pub(crate) fn unbind(&mut self, topic: u32) {
        // What is under lease there does not come back.
        let freed = self.cursors.remove(&topic).map(|mut cursor| cursor.retire(u64::MAX).freed);
        freed.into_iter().flatten().for_each(|consumer| self.free(consumer));
    }

    /// Deliveries that the consumer holds under lease.
    pub(crate) fn held(&self, consumer: ConsumerId) -> u32 {
        self.held.get(&consumer).copied().unwrap_or_default()
    }

    /// Ends the leases that are over; whether there were any.
    pub(crate) fn expire(&mut self, now_ms: i64) -> bool {
        if now_ms < self.quiet_until_ms {
            return false;
        }
        let ended = self.cursors.values_mut().flat_map(|cursor| cursor.expire(now_ms));
        let ended: Vec<_> = ended.collect();
        for &consumer in &ended {
            self.free(consumer);
        }
        self.quiet_until_ms = self.timer().unwrap_or(i64::MAX);
        !ended.is_empty()
    }

    /// The delivery that has to come again: topic, offset, attempts so far.
    pub(crate) fn due(&self, now_ms: i64) -> Option<(u32, u64, u32)> {
        if now_ms < self.quiet_until_ms {
            return None;
        }
        self.cursors.iter().find_map(|(&topic, cursor)| {
            cursor.due(now_ms).map(|(offset, attempts)| (topic, offset, attempts))
        })
    }

    /// When something happens by itself.
    pub(crate) fn timer(&self) -> Option<i64> {
        self.cursors.values().filter_map(Cursor::timer).min()
    }

    /// A time was set at which something happens.
    fn wakes_at(&mut self, at_ms: i64) {
        self.quiet_until_ms = self.quiet_until_ms.min(at_ms);
    }

    /// Gives a batch to a consumer; which attempt it is.
    pub(crate) fn grant(
        &mut self,
        topic: u32,
        offset: u64,
        consumer: ConsumerId,
        until_ms: i64,
    ) -> Option<u32> {
        let attempt = self.cursors.get_mut(&topic)?.grant(offset, consumer, until_ms);
        self.wakes_at(until_ms);
        *self.held.entry(consumer).or_default() += 1;
        Some(attempt)
    }

    /// Whether this delivery may still be settled.
    pub(crate) fn holds(&self, topic: u32, offset: u64, attempt: u32) -> bool {
        self.cursors.get(&topic).is_some_and(|cursor| cursor.holds(offset, attempt))
    }

    /// Settles a delivery.
    pub(crate) fn settle(
        &mut self,
        topic: u32,
        offset: u64,
        attempt: u32,
        settlement: Settlement,
    ) -> Result<(), Lost> {
        let cursor = self.cursors.get_mut(&topic).ok_or(Lost)?;
        let settled = cursor.settle(offset, attempt, settlement)?;
        match settlement {
            Settlement::Ack => {}
            Settlement::Nack { at_ms } | Settlement::Extend { until_ms: at_ms } => {
                self.wakes_at(at_ms);
            }
            Settlement::Release => self.wakes_at(i64::MIN),
        }
        if settled.freed {
            self.free(settled.consumer);
        }
        if settled.taken {
            *self.held.entry(settled.consumer).or_default() += 1;
        }
        Ok(())
    }

    /// Whether batches were removed since the cursors were last moved behind what was: as many
    /// removals as there were.
    pub(crate) fn is_behind(&mut self, removals: u64) -> bool {
        std::mem::replace(&mut self.removals, removals) != removals
    }

    /// Goes on at the first batch that the topic keeps; how many were lost.
    pub(crate) fn retire(&mut self, topic: u32, first_offset: u64) -> u64 {
        let Some(cursor) = self.cursors.get_mut(&topic) else { return 0 };
        if cursor.floor() >= first_offset {
            return 0;
        }
        let Retired { lost, freed } = cursor.retire(first_offset);
        for consumer in freed {
            self.free(consumer);
        }
        lost
    }

    fn free(&mut self, consumer: ConsumerId) {
        if let Some(held) = self.held.get_mut(&consumer) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&consumer);
            }
        }
    }

    /// The record of it; `now_ms` is steady, as all times here.
    ///
    /// ```text
    /// name text │ types u32 │ { type u32 } × types │ entities u32 │ { entity text } × entities │
    /// topics u32 │ { topic u32 │ cursor (see `Cursor::encode`) } × topics │
    /// if there are places: places u32 │ { place text } × places
    /// ```
    pub(crate) fn encode(&self, id: u32, now_ms: i64) -> Vec<u8> {
        let mut put = Put::default().bytes(self.name.as_str().as_bytes());
        put = put.u32(self.filter.types.len() as u32);
        for &number in &self.filter.types {
            put = put.u32(number);
        }
        put = put.u32(self.filter.entities.len() as u32);
        for entity in &self.filter.entities {
            put = put.bytes(entity.as_bytes());
        }
        put = put.u32(self.cursors.len() as u32);
        for (&topic, cursor) in &self.cursors {
            put = cursor.encode(put.u32(topic), now_ms);
        }
        // At the end, where older records have theirs: without places the bytes are the same.
        if !self.filter.places.is_empty() {
            put = put.u32(self.filter.places.len() as u32);
            for place in &self.filter.places {
                put = put.bytes(place.as_bytes());
            }
        }
        put.seal(Kind::Subscription, u64::from(id))
    }

    pub(crate) fn decode(id: u32, sealed: &[u8], now_ms: i64) -> Option<Self> {
        let mut take = unseal(Kind::Subscription, u64::from(id), sealed)?;
        let mut this = Self::new(SubscriptionName::new(take.text()?).ok()?);
        for _ in 0..take.u32()? {
            this.filter.types.push(take.u32()?);
        }
        for _ in 0..take.u32()? {
            this.filter.entities.push(take.text()?.to_owned());
        }
        for _ in 0..take.u32()? {
            let topic = take.u32()?;
            this.cursors.insert(topic, Cursor::decode(&mut take, now_ms)?);
        }
        let places = if take.0.is_empty() { 0 } else { take.u32()? };
        for _ in 0..places {
            this.filter.places.push(take.text()?.to_owned());
        }
        Some(this)
    }
}

#[cfg(test)]
mod tests;
