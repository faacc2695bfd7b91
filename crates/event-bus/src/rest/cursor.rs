//! A place in every topic, down to the event within a batch: the id of an SSE message. A
//! client that comes back with it goes on behind that event, with no gap and no double.
//!
//! Opaque to clients: base64url of a version and the places. Only this file knows it.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use worldbus_bus::{Error, Kind, Position, ReadSpec, StoredBatch, Topic, TopicStatus};
use worldbus_events::exact;

/// Bytes of a cursor: a name and a place for each of a few hundred topics.
const TEXT_BYTES_MAX: usize = 16 << 10;
const VERSION: &str = "1";

/// A place in every topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Where topics begin that are not listed: `Start` or `TimeMs`.
    others: Position,
    topics: BTreeMap<Topic, Place>,
}

/// The next event of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    offset: u64,
    index: u32,
}

impl Cursor {
    /// Where a stream begins. "Now" is told by the offsets of the topics that are there; all
    /// of a topic that comes later is behind now.
    pub(super) fn begin(from: Position, topics: &[TopicStatus]) -> Self {
        match from {
            Position::Now => {
                let place = |status: &TopicStatus| Place { offset: status.next_offset, index: 0 };
                let topics = topics.iter().map(|s| (s.topic.clone(), place(s))).collect();
                Self { others: Position::Start, topics }
            }
            others => Self { others, topics: BTreeMap::new() },
        }
    }

    /// What a reader is asked for: these topics, or all if there are none, from here on.
    pub(super) fn spec(&self, topics: &[Topic]) -> ReadSpec {
        let from = |topic: &Topic| {
            self.topics.get(topic).map_or(self.others, |place| Position::Offset(place.offset))
        };
        if topics.is_empty() {
            let listed = self.topics.keys().map(|topic| (topic.clone(), from(topic))).collect();
            return ReadSpec { topics: listed, ..ReadSpec::all(self.others, true) };
        }
        let listed = topics.iter().map(|topic| (topic.clone(), from(topic))).collect();
        ReadSpec { topics: listed, all_topics: false, ..ReadSpec::all(self.others, true) }
    }

    /// The first event of a batch that is not behind us.
    pub(super) fn first_index(&self, stored: &StoredBatch) -> u32 {
        match self.topics.get(&stored.topic) {
            Some(place) if place.offset == stored.offset => place.index,
            _ => 0,
        }
    }

    /// Goes behind an event of a batch.
    pub(super) fn pass(&mut self, stored: &StoredBatch, index: u32) {
        let last = index as usize + 1 >= stored.batch.len();
        let place = match last {
            true => Place { offset: stored.offset.saturating_add(1), index: 0 },
            false => Place { offset: stored.offset, index: index + 1 },
        };
        match self.topics.get_mut(&stored.topic) {
            Some(known) => *known = place,
            None => {
                self.topics.insert(stored.topic.clone(), place);
            }
        }
    }

    /// The cursor as text.
    pub(super) fn encode(&self) -> String {
        let mut text = VERSION.to_owned();
        // Writing to a String cannot fail.
        let _ = match self.others {
            Position::TimeMs(time_ms) => write!(text, ";t{time_ms}"),
            _ => write!(text, ";s"),
        };
        for (topic, place) in &self.topics {
            let _ = write!(text, ";{topic}={}.{}", place.offset, place.index);
        }
        BASE64_URL_SAFE_NO_PAD.encode(text)
    }

    /// The cursor in a text.
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
    if parts.next()? != VERSION {
        return None;
    }
    let others = match parts.next()? {
        "s" => Position::Start,
        time => Position::TimeMs(exact(time.strip_prefix('t')?)?),
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
