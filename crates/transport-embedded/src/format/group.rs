//! A commit group: the batches of one commit, of whatever topics, as one row.
//!
//! ```text
//! head, sealed (see `codec`)
//!   ┌─────────────────┬──────────────┬─ per section, 24 bytes ───────────────────────────────────┐
//!   │ appended_ms i64 │ sections u32 │ topic u32 │ first_offset u64 │ batches u32 │ bytes u64 │
//!   └─────────────────┴──────────────┴───────────┴──────────────────┴─────────────┴───────────┘
//! data: such a record for each batch, in the order of their append
//!   0           4            12           16        20
//!   ┌───────────┬────────────┬────────────┬─────────┬───────────────────────┐
//!   │ topic u32 │ offset u64 │ length u32 │ crc u32 │ batch, `length` bytes │
//!   └───────────┴────────────┴────────────┴─────────┴───────────────────────┘
//!   crc: CRC32C of group u64, topic u32, offset u64 and the batch
//! ```
//!
//! All numbers are little-endian. Offsets of a topic are consecutive within a group.

use bytes::{Buf as _, BufMut as _};

use crate::format::codec::{Kind, Put, unseal};

/// Bytes before each batch.
const RECORD_HEAD_BYTES: usize = 20;

/// What a group holds of one topic: batches with consecutive offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) topic: u32,
    pub(crate) first_offset: u64,
    pub(crate) batches: u32,
    pub(crate) bytes: u64,
}

impl Section {
    /// The offset behind the last batch.
    pub(crate) fn end(&self) -> u64 {
        self.first_offset.saturating_add(u64::from(self.batches))
    }
}

/// The head of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) appended_ms: i64,
    pub(crate) sections: Vec<Section>,
}

impl Head {
    pub(crate) fn encode(&self, group: u64) -> Vec<u8> {
        let mut put = Put::default().i64(self.appended_ms).u32(self.sections.len() as u32);
        for section in &self.sections {
            put = put
                .u32(section.topic)
                .u64(section.first_offset)
                .u32(section.batches)
                .u64(section.bytes);
        }
        put.seal(Kind::GroupHead, group)
    }

    /// `None` if it is not what was written for that group.
    pub(crate) fn decode(group: u64, bytes: &[u8]) -> Option<Self> {
        let mut take = unseal(Kind::GroupHead, group, bytes)?;
        let appended_ms = take.i64()?;
        let count = take.u32()?;
        let mut sections = Vec::new();
        for _ in 0..count {
            sections.push(Section {
                topic: take.u32()?,
                first_offset: take.u64()?,
                batches: take.u32()?,
                bytes: take.u64()?,
            });
        }
        take.0.is_empty().then_some(Self { appended_ms, sections })
    }
}

/// A batch in a group's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) topic: u32,
    pub(crate) offset: u64,
    pub(crate) bytes: &'a [u8],
}

/// Adds a batch to a group's data.
pub(crate) fn push_record(data: &mut Vec<u8>, group: u64, record: Record<'_>) {
    data.reserve(RECORD_HEAD_BYTES + record.bytes.len());
    data.put_u32_le(record.topic);
    data.put_u64_le(record.offset);
    data.put_u32_le(record.bytes.len() as u32);
    data.put_u32_le(checksum(group, &record));
    data.extend_from_slice(record.bytes);
}

fn checksum(group: u64, record: &Record<'_>) -> u32 {
    let mut place = [0; 20];
    place[..8].copy_from_slice(&group.to_le_bytes());
    place[8..12].copy_from_slice(&record.topic.to_le_bytes());
    place[12..].copy_from_slice(&record.offset.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c(&place), record.bytes)
}

/// The batches of a group, in order, if all of them are what was written and they are those
/// that the head announces; otherwise what is wrong.
pub(crate) fn records<'a>(
    group: u64,
    head: &Head,
    mut data: &'a [u8],
) -> Result<Vec<Record<'a>>, String> {
    let damaged = |what: &str| Err(format!("commit group {group}: {what}"));
    let mut sections: Vec<(Section, u64)> =
        head.sections.iter().map(|section| (*section, section.first_offset)).collect();
    let mut records = Vec::new();
    while !data.is_empty() {
        if data.len() < RECORD_HEAD_BYTES {
            return damaged("a batch is cut off");
        }
        let (topic, offset) = (data.get_u32_le(), data.get_u64_le());
        let (length, crc) = (data.get_u32_le() as usize, data.get_u32_le());
        let Some((bytes, rest)) = data.split_at_checked(length) else {
            return damaged("a batch is cut off");
        };
        data = rest;
        let record = Record { topic, offset, bytes };
        if crc != checksum(group, &record) {
            return damaged(&format!("the checksum of batch {offset} of topic {topic} is wrong"));
        }
        match sections.iter_mut().find(|(section, _)| section.topic == topic) {
            Some((_, next)) if *next == offset => *next += 1,
            _ => return damaged(&format!("batch {offset} of topic {topic} is out of place")),
        }
        records.push(record);
    }
    if sections.iter().any(|(section, next)| *next != section.end()) {
        return damaged("batches are missing");
    }
    Ok(records)
}

/// Those batches of a group that are of some of its sections: their head and data, and which they
/// were.
pub(crate) fn part(
    group: u64,
    head: &Head,
    data: &[u8],
    sections: &[Section],
) -> Result<(Head, Vec<u8>, Vec<usize>), String> {
    let (mut kept, mut places) = (Vec::new(), Vec::new());
    for (place, record) in records(group, head, data)?.into_iter().enumerate() {
        if sections.iter().any(|section| section.topic == record.topic) {
            push_record(&mut kept, group, record);
            places.push(place);
        }
    }
    let sections = head.sections.iter().filter(|section| sections.contains(section)).copied();
    let head = Head { appended_ms: head.appended_ms, sections: sections.collect() };
    Ok((head, kept, places))
}

#[cfg(test)]
mod tests;
