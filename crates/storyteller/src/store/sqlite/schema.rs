//! The layout of the file and its version. Changing it means a new version and a migration.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::Failure;
use worldbus_service::state::sqlite_file::Layout;

/// The row of an entry is its significance and then its number: the most significant of many
/// matches are read first.
pub(super) const LAYOUT: Layout = Layout {
    name: "chronicle",
    setting: "--chronicle",
    application_id: 0x5762_4368, // "WbCh"
    version: 1,
    create: "
    CREATE TABLE kept (
        name TEXT PRIMARY KEY NOT NULL,
        revision INTEGER NOT NULL,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE counter (
        name TEXT PRIMARY KEY NOT NULL,
        value INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO counter VALUES ('entries', 0), ('ledger', 0);

    CREATE TABLE entry (
        row INTEGER PRIMARY KEY NOT NULL,
        id BLOB NOT NULL UNIQUE,
        game_us INTEGER NOT NULL,
        region TEXT,
        significance INTEGER NOT NULL,
        text TEXT NOT NULL,
        arc TEXT,
        rule TEXT NOT NULL,
        causes BLOB NOT NULL,
        wall_ms INTEGER NOT NULL,
        rewritten TEXT,
        model TEXT
    ) STRICT;
    CREATE INDEX entry_by_time ON entry (game_us, significance);
    CREATE INDEX entry_notable ON entry (game_us, significance) WHERE significance >= 400;
    CREATE INDEX entry_by_region ON entry (region, game_us, significance);
    CREATE INDEX entry_by_arc ON entry (arc, game_us, significance) WHERE arc IS NOT NULL;
    CREATE VIRTUAL TABLE words USING fts5 (
        text, content = '', contentless_delete = 1,
        tokenize = 'unicode61 remove_diacritics 2'
    );

    CREATE TABLE arc (
        id TEXT PRIMARY KEY NOT NULL,
        kind TEXT NOT NULL,
        region TEXT,
        ended INTEGER NOT NULL,
        shown INTEGER NOT NULL,
        since_us INTEGER NOT NULL,
        state TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX arc_by_time ON arc (since_us, id) WHERE shown;
    CREATE INDEX arc_open ON arc (id) WHERE NOT ended;
    CREATE TABLE advance (
        arc TEXT NOT NULL,
        number INTEGER NOT NULL,
        stage TEXT NOT NULL,
        game_us INTEGER NOT NULL,
        PRIMARY KEY (arc, number)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE observation (
        wall_ms INTEGER NOT NULL,
        event BLOB NOT NULL,
        part INTEGER NOT NULL,
        body TEXT,
        PRIMARY KEY (wall_ms, event, part)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE outbox (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        event_type INTEGER NOT NULL,
        topic TEXT NOT NULL,
        id BLOB NOT NULL,
        wall_ms INTEGER NOT NULL,
        entity TEXT,
        place TEXT,
        payload BLOB NOT NULL
    ) STRICT;
",
};

/// Creates the tables in an empty file; refuses a file that is newer, not ours, or of another
/// world.
pub(super) fn prepare(connection: &mut Connection, world: &str) -> Result<(), Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if LAYOUT.prepare(&transaction)? {
        transaction.execute("INSERT INTO kept VALUES ('world', 1, ?1)", [world])?;
    }
    let kept: Option<String> = transaction
        .query_row("SELECT value FROM kept WHERE name = 'world'", [], |row| row.get(0))
        .optional()?;
    match kept {
        Some(kept) if kept == world => Ok(transaction.commit()?),
        Some(kept) => Err(Failure::OtherWorld(kept)),
        None => Err(Failure::damaged("it names no world")),
    }
}
