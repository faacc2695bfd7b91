//! Checking the bytes of a batch, once, so that walking it later cannot fail.

use std::ops::Range;

use bytes::Bytes;
use prost::Message;

use super::{Batch, Columns, field};
use crate::error::Error;
use crate::limits::{
    BATCH_BYTES_MAX, BATCH_EVENTS_MAX, ENTITY_BYTES_MAX, METADATA_BYTES_MAX, NAME_BYTES_MAX,
    PAYLOAD_BYTES_MAX, PLACE_BYTES_MAX,
};
use crate::{v1, varint};

const WIRE_VARINT: u64 = 0;
const WIRE_FIXED64: u64 = 1;
const WIRE_BYTES: u64 = 2;
const WIRE_FIXED32: u64 = 5;

/// What timestamps shift by at the most if each delta takes two bytes.
const SHORT_DELTAS_MS_MAX: i64 = BATCH_EVENTS_MAX as i64 * (1 << 13);

pub(super) fn batch(bytes: Bytes) -> Result<Batch, Error> {
    if bytes.len() > BATCH_BYTES_MAX {
        return Err(Error::too_large("bytes of a batch", bytes.len(), BATCH_BYTES_MAX));
    }
    match fields(&bytes)? {
        Some((columns, metadata)) => {
            let columns = check(&bytes, columns, metadata)?;
            Ok(Batch { bytes, columns })
        }
        None => normalised(&bytes),
    }
}

/// Protocol Buffers let a writer split a packed column or write it unpacked. No one does, so
/// the slow way is enough: decode, put in order, check again.
fn normalised(bytes: &Bytes) -> Result<Batch, Error> {
    let message = v1::EventBatch::decode(&bytes[..])
        .map_err(|error| Error::malformed(format!("not an EventBatch: {error}")))?;
    let bytes = Bytes::from(message.encode_to_vec());
    let Some((columns, metadata)) = fields(&bytes)? else {
        return Err(Error::malformed("the columns of a batch do not come out in one piece"));
    };
    let columns = check(&bytes, columns, metadata)?;
    Ok(Batch { bytes, columns })
}

/// Where the columns are, and which events have metadata; `None` if a column is split or
/// unpacked.
fn fields(bytes: &[u8]) -> Result<Option<(Columns, Vec<u32>)>, Error> {
    let (mut columns, mut indexes) = (Columns::default(), Vec::new());
    let mut rest = bytes;
    while !rest.is_empty() {
        let tag = take(&mut rest)?;
        let (number, wire) = (tag >> 3, tag & 7);
        match (number, wire) {
            (field::PRODUCER_ID, WIRE_FIXED64) => {
                columns.producer_id = u64::from_le_bytes(fixed(&mut rest)?);
            }
            (field::FIRST_SEQUENCE, WIRE_VARINT) => {
                columns.first_sequence = take(&mut rest)?;
            }
            (field::BASE_TIMESTAMP_MS, WIRE_VARINT) => {
                columns.base_timestamp_ms = take(&mut rest)? as i64;
            }
            (field::SOURCE, WIRE_BYTES) => columns.source = block(bytes, &mut rest)?,
            (field::WORLD, WIRE_BYTES) => columns.world = block(bytes, &mut rest)?,
            (field::ENTITIES | field::PLACES, WIRE_BYTES) => {
                let (names, what) = match number {
                    field::ENTITIES => (&mut columns.entities, "entities"),
                    _ => (&mut columns.places, "places"),
                };
                if names.len() == BATCH_EVENTS_MAX {
                    return Err(Error::malformed(format!("a batch has more {what} than events")));
                }
                names.push(block(bytes, &mut rest)?);
            }
            (field::METADATA, WIRE_BYTES) => {
                if indexes.len() == BATCH_EVENTS_MAX {
                    return Err(Error::malformed("a batch has more metadata than events"));
                }
                let entry = block(bytes, &mut rest)?;
                indexes.push(metadata(&bytes[entry.start as usize..entry.end as usize])?.index);
            }
            (field::EVENT_TYPES..=field::PAYLOADS | field::PLACE_INDEXES, WIRE_BYTES) => {
                let column = columns.column_mut(number);
                if column.start != column.end && number != field::PAYLOADS {
                    return Ok(None);
                }
                *column = block(bytes, &mut rest)?;
            }
            (field::EVENT_TYPES..=field::PAYLOAD_SIZES | field::PLACE_INDEXES, WIRE_VARINT) => {
                return Ok(None);
            }
            (1..=field::PLACE_INDEXES, _) => {
                let message = format!("field {number} of a batch has wire type {wire}");
                return Err(Error::malformed(message));
            }
            _ => skip(number, wire, bytes, &mut rest)?,
        }
    }
    Ok(Some((columns, indexes)))
}

impl Columns {
    /// The packed column of this field, or the payloads.
    fn column_mut(&mut self, number: u64) -> &mut Range<u32> {
        match number {
            field::EVENT_TYPES => &mut self.event_types,
            field::SEQUENCE_DELTAS => &mut self.sequence_deltas,
            field::TIMESTAMP_DELTAS_MS => &mut self.timestamp_deltas_ms,
            field::ENTITY_INDEXES => &mut self.entity_indexes,
            field::PLACE_INDEXES => &mut self.place_indexes,
            field::PAYLOAD_SIZES => &mut self.payload_sizes,
            _ => &mut self.payloads,
        }
    }
}

/// The metadata of a batch that was checked, by rising index.
pub(super) fn all_metadata(bytes: &[u8]) -> Vec<v1::EventMetadata> {
    let mut all = Vec::new();
    let mut rest = bytes;
    while let Some(tag) = varint::take(&mut rest) {
        let (number, wire) = (tag >> 3, tag & 7);
        if (number, wire) != (field::METADATA, WIRE_BYTES) {
            if skip(number, wire, bytes, &mut rest).is_err() {
                break;
            }
            continue;
        }
        let Ok(entry) = block(bytes, &mut rest) else { break };
        all.extend(metadata(&bytes[entry.start as usize..entry.end as usize]));
    }
    all.sort_by_key(|entry| entry.index);
    all
}

fn metadata(bytes: &[u8]) -> Result<v1::EventMetadata, Error> {
    if bytes.len() > METADATA_BYTES_MAX {
        return Err(Error::too_large("bytes of metadata", bytes.len(), METADATA_BYTES_MAX));
    }
    v1::EventMetadata::decode(bytes)
        .map_err(|error| Error::malformed(format!("metadata of a batch: {error}")))
}

/// A field that this version does not know.
fn skip(number: u64, wire: u64, all: &[u8], rest: &mut &[u8]) -> Result<(), Error> {
    if number == 0 {
        return Err(Error::malformed("field number 0"));
    }
    match wire {
        WIRE_VARINT => take(rest).map(drop),
        WIRE_FIXED64 => fixed::<8>(rest).map(drop),
        WIRE_BYTES => block(all, rest).map(drop),
        WIRE_FIXED32 => fixed::<4>(rest).map(drop),
        _ => Err(Error::malformed(format!("field {number} has wire type {wire}"))),
    }
}

fn take(rest: &mut &[u8]) -> Result<u64, Error> {
    let error = || Error::malformed("a varint is cut off or has more than 64 bits");
    varint::take(rest).ok_or_else(error)
}

fn fixed<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Error> {
    let Some((value, after)) = rest.split_first_chunk::<N>() else {
        return Err(Error::malformed("a fixed-size field is cut off"));
    };
    *rest = after;
    Ok(*value)
}

fn block(all: &[u8], rest: &mut &[u8]) -> Result<Range<u32>, Error> {
    let size = take(rest)?;
    if size > rest.len() as u64 {
        return Err(Error::malformed("a field is longer than the batch"));
    }
    let start = (all.len() - rest.len()) as u32;
    *rest = &rest[size as usize..];
    Ok(start..start + size as u32)
}

fn check(bytes: &[u8], mut columns: Columns, metadata: Vec<u32>) -> Result<Columns, Error> {
    crate::ProducerId::new(columns.producer_id)?.check()?;
    name(bytes, &columns.source, "source", NAME_BYTES_MAX)?;
    name(bytes, &columns.world, "world", NAME_BYTES_MAX)?;
    for entity in &columns.entities {
        name(bytes, entity, "entity", ENTITY_BYTES_MAX)?;
    }
    for place in &columns.places {
        name(bytes, place, "place", PLACE_BYTES_MAX)?;
    }
    let count = event_types(bytes, &columns)?;
    if count == 0 {
        return Err(Error::malformed("a batch without events"));
    }
    columns.event_count = count as u32;
    sequences(bytes, &columns, count)?;
    timestamps(bytes, &columns, count)?;
    let Columns { entities, places, .. } = &columns;
    name_indexes(bytes, &columns.entity_indexes, "entity_indexes", entities.len(), count)?;
    name_indexes(bytes, &columns.place_indexes, "place_indexes", places.len(), count)?;
    payload_sizes(bytes, &columns, count)?;
    columns.metadata_count = metadata_indexes(metadata, count)?;
    Ok(columns)
}

fn name(bytes: &[u8], range: &Range<u32>, what: &str, max: usize) -> Result<(), Error> {
    if range.len() > max {
        return Err(Error::too_large(&format!("bytes of {what}"), range.len(), max));
    }
    std::str::from_utf8(slice(bytes, range))
        .map(drop)
        .map_err(|_| Error::malformed(format!("{what} is not UTF-8")))
}

fn slice<'a>(bytes: &'a [u8], range: &Range<u32>) -> &'a [u8] {
    &bytes[range.start as usize..range.end as usize]
}

/// A column whose values take one byte each, as almost all do: it is checked without a walk.
fn one_byte_column<'a>(bytes: &'a [u8], range: &Range<u32>) -> Option<&'a [u8]> {
    let column = slice(bytes, range);
    (column.len() <= BATCH_EVENTS_MAX && varint::are_bytes(column)).then_some(column)
}

/// Applies `check` to each value of a packed column; the number of values.
fn column(
    bytes: &[u8],
    range: &Range<u32>,
    what: &str,
    mut check: impl FnMut(u64) -> Result<(), Error>,
) -> Result<usize, Error> {
    let mut rest = slice(bytes, range);
    let mut count = 0;
    while !rest.is_empty() {
        check(take(&mut rest)?)?;
        count += 1;
        if count > BATCH_EVENTS_MAX {
            return Err(Error::too_large(what, count, BATCH_EVENTS_MAX));
        }
    }
    Ok(count)
}

fn same_length(what: &str, found: usize, events: usize) -> Result<(), Error> {
    if found != events {
        return Err(Error::malformed(format!("{what} has {found} values for {events} events")));
    }
    Ok(())
}

fn event_types(bytes: &[u8], columns: &Columns) -> Result<usize, Error> {
    if let Some(column) = one_byte_column(bytes, &columns.event_types)
        && !column.contains(&0)
    {
        return Ok(column.len());
    }
    column(bytes, &columns.event_types, "event_types", |value| {
        if value == 0 || value > u64::from(u32::MAX) {
            return Err(Error::malformed(format!("event type {value}")));
        }
        Ok(())
    })
}

fn sequences(bytes: &[u8], columns: &Columns, events: usize) -> Result<(), Error> {
    let overflow = || Error::malformed("a sequence beyond 64 bits");
    if columns.sequence_deltas.is_empty() {
        columns.first_sequence.checked_add(events as u64 - 1).ok_or_else(overflow)?;
        return Ok(());
    }
    let mut sequence = columns.first_sequence;
    let mut first = true;
    let found = column(bytes, &columns.sequence_deltas, "sequence_deltas", |delta| {
        if delta == 0 && !first {
            return Err(Error::malformed(format!("sequence {sequence} stands twice")));
        }
        first = false;
        sequence = sequence.checked_add(delta).ok_or_else(overflow)?;
        Ok(())
    })?;
    same_length("sequence_deltas", found, events)
}

fn timestamps(bytes: &[u8], columns: &Columns, events: usize) -> Result<(), Error> {
    if columns.timestamp_deltas_ms.is_empty() {
        return Ok(());
    }
    let mut timestamp = columns.base_timestamp_ms;
    // Short deltas, as almost all are, do not add up to much.
    let far =
        [timestamp.checked_add(SHORT_DELTAS_MS_MAX), timestamp.checked_sub(SHORT_DELTAS_MS_MAX)];
    if !far.contains(&None)
        && varint::count_short(slice(bytes, &columns.timestamp_deltas_ms)) == Some(events)
    {
        return Ok(());
    }
    let found = column(bytes, &columns.timestamp_deltas_ms, "timestamp_deltas_ms", |delta| {
        timestamp = timestamp
            .checked_add(varint::unzigzag(delta))
            .ok_or_else(|| Error::malformed("a timestamp beyond 64 bits"))?;
        Ok(())
    })?;
    same_length("timestamp_deltas_ms", found, events)
}

fn name_indexes(
    bytes: &[u8],
    indexes: &Range<u32>,
    what: &str,
    names: usize,
    events: usize,
) -> Result<(), Error> {
    if indexes.is_empty() {
        return Ok(());
    }
    if let Some(column) = one_byte_column(bytes, indexes)
        && column.iter().all(|index| usize::from(*index) <= names)
    {
        return same_length(what, column.len(), events);
    }
    let found = column(bytes, indexes, what, |index| {
        if index > names as u64 {
            return Err(Error::malformed(format!("{what}: {index} of {names} names")));
        }
        Ok(())
    })?;
    same_length(what, found, events)
}

/// Each at most once, in any order; how many they are.
fn metadata_indexes(mut indexes: Vec<u32>, events: usize) -> Result<u32, Error> {
    indexes.sort_unstable();
    if let Some(pair) = indexes.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::malformed(format!("metadata of event {} stands twice", pair[0])));
    }
    match indexes.last() {
        Some(&last) if last as usize >= events => {
            Err(Error::malformed(format!("metadata of event {last} of {events}")))
        }
        _ => Ok(indexes.len() as u32),
    }
}

fn payload_sizes(bytes: &[u8], columns: &Columns, events: usize) -> Result<(), Error> {
    let (found, total) = match one_byte_column(bytes, &columns.payload_sizes) {
        Some(column) => (column.len(), column.iter().copied().map(u64::from).sum()),
        None => long_payload_sizes(bytes, columns)?,
    };
    same_length("payload_sizes", found, events)?;
    if total != columns.payloads.len() as u64 {
        let payloads = columns.payloads.len();
        return Err(Error::malformed(format!("payload_sizes add up to {total} of {payloads}")));
    }
    Ok(())
}

/// How many sizes there are, and their sum.
fn long_payload_sizes(bytes: &[u8], columns: &Columns) -> Result<(usize, u64), Error> {
    let mut total = 0u64;
    let found = column(bytes, &columns.payload_sizes, "payload_sizes", |size| {
        if size > PAYLOAD_BYTES_MAX as u64 {
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            return Err(Error::too_large("bytes of a payload", size, PAYLOAD_BYTES_MAX));
        }
        total += size;
        Ok(())
    })?;
    Ok((found, total))
}
