//! The embedded transport: a durable broker inside the process, over one SQLite file.
//!
//! ```text
//! publish ─▶ queue ─▶ writer: group, dedupe, one transaction, fsync ─▶ ack
//!                        │                                       └──▶ tail (memory) ─▶ wake-up
//! consumer ◀─ subscription (cursors, leases) ◀─ tail, or a reader connection on the file
//! ```
//!
//! One thread owns the writing connection. It takes all that is pending, writes it as one row,
//! and acknowledges after the commit's fsync: the slower the disk, the fuller the groups, and
//! no timer anywhere. Live consumers are served from memory, late ones from the file.
//!
//! What is stored is refused rather than guessed: the write-ahead log is scanned before SQLite
//! sees it, each batch and each record carries a CRC32C that is verified at each read, offsets
//! are contiguous and heads hold where they end.
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
