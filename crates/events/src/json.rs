//! The JSON form of events: for debugging, REST, event streams, and clients without protobuf.
//!
//! ```json
//! {"event_id":"48d159e2-6af3-87bc-8000-00000000002a","event_type":"time.updated",
//!  "source":"time-manager","world":"europe","timestamp":"2026-03-01T12:00:00.250Z",
//!  "payload":{"total_minutes":"84961","hour":0,"minute":1,"phase":"PHASE_NIGHT"}}
//! ```
//!
//! - `entity` and `place` stand behind `world` if the event has them, `metadata` (an object of
//!   texts) at the end if there are entries.
//! - `timestamp` is RFC 3339 in UTC with milliseconds. Outside the years 0 to 9999, which
//!   RFC 3339 cannot say, it is a JSON number: milliseconds since the Unix epoch.
//! - `payload` is proto3 JSON with the field names of the .proto file: 64-bit integers are
//!   texts, enums are names, bytes are base64. Default values stand there too; fields with
//!   presence (messages, `optional`, `oneof`) only if set.
//! - An event whose type is not in the catalogue, or whose payload is not such a message, has
//!   the type's *number* as text in `event_type` and `{"base64":"…"}` as its payload.
//!
//! As input, `type` stands for `event_type` just as well, everything but type and payload may
//! be left out, and all that is not known is refused.
//!
//! Not for: whole batches at speed; that is what the binary form is.

mod read;
mod write;

pub(crate) use read::without_mark;
pub use read::{Input, read, read_payload};
pub use write::{event, payload, write_event};

#[cfg(test)]
mod tests;
