//! What is known in memory of the committed log: how far each topic goes, and the latest
//! batches, so that those who consume as it comes never touch the disk.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::format::record::Head;
use worldbus_bus::{Serial, StoredBatch, Topic};
use worldbus_events::Batch;

/// What a cached batch takes besides its own memory, about.
const STORED_OVERHEAD_BYTES: usize = 256;

/// A committed batch.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) topic: u32,
    pub(crate) offset: u64,
    pub(crate) appended_ms: i64,
    /// Commit group and place within: the order across topics.
    pub(crate) serial: (u64, u32),
    pub(crate) batch: Batch,
}

impl Stored {
    pub(crate) fn to_stored_batch(&self, topic: Topic) -> StoredBatch {
        let Self { offset, appended_ms, .. } = *self;
        let (commit, index) = self.serial;
        let serial = Some(Serial { commit, index });
        StoredBatch { topic, offset, appended_ms, serial, batch: self.batch.clone() }
    }

    fn bytes(&self) -> usize {
        self.batch.memory_bytes() + STORED_OVERHEAD_BYTES
    }
}

/// The committed log in memory.
#[derive(Debug)]
pub(crate) struct Tail {
    topics: Vec<TopicTail>,
    numbers: HashMap<Topic, u32>,
    /// The cached batches of all topics, oldest first. Each has a place, counted from the first
    /// batch of this process on.
    order: VecDeque<Arc<Stored>>,
    /// The place of the oldest.
    first_place: u64,
    /// How often a topic's oldest batches were removed, or a topic deleted.
    removals: u64,
    bytes: usize,
    bytes_max: usize,
    /// The number of the next commit group.
    next_group: u64,
}

#[derive(Debug)]
struct TopicTail {
    head: Head,
    /// Consecutive offsets, the last one just before the head's next.
    cached: VecDeque<Arc<Stored>>,
}

impl Tail {
    pub(crate) fn new(heads: Vec<Head>, next_group: u64, bytes_max: usize) -> Self {
        let mut this = Self {
            topics: Vec::new(),
            numbers: HashMap::new(),
            order: VecDeque::new(),
            first_place: 0,
            removals: 0,
            bytes: 0,
            bytes_max,
            next_group,
        };
        for (number, head) in heads.into_iter().enumerate() {
            this.set_head(number as u32, head);
        }
        this
    }

    pub(crate) fn number(&self, topic: &Topic) -> Option<u32> {
        self.numbers.get(topic).copied()
    }

    pub(crate) fn head(&self, number: u32) -> Option<&Head> {
        self.topics.get(number as usize).map(|topic| &topic.head)
    }

    pub(crate) fn heads(&self) -> impl ExactSizeIterator<Item = &Head> {
        self.topics.iter().map(|topic| &topic.head)
    }

    /// The batch, if it is cached.
    pub(crate) fn get(&self, number: u32, offset: u64) -> Option<&Arc<Stored>> {
        let cached = &self.topics.get(number as usize)?.cached;
        let index = offset.checked_sub(cached.front()?.offset)?;
        cached.get(usize::try_from(index).ok()?)
    }

    /// The batch at a place, if it is cached.
    pub(crate) fn at(&self, place: u64) -> Option<&Arc<Stored>> {
        let index = place.checked_sub(self.first_place)?;
        self.order.get(usize::try_from(index).ok()?)
    }

    /// Whether all from a place on is cached.
    pub(crate) fn holds(&self, place: u64) -> bool {
        (self.first_place..=self.end_place()).contains(&place)
    }

    /// The place of the next batch.
    pub(crate) fn end_place(&self) -> u64 {
        self.first_place + self.order.len() as u64
    }

    /// The serial of the oldest that is cached, or what is behind all that ever were.
    pub(crate) fn first_serial(&self) -> (u64, u32) {
        self.order.front().map_or((self.next_group, 0), |oldest| oldest.serial)
    }

    /// The place of a batch, if it is cached.
    pub(crate) fn place(&self, stored: &Stored) -> Option<u64> {
        let index = self.order.binary_search_by_key(&stored.serial, |cached| cached.serial);
        index.ok().map(|index| self.first_place + index as u64)
    }

    /// How often batches were removed that a cursor may stand before.
    pub(crate) fn removals(&self) -> u64 {
        self.removals
    }

    /// The number of the next commit group: what is here is of earlier ones.
    pub(crate) fn next_group(&self) -> u64 {
        self.next_group
    }

    pub(crate) fn set_next_group(&mut self, next_group: u64) {
        self.next_group = next_group;
    }

    /// Sets how far a topic goes. New topics come in the order of their numbers.
    pub(crate) fn set_head(&mut self, number: u32, head: Head) {
        match self.topics.get_mut(number as usize) {
            Some(topic) => {
                let is_deleted = topic.head.name != head.name;
                if is_deleted {
                    self.numbers.remove(&topic.head.name);
                }
                let removed = topic.head.first_offset != head.first_offset;
                self.removals += u64::from(is_deleted || removed);
                topic.head = head;
            }
            None => {
                self.numbers.insert(head.name.clone(), number);
                self.topics.push(TopicTail { head, cached: VecDeque::new() });
            }
        }
    }

    pub(crate) fn append(&mut self, stored: Stored) {
        let Some(topic) = self.topics.get_mut(stored.topic as usize) else { return };
        self.bytes += stored.bytes();
        let stored = Arc::new(stored);
        self.order.push_back(Arc::clone(&stored));
        topic.cached.push_back(stored);
        while self.bytes > self.bytes_max {
            let Some(oldest) = self.order.pop_front() else { break };
            self.first_place += 1;
            self.bytes -= oldest.bytes();
            self.topics[oldest.topic as usize].cached.pop_front();
        }
    }
}
