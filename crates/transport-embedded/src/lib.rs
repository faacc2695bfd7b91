//! The embedded transport: a durable broker inside the process, over append-only files and a
//! SQLite file that follows from them.
//!
//! ```text
//! publish ─▶ queue ─▶ writer: group, dedupe, one record, fsync ─▶ ack
//!                        │                                  ├──▶ tail (memory) ─▶ wake-up
//!                        │                                  └──▶ fold (SQLite), a little later
//! consumer ◀─ subscription (cursors, leases) ◀─ tail, or the fold's index and the record
//! ```
//!
//! One thread owns the end of the journal. It takes all that is pending, writes it as one record,
//! and acknowledges after its fsync: the slower the disk, the fuller the groups, and no timer
//! anywhere. Live consumers are served from memory, late ones from the files.
//!
//! What is stored is refused rather than guessed: records are numbered and chained, each batch and
//! each record carries a CRC32C that is verified at each read, offsets are contiguous and heads
//! hold where they end.
//!
//! Not for: more than one process at a time on a directory (the event-bus serves others), nor
//! the meaning of events.
#![allow(clippy::disallowed_methods, reason = "this is the adapter of the disk")]

mod age;
mod dead_letters;
mod embedded;
mod format;
mod journal;
mod options;
mod read;
mod shared;
mod store;
mod subscription;
mod usage;
mod write;

pub use embedded::Embedded;
pub use options::Options;
pub use shared::Health;
pub use store::open::check::{Check, check, repair};
