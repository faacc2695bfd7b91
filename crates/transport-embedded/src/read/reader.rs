//! Reading the log without leases: what is there, and what comes.

mod gaps;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::dead_letters::replay;
use crate::read::pool::{Fetched, first_offset};
use crate::read::tail::{Stored, Tail};
use crate::shared::Shared;
use crate::store::failure::closed;
use crate::usage::Use;
use worldbus_bus::{Error, Notice, Position, ReadSpec, Reader, StoredBatch, Topic};

/// Batches that are taken from memory in one go.
const TAKE_MAX: u64 = 64;
/// Bytes of batches that a reader holds ahead of its caller; one more may go in.
const READY_BYTES_MAX: usize = 64 << 10;
/// Notices that wait for a caller who may not ask for them; further ones are left out.
const NOTICE_COUNT_MAX: usize = 1024;

/// A reader of one or more topics.
pub(crate) struct LogReader {
    shared: Arc<Shared>,
    spec: ReadSpec,
    /// Where to go on, by topic.
    next: BTreeMap<u32, u64>,
    /// A place in memory, if one is known, before which nothing is to be read.
    walked: Option<u64>,
    /// The removals of batches that it stands behind.
    removals: Option<u64>,
    /// Where to end, unless it follows.
    ends: BTreeMap<u32, u64>,
    /// Topics that are listed and do not exist yet.
    awaited: Vec<(Topic, Position)>,
    /// Topics numbered below it are known; those from it on came later.
    topics_known: u32,
    /// Of the topics that are listed: those are not idle as long as this reader is there.
    reading: Vec<Reading>,
    ready: VecDeque<StoredBatch>,
    /// To be reported before what is ready.
    notices: VecDeque<Notice>,
    /// The time of what was read last, or that the caller named.
    seen_ms: Option<i64>,
    commits: watch::Receiver<u64>,
}

/// What a reader does next.
enum Step {
    Ready,
    Fetch(BTreeMap<u32, u64>),
    Wait,
}

impl LogReader {
    /// Begins where the specification starts, as of now.
    pub(crate) async fn open(shared: Arc<Shared>, mut spec: ReadSpec) -> Result<Self, Error> {
        let commits = shared.commits.subscribe();
        let resume = spec.resume;
        let notices = gaps::settle_log(&shared, &mut spec).await?;
        let by_time = resume.filter(|_| !notices.is_empty());
        let heads: Vec<_> = shared.tail().heads().cloned().collect();
        let mut this = Self {
            shared,
            awaited: spec.topics.clone(),
            spec,
            next: BTreeMap::new(),
            walked: None,
            removals: None,
            ends: BTreeMap::new(),
            topics_known: heads.len() as u32,
            reading: Vec::new(),
            ready: VecDeque::new(),
            notices,
            seen_ms: resume.map(|resume| resume.time_ms),
            commits,
        };

        // Of the topics that exist, find where to begin; the others are awaited.
        for (number, head) in heads.into_iter().enumerate() {
            let number = number as u32;
            if let Some(position) = this.wanted(&head.name) {
                let gap = gaps::at_opening(&head, position, by_time, this.seen_ms);
                this.notices.extend(gap.map(Notice::Gap));
                let next = resolve(&this.shared, number, position).await?;
                this.next.insert(number, next);
                this.ends.insert(number, head.next_offset);
                this.found(number, &head.name);
            }
        }
        Ok(this)
    }

    /// Where to begin in a topic that is now there, if it is to be read.
    fn wanted(&self, name: &Topic) -> Option<Position> {
        if let Some((_, position)) = self.awaited.iter().find(|(awaited, _)| awaited == name) {
            return Some(*position);
        }
        let all = self.spec.all_topics && replay::is_public(name);
        all.then_some(self.spec.default_from)
    }

    /// Waits no longer for a topic that is there.
    fn found(&mut self, number: u32, name: &Topic) {
        let awaited = self.awaited.len();
        self.awaited.retain(|(awaited, _)| awaited != name);
        if self.awaited.len() < awaited {
            self.reading.push(Reading::new(&self.shared, number));
        }
    }

    /// Takes up the topics that came since.
    async fn adopt(&mut self) -> Result<(), Error> {
        let came: Vec<Topic> = {
            let tail = self.shared.tail();
            let heads = tail.heads().skip(self.topics_known as usize);
            heads.map(|head| head.name.clone()).collect()
        };
        for name in came {
            let number = self.topics_known;
            if let Some(position) = self.wanted(&name) {
                // All of it came after this reader began, when the end was where it starts.
                let position = match position {
                    Position::Now | Position::Offset(_) => Position::Start,
                    position => position,
                };
                let next = resolve(&self.shared, number, position).await?;
                // Only now: if this is cancelled before, the topic is still to be taken up.
                self.next.insert(number, next);
                // It may begin before the place that was walked to.
                self.walked = None;
                self.found(number, &name);
            }
            self.topics_known += 1;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<Step, Error> {
        if self.shared.queue.is_closed() {
            return Err(closed());
        }
        let shared = Arc::clone(&self.shared);
        let tail = shared.tail();
        if self.spec.follow && tail.heads().len() > self.topics_known as usize {
            // First the topics that came since: what they hold may be before what others hold.
            return Ok(Step::Ready);
        }
        self.skip_removed(&tail);
        let from = match self.place(&tail) {
            Ok(place) => place,
            // What is to be fetched comes before what is in memory.
            Err(behind) if self.ready.is_empty() => return Ok(Step::Fetch(behind)),
            Err(_) => return Ok(Step::Ready),
        };
        let end = tail.end_place();
        let (mut place, mut bytes) = (from, 0);
        while place < end.min(from + TAKE_MAX) && bytes < READY_BYTES_MAX {
            let Some(stored) = tail.at(place) else { break };
            let next = self.next.get(&stored.topic);
            if next == Some(&stored.offset) && stored.offset < self.end(&tail, stored.topic) {
                bytes += self.take(&tail, stored);
            }
            place += 1;
        }
        self.walked = Some(place);
        Ok(if place == end && self.ready.is_empty() { Step::Wait } else { Step::Ready })
    }

    /// The place in memory from which on is what it has not read, in the order of all topics; where
    /// some of that is not in memory any more, what is to be read of each topic.
    fn place(&self, tail: &Tail) -> Result<u64, BTreeMap<u32, u64>> {
        // What ends does so though more comes for ever.
        if self.spec.follow
            && let Some(place) = self.walked.filter(|&place| tail.holds(place))
        {
            return Ok(place);
        }
        let is_behind = |&(&topic, &next): &(&u32, &u64)| next < self.end(tail, topic);
        let behind = || self.next.iter().filter(is_behind).map(|(&topic, &next)| (topic, next));
        let cached: Option<Vec<_>> = behind().map(|(topic, next)| tail.get(topic, next)).collect();
        let Some(cached) = cached else { return Err(behind().collect()) };
        let earliest = cached.into_iter().min_by_key(|stored| stored.serial);
        Ok(earliest.and_then(|stored| tail.place(stored)).unwrap_or(tail.end_place()))
    }

    /// Goes on behind what was removed.
    fn skip_removed(&mut self, tail: &Tail) {
        if self.removals.replace(tail.removals()) == Some(tail.removals()) {
            return;
        }
        for (&topic, next) in &mut self.next {
            let Some(head) = tail.head(topic) else { continue };
            if replay::is_deleted(&head.name) {
                *next = head.next_offset;
            } else if let Some(gap) = gaps::overtaken(head, *next, self.seen_ms) {
                *next = head.first_offset;
                if self.notices.len() < NOTICE_COUNT_MAX {
                    self.notices.push_back(Notice::Gap(gap));
                }
            }
        }
    }

    fn end(&self, tail: &Tail, topic: u32) -> u64 {
        let end = tail.head(topic).map_or(0, |head| head.next_offset);
        if self.spec.follow { end } else { self.ends.get(&topic).map_or(0, |&at| at.min(end)) }
    }

    /// Goes behind a batch; the bytes that it takes if it is to be returned.
    fn take(&mut self, tail: &Tail, stored: &Stored) -> usize {
        self.next.insert(stored.topic, stored.offset + 1);
        self.seen_ms = Some(stored.appended_ms);
        if self.spec.filter.admits(&stored.batch)
            && let Some(head) = tail.head(stored.topic)
        {
            self.ready.push_back(stored.to_stored_batch(head.name.clone()));
            return stored.batch.memory_bytes();
        }
        0
    }

    async fn fetch(&mut self, wanted: BTreeMap<u32, u64>) -> Result<(), Error> {
        match self.shared.reads.fetch(wanted, READY_BYTES_MAX).await? {
            Fetched::Batches(batches) => {
                for stored in batches {
                    if !self.spec.follow
                        && self.ends.get(&stored.topic).is_none_or(|&end| stored.offset >= end)
                    {
                        continue;
                    }
                    self.next.insert(stored.topic, stored.offset + 1);
                    self.seen_ms = Some(stored.appended_ms);
                    let name = self.shared.topic_name(stored.topic)?;
                    // It may have been deleted meanwhile.
                    if replay::is_public(&name) && self.spec.filter.admits(&stored.batch) {
                        self.ready.push_back(stored.to_stored_batch(name));
                    }
                }
                Ok(())
            }
            Fetched::Nothing { topic, offset } => self.shared.missing(topic, offset),
        }
    }
}

#[cfg(test)]
impl LogReader {
    /// Fetches what it had decided to fetch before something was deleted; batches to return.
    pub(crate) async fn fetch_for_test(&mut self, topic: u32, offset: u64) -> usize {
        self.fetch(BTreeMap::from([(topic, offset)])).await.expect("what is on the disk");
        self.ready.len()
    }
}

#[async_trait]
impl Reader for LogReader {
    async fn next(&mut self) -> Result<Option<StoredBatch>, Error> {
        loop {
            // What was read ahead comes first.
            if let Some(stored) = self.ready.pop_front() {
                return Ok(Some(stored));
            }

            // What happens from here on is noticed by the wait below.
            self.commits.borrow_and_update();
            if self.spec.follow {
                self.adopt().await?;
            }

            // Take from memory, fetch from the disk, or wait for the next commit.
            match self.step()? {
                // Nothing of it was wanted, or topics came: others have their turn.
                Step::Ready if self.ready.is_empty() => tokio::task::yield_now().await,
                Step::Ready => {}
                Step::Fetch(wanted) => self.fetch(wanted).await?,
                Step::Wait if !self.spec.follow => return Ok(None),
                Step::Wait => {
                    // An error would mean that the sender is gone; this reader holds it.
                    let _ = self.commits.changed().await;
                }
            }
        }
    }

    fn notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }
}

/// A reader that has a topic open.
pub(crate) struct Reading {
    shared: Arc<Shared>,
    usage: Arc<Use>,
}

impl Reading {
    pub(crate) fn new(shared: &Arc<Shared>, topic: u32) -> Self {
        let usage = shared.topic_use(topic);
        shared.opened(&usage);
        Self { shared: Arc::clone(shared), usage }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.shared.closed(&self.usage);
    }
}

/// The offset of a position in a topic that exists.
pub(crate) async fn resolve(
    shared: &Shared,
    number: u32,
    position: Position,
) -> Result<u64, Error> {
    let (range, next_group) = {
        let tail = shared.tail();
        let range = tail.head(number).map_or(0..0, |head| head.first_offset..head.next_offset);
        (range, tail.next_group())
    };
    match position {
        Position::Now => Ok(range.end),
        Position::Start => Ok(range.start),
        Position::Offset(offset) => Ok(offset.clamp(range.start, range.end)),
        Position::TimeMs(time_ms) => {
            let work = move |connection: &_| {
                first_offset(connection, number, range, |entry| entry.appended_ms >= time_ms)
            };
            shared.reads.run_up_to_date(work).await
        }
        Position::Commit(commit) if commit >= next_group => Ok(range.end),
        Position::Commit(commit) => {
            let work = move |connection: &_| {
                first_offset(connection, number, range, |entry| entry.group >= commit)
            };
            shared.reads.run_up_to_date(work).await
        }
    }
}
