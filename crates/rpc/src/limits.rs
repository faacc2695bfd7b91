//! The bounds of what travels at once. Both sides keep them and enforce them.

use worldbus_events::limits::BATCH_BYTES_MAX;

/// Room for what stands around the batches of a message.
const FRAME_BYTES_MAX: usize = 1 << 20;

/// Bytes of batches after which a sender begins another message. One batch always fits.
pub const GATHER_BYTES: usize = 2 << 20;

/// Batches, settlements or deliveries of one message.
pub const GATHER_COUNT_MAX: usize = 4096;

/// Bytes of one message: what was gathered, the batch that overran it, and what stands around.
pub const MESSAGE_BYTES_MAX: usize = GATHER_BYTES + BATCH_BYTES_MAX + FRAME_BYTES_MAX;

/// Dead letters of one answer.
pub const DEAD_LETTER_COUNT_MAX: usize = 10_000;
