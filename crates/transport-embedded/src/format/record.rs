//! The small records next to the batches: how far each topic goes, what exists at all, and what
//! was set aside. They are the second witness of the log's end: a row that vanished is noticed.
//!
//! ```text
//! kind          id              payload, before its seal (see `codec`)
//! Tally         0               topics u32 │ subscriptions u32 │ next_group u64 │
//!                               appended_ms i64 │ dead_first u64 │ dead_next u64 │
//!                               dead_bytes u64 │ closed u8
//! Topic         number          name text │ first_offset u64 │ next_offset u64 │
//!                               events_total u64 │ bytes u64
//! DeadKey       dead letter     subscription u32 │ topic u32 │ offset u64 │ index u32
//! DeadLetter    dead letter     consumer text │ reason text │ attempts u32 │
//!                               first_failed_ms i64 │ last_failed_ms i64 │ batch bytes;
//!                               empty once it was taken away
//! ```

use crate::format::codec::{Kind, Put, unseal};
use crate::journal::Place;
use worldbus_bus::{DeadEvent, LogId, Topic};

/// How far a topic goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) name: Topic,
    pub(crate) first_offset: u64,
    pub(crate) next_offset: u64,
    pub(crate) events_total: u64,
    pub(crate) bytes: u64,
    /// The last that retention removed; `None` if nothing was removed since this is kept.
    pub(crate) removed: Option<Removed>,
}

/// The last commit group of which a topic's batches were removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Removed {
    pub(crate) group: u64,
    pub(crate) appended_ms: i64,
}

impl Head {
    pub(crate) fn new(name: Topic) -> Self {
        Self { name, first_offset: 0, next_offset: 0, events_total: 0, bytes: 0, removed: None }
    }

    pub(crate) fn encode(&self, number: u32) -> Vec<u8> {
        let put = Put::default()
            .bytes(self.name.as_str().as_bytes())
            .u64(self.first_offset)
            .u64(self.next_offset)
            .u64(self.events_total)
            .u64(self.bytes);
        // Behind what versions before read, which leave the rest.
        let put = match self.removed {
            Some(Removed { group, appended_ms }) => put.u64(group).i64(appended_ms),
            None => put,
        };
        put.seal(Kind::Topic, u64::from(number))
    }

    pub(crate) fn decode(number: u32, sealed: &[u8]) -> Option<Self> {
        let mut take = unseal(Kind::Topic, u64::from(number), sealed)?;
        Some(Self {
            name: Topic::new(take.text()?).ok()?,
            first_offset: take.u64()?,
            next_offset: take.u64()?,
            events_total: take.u64()?,
            bytes: take.u64()?,
            removed: match take.0.is_empty() {
                true => None,
                false => Some(Removed { group: take.u64()?, appended_ms: take.i64()? }),
            },
        })
    }
}

/// What exists in the whole log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Topics are numbered from 0 and never removed.
    pub(crate) topics: u32,
    /// Subscriptions likewise.
    pub(crate) subscriptions: u32,
    /// The number of the next commit group.
    pub(crate) next_group: u64,
    /// When the last batch was appended; append times never step back.
    pub(crate) appended_ms: i64,
    /// The oldest dead letter that is kept.
    pub(crate) dead_first: u64,
    pub(crate) dead_next: u64,
    pub(crate) dead_bytes: u64,
    /// Whether the log was closed in order: then leases outlive the process.
    pub(crate) closed: bool,
}

impl Tally {
    pub(crate) fn encode(&self) -> Vec<u8> {
        Put::default()
            .u32(self.topics)
            .u32(self.subscriptions)
            .u64(self.next_group)
            .i64(self.appended_ms)
            .u64(self.dead_first)
            .u64(self.dead_next)
            .u64(self.dead_bytes)
            .u8(u8::from(self.closed))
            .seal(Kind::Tally, 0)
    }

    pub(crate) fn decode(sealed: &[u8]) -> Option<Self> {
        let mut take = unseal(Kind::Tally, 0, sealed)?;
        Some(Self {
            topics: take.u32()?,
            subscriptions: take.u32()?,
            next_group: take.u64()?,
            appended_ms: take.i64()?,
            dead_first: take.u64()?,
            dead_next: take.u64()?,
            dead_bytes: take.u64()?,
            closed: take.u8()? != 0,
        })
    }
}

/// Which log this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) id: LogId,
    /// The wall time of its making; `None` for one that is older than this record.
    pub(crate) begun_ms: Option<i64>,
}

impl Identity {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let put = Put::default().u64(self.id.bits()).u8(u8::from(self.begun_ms.is_some()));
        put.i64(self.begun_ms.unwrap_or_default()).seal(Kind::Identity, 0)
    }

    pub(crate) fn decode(sealed: &[u8]) -> Option<Self> {
        let mut take = unseal(Kind::Identity, 0, sealed)?;
        let id = LogId::from_bits(take.u64()?)?;
        let (known, begun_ms) = (take.u8()? != 0, take.i64()?);
        Some(Self { id, begun_ms: known.then_some(begun_ms) })
    }
}

/// An opening of the log, which gives it another name: so it is known whether a place that was
/// given under a name is in what this log holds, or in what it lost when it was put back to an
/// earlier state and went on from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) id: LogId,
    /// The first commit since.
    pub(crate) from_group: u64,
}

impl Opening {
    pub(crate) fn encode(&self, number: u64) -> Vec<u8> {
        let put = Put::default().u64(self.id.bits()).u64(self.from_group);
        put.seal(Kind::Opening, number)
    }

    pub(crate) fn decode(number: u64, sealed: &[u8]) -> Option<Self> {
        let mut take = unseal(Kind::Opening, number, sealed)?;
        Some(Self { id: LogId::from_bits(take.u64()?)?, from_group: take.u64()? })
    }
}

/// How far a fold follows the journal: the last record that is in it. Written with each transaction
/// of the fold, and in no record of the journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Folded {
    pub(crate) journal: u64,
    /// 0 in a fold that has nothing yet.
    pub(crate) number: u64,
    pub(crate) crc: u32,
    pub(crate) place: Place,
}

impl Folded {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Place { segment, position, bytes } = self.place;
        let put = Put::default().u64(self.journal).u64(self.number).u32(self.crc);
        put.u64(segment).u64(position).u32(bytes).seal(Kind::Folded, 0)
    }

    pub(crate) fn decode(sealed: &[u8]) -> Option<Self> {
        let mut take = unseal(Kind::Folded, 0, sealed)?;
        let (journal, number, crc) = (take.u64()?, take.u64()?, take.u32()?);
        let (segment, position) = (take.u64()?, take.u64()?);
        let place = Place { segment, position, bytes: take.u32()? };
        Some(Self { journal, number, crc, place })
    }
}

/// Which event a dead letter is: one that is set aside twice is kept once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct DeadKey {
    pub(crate) subscription: u32,
    pub(crate) topic: u32,
    pub(crate) offset: u64,
    pub(crate) index: u32,
}

impl DeadKey {
    pub(crate) fn encode(&self, number: u64) -> Vec<u8> {
        Put::default()
            .u32(self.subscription)
            .u32(self.topic)
            .u64(self.offset)
            .u32(self.index)
            .seal(Kind::DeadKey, number)
    }

    pub(crate) fn decode(number: u64, sealed: &[u8]) -> Option<Self> {
        let mut take = unseal(Kind::DeadKey, number, sealed)?;
        Some(Self {
            subscription: take.u32()?,
            topic: take.u32()?,
            offset: take.u64()?,
            index: take.u32()?,
        })
    }
}

/// A dead letter as it is stored: the event as a batch of one, so that its bytes are unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dead {
    pub(crate) key: DeadKey,
    pub(crate) consumer: String,
    pub(crate) event: DeadEvent,
    pub(crate) batch: Vec<u8>,
}

impl Dead {
    /// Bytes of what stands in the place of a dead letter that was taken away.
    pub(crate) const REMOVED_BYTES: usize = 4;

    /// Bytes that it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.consumer.len() + self.event.reason.len() + self.batch.len()
    }

    /// What stands there: its number is not missing.
    pub(crate) fn removed(number: u64) -> Vec<u8> {
        Put::default().seal(Kind::DeadLetter, number)
    }

    pub(crate) fn encode(&self, number: u64) -> Vec<u8> {
        Put::default()
            .bytes(self.consumer.as_bytes())
            .bytes(self.event.reason.as_bytes())
            .u32(self.event.attempts)
            .i64(self.event.first_failed_ms)
            .i64(self.event.last_failed_ms)
            .bytes(&self.batch)
            .seal(Kind::DeadLetter, number)
    }

    pub(crate) fn decode(number: u64, key: DeadKey, sealed: &[u8]) -> Option<Self> {
        let mut take = unseal(Kind::DeadLetter, number, sealed)?;
        let consumer = take.text()?.to_owned();
        let event = DeadEvent {
            index: key.index,
            reason: take.text()?.to_owned(),
            attempts: take.u32()?,
            first_failed_ms: take.i64()?,
            last_failed_ms: take.i64()?,
        };
        Some(Self { key, consumer, event, batch: take.bytes()?.to_vec() })
    }
}
