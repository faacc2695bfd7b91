//! The bytes of small records: little-endian numbers, and a CRC32C over where the record
//! belongs and what it holds, so that neither can change unnoticed.
//!
//! ```text
//! ┌─────────┬─────────┐   crc: CRC32C of kind u8, id u64 and the payload; kind and id are the
//! │ payload │ crc u32 │        record's key in the file and do not stand in it
//! └─────────┴─────────┘
//! text and bytes in a payload: │ length u32 │ bytes │
//! ```

use bytes::{Buf as _, BufMut as _};

/// Writes a record.
#[derive(Debug, Default)]
pub(crate) struct Put(Vec<u8>);

impl Put {
    pub(crate) fn u8(mut self, value: u8) -> Self {
        self.0.put_u8(value);
        self
    }

    pub(crate) fn u32(mut self, value: u32) -> Self {
        self.0.put_u32_le(value);
        self
    }

    pub(crate) fn u64(mut self, value: u64) -> Self {
        self.0.put_u64_le(value);
        self
    }

    pub(crate) fn i64(mut self, value: i64) -> Self {
        self.0.put_i64_le(value);
        self
    }

    /// Bytes with their length before them.
    pub(crate) fn bytes(mut self, value: &[u8]) -> Self {
        self.0.put_u32_le(value.len() as u32);
        self.0.extend_from_slice(value);
        self
    }

    /// The record with its checksum, bound to the place that it is for.
    pub(crate) fn seal(mut self, kind: Kind, id: u64) -> Vec<u8> {
        let crc = checksum(kind, id, &self.0);
        self.0.put_u32_le(crc);
        self.0
    }
}

/// Which kind of record; part of its checksum and of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Kind {
    Tally = 0,
    Topic = 1,
    Subscription = 2,
    GroupHead = 3,
    DeadKey = 4,
    DeadLetter = 5,
    Entry = 6,
    Ages = 7,
    Identity = 8,
    Opening = 9,
    /// In the fold alone: how far it follows the journal.
    Folded = 10,
}

impl Kind {
    /// Of a kind as it stands in a record.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        const ALL: [Kind; 11] = [
            Kind::Tally,
            Kind::Topic,
            Kind::Subscription,
            Kind::GroupHead,
            Kind::DeadKey,
            Kind::DeadLetter,
            Kind::Entry,
            Kind::Ages,
            Kind::Identity,
            Kind::Opening,
            Kind::Folded,
        ];
        ALL.into_iter().find(|&kind| kind as u8 == number)
    }
}

/// The checksum of a record at its place.
pub(crate) fn checksum(kind: Kind, id: u64, payload: &[u8]) -> u32 {
    let crc = crc32c::crc32c(&[kind as u8]);
    let crc = crc32c::crc32c_append(crc, &id.to_le_bytes());
    crc32c::crc32c_append(crc, payload)
}

/// The payload of a sealed record if it is the one that was written there.
pub(crate) fn unseal(kind: Kind, id: u64, sealed: &[u8]) -> Option<Take<'_>> {
    let (payload, crc) = sealed.split_last_chunk::<4>()?;
    (u32::from_le_bytes(*crc) == checksum(kind, id, payload)).then_some(Take(payload))
}

/// Reads a record; `None` where it is too short.
#[derive(Debug)]
pub(crate) struct Take<'a>(pub(crate) &'a [u8]);

impl<'a> Take<'a> {
    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.0.try_get_u8().ok()
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.0.try_get_u32_le().ok()
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.0.try_get_u64_le().ok()
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.0.try_get_i64_le().ok()
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()? as usize;
        let (value, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(value)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }
}
