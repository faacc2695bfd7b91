//! A place in every topic, down to the event within a batch: the id of an SSE message. A
//! client that comes back with it goes on behind that event, with no gap and no double.
//!
//! Over an engine that numbers its commits it is one place in the order of all topics, of the same
//! few bytes however many there are, and the same for all clients; over another, one place for each
//! topic that was read.
//!
//! A commit counts within its log: so a cursor with one names the log, and when its event happened,
//! by which another log goes on. A cursor without a commit is good for any.
//!
//! Opaque to clients: base64url of a version and fields. Only this file knows it.
//!
//! ```text
//!  byte 0   1 .. 6      then, as varints of 1 to 10 bytes           then, only while it lags there
//! +------+-----------+-----------+--------+-------+-------+------------------------------------+
//! | 0x03 | log, big- | time, ms, | commit | batch | event | `;time=7.0`: topic, its next       |
//! |      | endian    | zigzag    |        |       |       | offset and event, as in version 2  |
//! +------+-----------+-----------+--------+-------+-------+------------------------------------+
//! ```
//! Without a commit or a log it is text, with fields separated by `;`:
//!
//! ```text
//! 2 ; c12.0.3 ; time=7.0     behind event 2 of batch 0 of commit 12; `time` from offset 7 on
//! 2 ; s                      from the start          2 ; t-5     from a time on, in milliseconds
//! ```
//! Version 1 had no commits. A field that is not understood makes a cursor invalid, so that a later
//! version may add some.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use worldbus_bus::{
    Error, Kind, LogEnd, LogId, Position, ReadSpec, Resume, Serial, StoredBatch, Topic, TopicStatus,
};
use worldbus_events::exact;

/// Bytes of a cursor: each of the 1,024 topics of a log with its longest name and place.
const TEXT_BYTES_MAX: usize = 160 << 10;
const LOG_BYTES: usize = LogId::BITS as usize / 8;
const VERSION_WITH_LOG: u8 = 3;
const VERSION: &str = "2";
const VERSION_WITHOUT_COMMITS: &str = "1";

/// A place in every topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The log that it is of, and when the last event that it is behind happened.
    log: Option<LogId>,
    time_ms: Option<i64>,
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
        Self { log: None, time_ms: None, others, topics: BTreeMap::new() }
    }

    /// Behind what a log holds.
    pub(super) fn at_end(end: LogEnd) -> Self {
        let LogEnd { log, next_commit, time_ms } = end;
        let others = Others::Next(Serial { commit: next_commit, index: 0 }, 0);
        Self { log, time_ms: Some(time_ms), others, topics: BTreeMap::new() }
    }

    /// Behind what these topics hold; all of a topic that comes later is behind now.
    pub(super) fn behind(topics: &[TopicStatus]) -> Self {
        let place = |status: &TopicStatus| Place { offset: status.next_offset, index: 0 };
        let topics = topics.iter().map(|s| (s.topic.clone(), place(s))).collect();
        Self { topics, ..Self::begin(Position::Start) }
    }

    /// Which log it is of, if that matters to it and is known.
    fn resume(&self) -> Option<Resume> {
        let (log, time_ms) = self.log.zip(self.time_ms)?;
        matches!(self.others, Others::Next(..)).then_some(Resume { log, time_ms })
    }

    /// From here on it is of this log: what a reader that was given [`Cursor::spec`] reads.
    pub(super) fn enter(&mut self, log: Option<LogId>) {
        self.log = log;
    }

    /// That reader goes on by time.
    pub(super) fn go_on_by_time(&mut self, from_ms: i64) {
        (self.others, self.time_ms) = (Others::TimeMs(from_ms), None);
        self.topics.clear();
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
        let all_topics = topics.is_empty();
        let listed = match all_topics {
            true => self.topics.keys().map(|topic| (topic.clone(), from(topic))).collect(),
            false => topics.iter().map(|topic| (topic.clone(), from(topic))).collect(),
        };
        let resume = self.resume();
        ReadSpec { topics: listed, all_topics, resume, ..ReadSpec::all(others, true) }
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

    /// Goes behind an event of a batch that happened then. A reader gives the batches of an
    /// engine with commits in their order: then all that comes is behind this one, whatever topic
    /// it is of.
    pub(super) fn pass(&mut self, stored: &StoredBatch, index: u32, happened_ms: i64) {
        let last = index as usize + 1 >= stored.batch.len();
        let next_index = if last { 0 } else { index + 1 };
        if let Some(serial) = stored.serial {
            self.time_ms = Some(stored.time_ms(happened_ms));
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
        if let (Some(Resume { log, time_ms }), Others::Next(serial, event)) =
            (self.resume(), self.others)
        {
            let mut bytes = vec![VERSION_WITH_LOG];
            bytes.extend_from_slice(&log.bits().to_be_bytes()[8 - LOG_BYTES..]);
            let numbers = [zigzag(time_ms), serial.commit, serial.index.into(), event.into()];
            numbers.into_iter().for_each(|number| put_varint(&mut bytes, number));
            let mut places = String::new();
            self.write_places(&mut places);
            bytes.extend_from_slice(places.as_bytes());
            return BASE64_URL_SAFE_NO_PAD.encode(bytes);
        }
        let mut text = VERSION.to_owned();
        // Writing to a String cannot fail.
        let _ = match self.others {
            Others::Start => write!(text, ";s"),
            Others::TimeMs(time_ms) => write!(text, ";t{time_ms}"),
            Others::Next(Serial { commit, index }, event) => {
                write!(text, ";c{commit}.{index}.{event}")
            }
        };
        self.write_places(&mut text);
        BASE64_URL_SAFE_NO_PAD.encode(text)
    }

    fn write_places(&self, text: &mut String) {
        for (topic, place) in &self.topics {
            // Writing to a String cannot fail.
            let _ = write!(text, ";{topic}={}.{}", place.offset, place.index);
        }
    }

    /// The cursor in a text, of this version or those before.
    ///
    /// # Errors
    /// `Invalid` if it is not one of ours.
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
    if let Some((&VERSION_WITH_LOG, fields)) = bytes.split_first() {
        // Each cursor has one spelling.
        return parse_fields(fields).filter(|cursor| cursor.encode() == text);
    }
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
    let topics = parse_places(parts)?;
    Some(Cursor { log: None, time_ms: None, others, topics })
}

/// What is behind the version of one with a log.
fn parse_fields(fields: &[u8]) -> Option<Cursor> {
    let (log, mut rest) = fields.split_at_checked(LOG_BYTES)?;
    let log = log.iter().fold(0, |bits, &byte| (bits << 8) | u64::from(byte));
    let log = Some(LogId::from_bits(log)?);
    let time_ms = Some(unzigzag(take_varint(&mut rest)?));
    let commit = take_varint(&mut rest)?;
    let index = u32::try_from(take_varint(&mut rest)?).ok()?;
    let event = u32::try_from(take_varint(&mut rest)?).ok()?;
    let mut places = std::str::from_utf8(rest).ok()?.split(';');
    if !places.next()?.is_empty() {
        return None;
    }
    let others = Others::Next(Serial { commit, index }, event);
    Some(Cursor { log, time_ms, others, topics: parse_places(places)? })
}

fn parse_places<'a>(parts: impl Iterator<Item = &'a str>) -> Option<BTreeMap<Topic, Place>> {
    let mut topics = BTreeMap::new();
    for part in parts {
        let (topic, place) = part.split_once('=')?;
        let (offset, index) = place.split_once('.')?;
        let place = Place { offset: exact(offset)?, index: exact(index)? };
        topics.insert(Topic::new(topic).ok()?, place);
    }
    Some(topics)
}

/// Small numbers of either sign as small numbers, as Protocol Buffers have them.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unzigzag(bits: u64) -> i64 {
    (bits >> 1).cast_signed() ^ -(bits & 1).cast_signed()
}

fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests;
