//! Rows and ids as both databases store them. Not here: reading and writing them.

use worldbus_events::EventId;

/// Bits of a row for the entry's number.
pub(super) const NUMBER_BITS: u32 = 40;
const ID_BYTES: usize = 16;

/// The row of an entry: its significance, then its number. The most significant of many matches
/// are read first.
pub(super) fn row_of(significance: u16, number: i64) -> i64 {
    (i64::from(significance) << NUMBER_BITS) | number
}

/// The significance in a row.
pub(super) fn significance_of(row: i64) -> u16 {
    u16::try_from(row >> NUMBER_BITS).unwrap_or(u16::MAX)
}

pub(super) fn bytes(id: EventId) -> [u8; ID_BYTES] {
    id.to_u128().to_be_bytes()
}

/// The 128 bits of an id; else what is wrong with it.
pub(super) fn number(bytes: &[u8]) -> Result<u128, String> {
    let bytes: [u8; ID_BYTES] =
        bytes.try_into().map_err(|_| "an id has not 16 bytes".to_owned())?;
    Ok(u128::from_be_bytes(bytes))
}

pub(super) fn id(bytes: &[u8]) -> Result<EventId, String> {
    EventId::from_u128(number(bytes)?).map_err(|error| error.to_string())
}

/// Ids, one behind the other.
pub(super) fn ids_to_bytes(ids: &[EventId]) -> Vec<u8> {
    ids.iter().flat_map(|id| bytes(*id)).collect()
}

pub(super) fn ids_of_bytes(bytes: &[u8]) -> Result<Vec<EventId>, String> {
    bytes.chunks(ID_BYTES).map(id).collect()
}
