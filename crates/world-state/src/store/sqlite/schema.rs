//! The layout of the file and its version. Changing it means a new version and a migration.
//!
//! ```text
//! world     one row: version, how far it was published, from where the past is kept
//! entity    name ▶ version, the step that touched it last, count of fields (0: removed)
//! field     entity, name ▶ value, the step that set it
//! history   entity, field, step ▶ what the field was before that step (NULL: not there);
//!           under the empty field the entity's version before it
//! step      version ▶ when, who, why, and the event as it is published: the outbox is the steps
//!           behind `world.published`, and so needs no row of its own to write and remove
//! used_key  idempotency keys in the order in which they came
//! expiry    game time, entity, field ▶ the step whose value is removed then
//! ```
//! A version of the past is what is there now with the history behind that version undone, so the
//! values that are there stand once.

use worldbus_service::state::sqlite_file::Layout;

pub(super) const LAYOUT: Layout = Layout {
    name: "world's state",
    setting: "--state-database",
    application_id: 0x5762_5773, // "WbWs"
    version: 1,
    create: "
    CREATE TABLE world (
        id INTEGER PRIMARY KEY NOT NULL CHECK (id = 0),
        name TEXT NOT NULL,
        producer INTEGER NOT NULL,
        version INTEGER NOT NULL,
        published INTEGER NOT NULL,
        kept_from INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE entity (
        name TEXT PRIMARY KEY NOT NULL,
        version INTEGER NOT NULL,
        touched INTEGER NOT NULL,
        field_count INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE field (
        entity TEXT NOT NULL,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        since INTEGER NOT NULL,
        PRIMARY KEY (entity, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE history (
        entity TEXT NOT NULL,
        field TEXT NOT NULL,
        step INTEGER NOT NULL,
        value TEXT,
        PRIMARY KEY (entity, field, step)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE step (
        version INTEGER PRIMARY KEY NOT NULL,
        wall_us INTEGER NOT NULL,
        game_us INTEGER,
        actor TEXT NOT NULL,
        reason TEXT NOT NULL,
        entity TEXT,
        trace TEXT,
        event BLOB NOT NULL
    ) STRICT;
    CREATE INDEX step_game ON step (version, game_us);
    CREATE TABLE used_key (
        number INTEGER PRIMARY KEY NOT NULL,
        text TEXT NOT NULL UNIQUE,
        fingerprint INTEGER NOT NULL,
        version INTEGER NOT NULL,
        wall_us INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE expiry (
        game_us INTEGER NOT NULL,
        entity TEXT NOT NULL,
        field TEXT NOT NULL,
        step INTEGER NOT NULL,
        PRIMARY KEY (game_us, entity, field)
    ) STRICT, WITHOUT ROWID;
",
};
