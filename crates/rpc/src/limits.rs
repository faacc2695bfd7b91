//! The bounds of what travels at once. Both sides keep them and enforce them.

use worldbus_events::limits::BATCH_BYTES_MAX;

/// Room for what stands around the batches of a message.
const FRAME_BYTES_MAX: usize = 1 << 20;

/// Bytes of batches after which a sender begins another message. One batch always fits.
pub const GATHER_BYTES: usize = 2 << 20;

/// The same for readers, whose messages are not asked for one by one: so much waits for each that
/// does not read.
pub const READ_GATHER_BYTES: usize = 256 << 10;

/// Batches, settlements or deliveries of one message.
pub const GATHER_COUNT_MAX: usize = 4096;

/// Bytes of one message: what was gathered, the batch that overran it, and what stands around.
pub const MESSAGE_BYTES_MAX: usize = GATHER_BYTES + BATCH_BYTES_MAX + FRAME_BYTES_MAX;

/// Bytes of one message that neither publishes nor sets events aside.
pub const CONTROL_BYTES_MAX: usize = 1 << 20;

/// Bytes of the event types of studios that a client is given.
pub const CATALOGUE_BYTES_MAX: usize = 4 << 20;

/// Settlements of one request on a stream of deliveries.
pub const SETTLE_COUNT_MAX: usize = 256;

/// Such requests without an answer; while there are so many no further request is read.
pub const SETTLING_COUNT_MAX: usize = 8;

/// Bytes of one request on a stream of deliveries behind the first: one settlement has two names of
/// 64 bytes and numbers.
pub const CONSUMER_BYTES_MAX: usize = SETTLE_COUNT_MAX * 192;

/// The version of the bus's service, as it is described: what both sides of this version do.
pub const PROTOCOL: u32 = 1;

/// Fields of one message, elements of repeated ones each.
pub const FIELD_COUNT_MAX: usize = GATHER_COUNT_MAX + 64;

/// Dead letters of one answer.
pub const DEAD_LETTER_COUNT_MAX: usize = 10_000;
