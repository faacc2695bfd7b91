//! The named limits of the model. Each is refused by name; docs/how-to/world-state.md lists them.

/// Bytes of an entity's name.
pub const ENTITY_BYTES_MAX: usize = 256;
/// Bytes of a field's name.
pub const FIELD_BYTES_MAX: usize = 64;
/// Bytes of a value, encoded as JSON without spaces.
pub const VALUE_BYTES_MAX: usize = 16 << 10;
/// Objects and arrays within one another in a value.
pub const VALUE_DEPTH_MAX: usize = 16;
/// Fields of an entity.
pub const FIELD_COUNT_MAX: usize = 512;
/// Changes of a step.
pub const CHANGE_COUNT_MAX: usize = 256;
/// Bytes of the event that a step becomes: room for the rest of its batch.
pub const EVENT_BYTES_MAX: usize = 1_000_000;
/// Bytes of an idempotency key.
pub const KEY_BYTES_MAX: usize = 128;
