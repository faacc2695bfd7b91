//! A place in every topic, down to the event within a batch: the id of an SSE message. A
//! client that comes back with it goes on behind that event, with no gap and no double.
//!
//! Over an engine that numbers its commits it is one place in the order of all topics, of the same
//! few bytes however many there are, and the same for all clients; over another, one place for each
//! topic that was read.
//!
//! Opaque to clients: base64url of a version and fields, separated by `;`. Only this file knows it.
//!
//! ```text
//! 2 ; c12.0.3 ; time=7.0     behind event 2 of batch 0 of commit 12; `time` from offset 7 on
//! 2 ; s                      from the start          2 ; t-5     from a time on, in milliseconds
//! ```
//! Version 1 had no commits. A field that is not understood makes a cursor invalid, so that a later
//! version may add some, such as the identity of the log that it is of.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use worldbus_bus::{Error, Kind, Position, ReadSpec, Serial, StoredBatch, Topic, TopicStatus};
use worldbus_events::exact;

/// Bytes of a cursor: each of the 256 topics of a log with its longest name and place.
const TEXT_BYTES_MAX: usize = 40 << 10;
const VERSION: &str = "2";
const VERSION_WITHOUT_COMMITS: &str = "1";

/// A place in every topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Where topics go on that are not listed.
    others: Others,
    topics: BTreeMap<Topic, Place>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Others {
    Start,
    TimeMs(i64),
    /// At an event of the batch that has this place in the order of all.
    Next(Serial, u32),
}

/// The next event of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    offset: u64,
    index: u32,
}

impl Cursor {
    /// From a time on, or from the start.
    pub(super) fn begin(from: Position) -> Self {
        let others = match from {
            Position::TimeMs(time_ms) => Others::TimeMs(time_ms),
            _ => Others::Start,
        };
        Self { others, topics: BTreeMap::new() }
    }

    /// From a commit on.
    pub(super) fn at_commit(commit: u64) -> Self {
        let next = Others::Next(Serial { commit, index: 0 }, 0);
        Self { others: next, topics: BTreeMap::new() }
    }

    /// Behind what these topics hold; all of a topic that comes later is behind now.
    pub(super) fn behind(topics: &[TopicStatus]) -> Self {
        let place = |status: &TopicStatus| Place { offset: status.next_offset, index: 0 };
        let topics = topics.iter().map(|s| (s.topic.clone(), place(s))).collect();
        Self { others: Others::Start, topics }
    }

    /// What a reader is asked for: these topics, or all if there are none, from here on.
    pub(super) fn spec(&self, topics: &[Topic]) -> ReadSpec {
        let others = match self.others {
            Others::Start => Position::Start,
            Others::TimeMs(time_ms) => Position::TimeMs(time_ms),
            Others::Next(serial, _) => Position::Commit(serial.commit),
        };
        let from = |topic: &Topic| {
            self.topics.get(topic).map_or(others, |place| Position::Offset(place.offset))
        };
        if topics.is_empty() {
            let listed = self.topics.keys().map(|topic| (topic.clone(), from(topic))).collect();
            return ReadSpec { topics: listed, ..ReadSpec::all(others, true) };
        }
        let listed = topics.iter().map(|topic| (topic.clone(), from(topic))).collect();
        ReadSpec { topics: listed, all_topics: false, ..ReadSpec::all(others, true) }
    }

    /// The first event of a batch that is not behind us; `None` if all are. A reader begins at a
    /// commit, of which we may have passed a part.
    pub(super) fn first_index(&self, stored: &StoredBatch) -> Option<u32> {
        let (order, index) = match (self.topics.get(&stored.topic), self.others, stored.serial) {
            (Some(place), _, _) => (stored.offset.cmp(&place.offset), place.index),
            (None, Others::Next(next, index), Some(serial)) => (serial.cmp(&next), index),
            _ => return Some(0),
        };
        match order {
            Ordering::Less => None,
            Ordering::Equal => Some(index),
            Ordering::Greater => Some(0),
        }
    }

    /// Goes behind an event of a batch. A reader gives the batches of an engine with commits in
    /// their order: then all that comes is behind this one, whatever topic it is of.
    pub(super) fn pass(&mut self, stored: &StoredBatch, index: u32) {
        let last = index as usize + 1 >= stored.batch.len();
        let next_index = if last { 0 } else { index + 1 };
        if let Some(serial) = stored.serial {
            let next = Serial { index: serial.index + u32::from(last), ..serial };
            self.others = Others::Next(next, next_index);
            self.topics.remove(&stored.topic);
            return;
        }
        let offset = stored.offset.saturating_add(u64::from(last));
        self.topics.insert(stored.topic.clone(), Place { offset, index: next_index });
    }

    /// Whether every client that passes the same event has the same cursor.
    pub(super) fn is_shared(&self) -> bool {
        self.topics.is_empty()
    }

    /// The cursor as text.
    pub(super) fn encode(&self) -> String {
        let mut text = VERSION.to_owned();
        // Writing to a String cannot fail.
        let _ = match self.others {
            Others::Start => write!(text, ";s"),
            Others::TimeMs(time_ms) => write!(text, ";t{time_ms}"),
            Others::Next(Serial { commit, index }, event) => {
                write!(text, ";c{commit}.{index}.{event}")
            }
        };
        for (topic, place) in &self.topics {
            let _ = write!(text, ";{topic}={}.{}", place.offset, place.index);
        }
        BASE64_URL_SAFE_NO_PAD.encode(text)
    }

    /// The cursor in a text, of this version or the one before.
    ///
    /// # Errors
    /// `Invalid` if it is none of ours.
    pub(super) fn decode(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| {
            let context = "the cursor is not one that this event-bus gave; \
                           leave it out to begin at `from`";
            Error::refused(Kind::Invalid, context)
        })
    }
}

fn parse(text: &str) -> Option<Cursor> {
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let mut parts = text.split(';');
    let with_commits = match parts.next()? {
        VERSION => true,
        VERSION_WITHOUT_COMMITS => false,
        _ => return None,
    };
    let others = match parts.next()?.split_at_checked(1)? {
        ("s", "") => Others::Start,
        ("t", time_ms) => Others::TimeMs(exact(time_ms)?),
        ("c", next) if with_commits => {
            let (commit, rest) = next.split_once('.')?;
            let (index, event) = rest.split_once('.')?;
            let serial = Serial { commit: exact(commit)?, index: exact(index)? };
            Others::Next(serial, exact(event)?)
        }
        _ => return None,
    };
    let mut topics = BTreeMap::new();
    for part in parts {
        let (topic, place) = part.split_once('=')?;
        let (offset, index) = place.split_once('.')?;
        let place = Place { offset: exact(offset)?, index: exact(index)? };
        topics.insert(Topic::new(topic).ok()?, place);
    }
    Some(Cursor { others, topics })
}

#[cfg(test)]
mod tests;
