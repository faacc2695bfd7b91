//! The layout of the file and its version. Changing it means a new version and a migration.
//!
//! ```text
//! entry          one row for each topic of a commit:      topic, first_offset ▶ group_id, place, …
//!                the index by offset, and by segment
//! record         heads, tally, subscriptions, ages,       kind, id ▶ value     (`format::record`)
//!                and how far the fold follows the journal
//! dead_letter    one row a dead letter, without gaps      number ▶ key, value  (`format::record`)
//!
//! topic 3, offset 17 ─▶ entry (3, first_offset ≤ 17) ─▶ segment, position, length ─▶ its record in
//! the journal ─▶ the group's batch (3, 17)
//! ```
//!
//! Everything of ours is in numbers and blobs with checksums; there is no text whose encoding
//! could be mistaken. Rows are found by their keys only; what is found is verified.

/// The layout that this code writes, in SQLite's `user_version`.
///
/// - 1: the first.
/// - 2: a dead letter may have been taken away, and a topic may be of replayed events. A file of
///   version 1 is one without either, and becomes one of version 2 as it is opened.
/// - 3: of leases and delays the file has what is left of them, not the wall times of their ends;
///   and how long the log was open (`age`). A file of a version before becomes one of version 3
///   as it is opened: its leases and delays end at once, and its batches are as if appended then.
/// - 4: the file is the fold of a journal, which has the batches. One of a version before is taken
///   over as it is opened (`takeover`): it is copied into a journal, of which it is the fold then.
pub(crate) const VERSION: u32 = 4;
/// The oldest layout that this code reads.
pub(crate) const VERSION_MIN: u32 = 1;

/// "WbLg": distinguishes our file from another program's.
pub(crate) const APPLICATION_ID: u32 = 0x5762_4c67;

/// Bytes of a page. The default of SQLite; the scan of the write-ahead log counts on it.
pub(crate) const PAGE_BYTES: u32 = 4096;

/// Names and statements, by name, exactly as SQLite stores them.
pub(crate) const TABLES: [(&str, &str); 4] = [
    (
        "dead_letter",
        "CREATE TABLE dead_letter (number INTEGER PRIMARY KEY NOT NULL, segment INTEGER NOT NULL, \
         key BLOB NOT NULL, value BLOB NOT NULL) STRICT",
    ),
    (
        "entry",
        "CREATE TABLE entry (topic INTEGER NOT NULL, first_offset INTEGER NOT NULL, \
         batches INTEGER NOT NULL, bytes INTEGER NOT NULL, appended_ms INTEGER NOT NULL, \
         group_id INTEGER NOT NULL, segment INTEGER NOT NULL, position INTEGER NOT NULL, \
         length INTEGER NOT NULL, crc INTEGER NOT NULL, \
         PRIMARY KEY (topic, first_offset)) STRICT, WITHOUT ROWID",
    ),
    ("entry_segment", "CREATE INDEX entry_segment ON entry (segment)"),
    (
        "record",
        "CREATE TABLE record (kind INTEGER NOT NULL, id INTEGER NOT NULL, value BLOB NOT NULL, \
         PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID",
    ),
];
