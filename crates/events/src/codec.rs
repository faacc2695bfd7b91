//! Bytes with a content type to batches and back.
//!
//! Whoever hands bytes over declares what they are ([`ContentType`]); nothing is guessed. Not
//! for: transports between our own crates, which carry EventBatch and need no declaration.

mod content_type;
mod game_event;
mod json_batch;

use bytes::Bytes;
use prost::Message;

use crate::batch::{Batch, BatchBuilder};
use crate::catalogue::Catalogue;
use crate::error::Error;
use crate::limits::BATCH_BYTES_MAX;

pub use content_type::ContentType;

/// zstd's own default: a batch of ticks takes half its size, at some 200 MB/s.
const ZSTD_LEVEL: i32 = 3;

/// Reads the bytes of a declared type as a batch.
///
/// A GameEvent or a JSON event becomes a batch of one; a JSON array one batch of its events,
/// which then are of one source, world and producer, in order. The catalogue is used for JSON
/// only. Memory: at most a small multiple of 4 MiB, whatever the bytes say.
///
/// # Errors
/// `Malformed`, `TooLarge`, and for JSON `UnknownEventType` and `WrongPayload`. All are final:
/// dead-letter the bytes with the reason.
pub fn decode(
    content_type: ContentType,
    bytes: Bytes,
    catalogue: &Catalogue,
) -> Result<Batch, Error> {
    let batches = decode_all(content_type, bytes, catalogue)?;
    <[Batch; 1]>::try_from(batches).map(|[only]| only).map_err(|several| {
        let count = several.len();
        let of = "sources, worlds or producers";
        Error::malformed(format!("events of several {of} in one array: they are {count} batches"))
    })
}

/// Reads the bytes of a declared type as batches: one, but for a JSON array of events of several
/// sources, worlds or producers. That is a batch for each, in the order of their first events, and
/// in each its events in the order of the array. At most
/// [`BATCH_EVENTS_MAX`](crate::limits::BATCH_EVENTS_MAX): no array has more events.
///
/// # Errors
/// As [`decode`].
pub fn decode_all(
    content_type: ContentType,
    bytes: Bytes,
    catalogue: &Catalogue,
) -> Result<Vec<Batch>, Error> {
    if bytes.len() > BATCH_BYTES_MAX {
        return Err(Error::too_large("bytes of a batch", bytes.len(), BATCH_BYTES_MAX));
    }
    let only = match content_type {
        ContentType::GameEvent => game_event::decode(&bytes),
        ContentType::EventBatch => Batch::decode(bytes),
        ContentType::EventBatchZstd => Batch::decode(decompress(&bytes)?),
        ContentType::Json => return json_batch::decode(&bytes, catalogue),
    };
    Ok(vec![only?])
}

/// Writes a batch as bytes of a type. JSON is one object for one event, else an array.
///
/// # Errors
/// `TooLarge` for a GameEvent if there is more than one event.
pub fn encode(
    content_type: ContentType,
    batch: &Batch,
    catalogue: &Catalogue,
) -> Result<Bytes, Error> {
    match content_type {
        ContentType::GameEvent => game_event::encode(batch).map(|event| event.encode_to_vec()),
        ContentType::EventBatch => return Ok(batch.bytes().clone()),
        ContentType::EventBatchZstd => compress(batch.bytes()),
        ContentType::Json => Ok(json_batch::encode(batch, catalogue).into_bytes()),
    }
    .map(Bytes::from)
}

fn finish(mut builder: BatchBuilder) -> Result<Batch, Error> {
    builder.finish().ok_or_else(|| Error::malformed("a batch without events"))
}

fn compress(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    zstd::bulk::compress(bytes, ZSTD_LEVEL)
        .map_err(|error| Error::malformed(format!("zstd cannot compress: {error}")))
}

/// Never allocates more than a batch may have: in one call there is no window to keep, and
/// the output has its size beforehand.
fn decompress(bytes: &[u8]) -> Result<Bytes, Error> {
    if let Some(size) = zstd::decompressed_size(bytes)
        && size > BATCH_BYTES_MAX as u64
    {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        return Err(Error::too_large("decompressed bytes", size, BATCH_BYTES_MAX));
    }
    let batch = zstd::bulk::decompress(bytes, BATCH_BYTES_MAX).map_err(|error| {
        Error::malformed(format!("zstd, at most {BATCH_BYTES_MAX} bytes: {error}"))
    })?;
    Ok(Bytes::from(batch))
}

#[cfg(test)]
mod tests;
