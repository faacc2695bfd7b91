//! The layout of the file and its version. Changing it means a new version and a migration.

use rusqlite::Connection;

use crate::state::sqlite_file::Layout;

pub(super) const LAYOUT: Layout = Layout {
    name: "state store",
    setting: "--data-dir",
    application_id: 0x5762_5374, // "WbSt"
    version: 1,
    create: "
    CREATE TABLE entry (
        key TEXT PRIMARY KEY NOT NULL,
        revision INTEGER NOT NULL,
        value BLOB NOT NULL,
        crc INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE total (
        id INTEGER PRIMARY KEY NOT NULL CHECK (id = 0),
        revision INTEGER NOT NULL,
        entries INTEGER NOT NULL,
        crcs INTEGER NOT NULL,
        crc INTEGER NOT NULL
    ) STRICT;
",
};

/// Settings of the connection, before the first transaction.
pub(super) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // TRUNCATE with FULL: the journal is emptied and fsynced at commit, so the commit is durable
    // without an fsync of the directory (https://www.sqlite.org/pragma.html#pragma_synchronous).
    connection.pragma_update(None, "journal_mode", "TRUNCATE")?;
    connection.pragma_update(None, "synchronous", "FULL")
}
