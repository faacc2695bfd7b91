//! The bounds that every encoder keeps and every decoder enforces.

/// Events in one batch.
pub const BATCH_EVENTS_MAX: usize = 4096;
/// Bytes of one encoded batch, before and after decompression.
pub const BATCH_BYTES_MAX: usize = 4 << 20;
/// Bytes of one event's payload.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 20;
/// Messages within one another in a payload, entries of maps among them: what decoders of
/// Protocol Buffers take, prost's and Google's own.
pub const PAYLOAD_DEPTH_MAX: usize = 100;
/// Bytes of one event's metadata, keys and values together.
pub const METADATA_BYTES_MAX: usize = 16 << 10;
/// Bytes of the name of an entity.
pub const ENTITY_BYTES_MAX: usize = 256;
/// Bytes of the name of a place.
pub const PLACE_BYTES_MAX: usize = 256;
/// Bytes of the name of a source or a world.
pub const NAME_BYTES_MAX: usize = 128;
/// Bytes of the name of a topic.
pub const TOPIC_BYTES_MAX: usize = 64;
