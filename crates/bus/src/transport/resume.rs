//! Going on where a reader stopped, also in another log: the name of a log, what a place in it is
//! worth elsewhere, and what a reader reports when it could not go on from exactly there.
//!
//! Offsets and commits count within one log. Two event-buses over SNS and SQS keep logs of their
//! own of the same events, in orders of their own, and a data directory that was deleted and made
//! again is a new log: there the way on leads by time.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::{Position, ReadSpec, StoredBatch, Topic};

/// How far before the last event that a reader has seen it goes on in another log. Enough for the
/// longest time that an event may come into one log later than into another while nothing fails
/// for longer:
///
/// - 30 s: a log over SQS takes events under a lease of so long; one that fails in between gets
///   them again when the lease has ended, behind events that were published later;
/// - 5 s: its longest pause after a batch that the log did not take;
/// - 10 s: how far the wall clocks of publishers and event-buses may differ, as of instances that
///   share out slots;
/// - the rest for the way through SNS and SQS, which keep no order.
///
/// What lies within was mostly seen, and comes twice, under the same event ids.
pub const RESUME_OVERLAP: Duration = Duration::from_secs(60);

/// The form of a cursor that names its log.
const CURSOR_VERSION: u8 = 3;

/// The name of a log: a random number of 48 bits, never 0, that is made with each opening. The log
/// keeps its names, each with where it began: so a place that was given under one of them is known
/// to be in this log, or in what it lost when it was put back to an earlier state. Of a thousand
/// names two are the same once in half a billion times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogId(u64);

impl LogId {
    /// Bits that a name has.
    pub const BITS: u32 = 48;

    /// The name made of random bits, of which the lower 48 count.
    pub fn from_random(bits: u64) -> Self {
        Self((bits & (u64::MAX >> (u64::BITS - Self::BITS))).max(1))
    }

    /// The name of these bits; `None` if there is no such.
    pub fn from_bits(bits: u64) -> Option<Self> {
        Some(Self::from_random(bits)).filter(|id| id.0 == bits)
    }

    /// Its bits.
    pub fn bits(self) -> u64 {
        self.0
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.0)
    }
}

/// Where a log ends now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEnd {
    /// Which log; `None` if it has no name, as that of an event-bus of an earlier version.
    pub log: Option<LogId>,
    /// The commit that is appended next: what is stored now is before it, what is published from
    /// now on is not.
    pub next_commit: u64,
    /// The wall time there, in milliseconds since the Unix epoch.
    pub time_ms: i64,
}

impl LogEnd {
    /// A cursor behind all that the log holds, as the event-bus's streams take it: for services
    /// that hand out state with the place from which events go on. `None` for a log without a
    /// name. `crates/event-bus/src/rest/cursor.rs` draws its form and reads it.
    pub fn cursor(&self) -> Option<String> {
        let log = self.log?.bits().to_be_bytes();
        let mut bytes = vec![CURSOR_VERSION];
        bytes.extend_from_slice(&log[log.len() - LogId::BITS as usize / 8..]);
        let time = ((self.time_ms << 1) ^ (self.time_ms >> 63)).cast_unsigned();
        // The first event of the first batch of the next commit.
        for mut number in [time, self.next_commit, 0, 0] {
            while number >= 0x80 {
                bytes.push(number as u8 | 0x80);
                number >>= 7;
            }
            bytes.push(number as u8);
        }
        Some(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// Which log the offsets and commits of a [`ReadSpec`] are of, and where to go on in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resume {
    /// The log.
    pub log: LogId,
    /// When what was seen last happened ([`StoredBatch::time_ms`]); in another log reading begins
    /// [`RESUME_OVERLAP`] before it.
    pub time_ms: i64,
}

impl Resume {
    /// Where reading begins in another log, in milliseconds since the Unix epoch.
    pub fn from_ms(&self) -> i64 {
        self.time_ms.saturating_sub(RESUME_OVERLAP.as_millis() as i64)
    }
}

/// What a reader reports besides batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// It goes on by time: offsets and commits are of another log, or of a later state of this one,
    /// which was put back to an earlier. What comes from `from_ms` on, by the time of its append,
    /// may have been seen.
    Resumed {
        /// In milliseconds since the Unix epoch.
        from_ms: i64,
    },
    /// Some of what was asked for is not there.
    Gap(Gap),
}

/// A stretch of a log, or of a topic of it, that a reader asked for and that is not there, or may
/// not have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Why.
    pub reason: GapReason,
    /// The topic; `None` for all that are read.
    pub topic: Option<Topic>,
    /// How many batches there were, whatever the filter; `None` if that is not known.
    pub batches: Option<u64>,
    /// The time of what was seen last, in milliseconds since the Unix epoch, as far as known.
    pub from_ms: Option<i64>,
    /// When the last that is missing was appended, likewise.
    pub until_ms: Option<i64>,
}

/// Why something is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GapReason {
    /// Retention removed it.
    Retention,
    /// The log began after it.
    LogBegan,
}

impl ReadSpec {
    /// Has all places that are offsets or commits be a time instead: for another log.
    pub fn by_time(&mut self, from_ms: i64) {
        let by_time = |from: &mut Position| {
            if matches!(from, Position::Offset(_) | Position::Commit(_)) {
                *from = Position::TimeMs(from_ms);
            }
        };
        by_time(&mut self.default_from);
        self.topics.iter_mut().for_each(|(_, from)| by_time(from));
        self.resume = None;
    }
}

impl StoredBatch {
    /// The time of one of its events for [`Resume`], given when that happened: no later than the
    /// append of the batch, by whatever clock it was published.
    pub fn time_ms(&self, happened_ms: i64) -> i64 {
        happened_ms.min(self.appended_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_a_log_has_48_bits_and_is_never_zero() {
        assert_eq!(LogId::from_random(0), LogId(1));
        let id = LogId::from_random(u64::MAX);
        assert_eq!((id.bits(), id.to_string().as_str()), ((1 << 48) - 1, "ffffffffffff"));
        assert_eq!(LogId::from_bits(id.bits()), Some(id));
        assert_eq!((LogId::from_bits(0), LogId::from_bits(1 << 48)), (None, None));
    }

    #[test]
    fn only_places_of_a_log_become_times() {
        let names = ["a", "b", "c"].map(|name| Topic::new(name).expect("a valid name"));
        let [a, b, c] = names;
        let mut spec = ReadSpec::all(Position::Commit(7), true);
        spec.resume = Some(Resume { log: LogId(1), time_ms: i64::MIN });
        assert_eq!(spec.resume.map(|resume| resume.from_ms()), Some(i64::MIN));
        spec.topics = vec![
            (a.clone(), Position::Offset(3)),
            (b.clone(), Position::Start),
            (c.clone(), Position::TimeMs(1)),
        ];
        spec.by_time(9);
        let expected = [(a, Position::TimeMs(9)), (b, Position::Start), (c, Position::TimeMs(1))];
        assert_eq!((spec.topics, spec.default_from), (expected.to_vec(), Position::TimeMs(9)));
        assert_eq!(spec.resume, None);
    }
}
