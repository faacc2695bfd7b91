//! The tables of the chronicle, and whose world they are of. What changes is a new migration.

use worldbus_postgres::{Client, Migration};
use worldbus_service::state::{Error, Kind};

/// Its migrations are written down under this name.
pub(super) const PART: &str = "chronicle";

/// The row of an entry is its significance and then its number, as in a file. The index of words
/// takes each entry at once (`fastupdate`): a list of those that wait would be read by each search.
pub(super) const MIGRATIONS: &[Migration] = &[Migration {
    name: "entries, arcs, the ledger and its outbox",
    sql: "
        CREATE TABLE chronicle_ledger (
            one boolean PRIMARY KEY DEFAULT true CHECK (one),
            revision bigint NOT NULL,
            entries bigint NOT NULL,
            last_number bigint NOT NULL,
            last_queued bigint NOT NULL
        );
        INSERT INTO chronicle_ledger (revision, entries, last_number, last_queued)
            VALUES (0, 0, 0, 0);
        CREATE TABLE chronicle_kept (
            name text COLLATE \"C\" PRIMARY KEY,
            revision bigint NOT NULL,
            value text NOT NULL
        );

        CREATE TABLE chronicle_entry (
            entry_row bigint PRIMARY KEY,
            id bytea NOT NULL UNIQUE,
            game_us bigint NOT NULL,
            region text COLLATE \"C\",
            significance smallint NOT NULL,
            text text NOT NULL,
            arc text COLLATE \"C\",
            rule text NOT NULL,
            causes bytea NOT NULL,
            wall_ms bigint NOT NULL,
            rewritten text,
            model text,
            words tsvector NOT NULL
        );
        CREATE INDEX chronicle_entry_by_time ON chronicle_entry (game_us, entry_row);
        CREATE INDEX chronicle_entry_notable ON chronicle_entry (game_us, entry_row)
            WHERE significance >= 400;
        CREATE INDEX chronicle_entry_by_region ON chronicle_entry (region, game_us, entry_row);
        CREATE INDEX chronicle_entry_by_arc ON chronicle_entry (arc, game_us, entry_row)
            WHERE arc IS NOT NULL;
        CREATE INDEX chronicle_entry_words ON chronicle_entry USING gin (words)
            WITH (fastupdate = off);
        CREATE TABLE chronicle_sample (
            entry_row bigint PRIMARY KEY,
            game_us bigint NOT NULL,
            words tsvector NOT NULL
        );
        CREATE INDEX chronicle_sample_words ON chronicle_sample USING gin (words)
            WITH (fastupdate = off);

        CREATE TABLE chronicle_arc (
            id text COLLATE \"C\" PRIMARY KEY,
            kind text COLLATE \"C\" NOT NULL,
            region text COLLATE \"C\",
            ended boolean NOT NULL,
            shown boolean NOT NULL,
            since_us bigint NOT NULL,
            state text NOT NULL
        );
        CREATE INDEX chronicle_arc_by_time ON chronicle_arc (since_us, id) WHERE shown;
        CREATE INDEX chronicle_arc_open ON chronicle_arc (id) WHERE NOT ended;
        CREATE TABLE chronicle_advance (
            arc text COLLATE \"C\" NOT NULL,
            number bigint NOT NULL,
            stage text NOT NULL,
            game_us bigint NOT NULL,
            PRIMARY KEY (arc, number)
        );

        CREATE TABLE chronicle_observation (
            wall_ms bigint NOT NULL,
            event bytea NOT NULL,
            part bigint NOT NULL,
            body text,
            PRIMARY KEY (wall_ms, event, part)
        );
        CREATE TABLE chronicle_outbox (
            number bigint PRIMARY KEY,
            event_type bigint NOT NULL,
            topic text NOT NULL,
            id bytea NOT NULL,
            wall_ms bigint NOT NULL,
            entity text,
            place text,
            payload bytea NOT NULL
        );
    ",
}];

const WORLD: &str = "SELECT value FROM chronicle_kept WHERE name = 'world'";
const CLAIM: &str = "
    INSERT INTO chronicle_kept (name, revision, value) VALUES ('world', 1, $1)
    ON CONFLICT (name) DO NOTHING";

/// Takes the tables for a world; refuses those of another one.
pub(super) async fn claim(client: &Client, place: &str, world: &str) -> Result<(), Error> {
    let mut found = client.read(WORLD, &[]).await?;
    if found.is_empty() {
        client.write(CLAIM, &[&world]).await?;
        found = client.read(WORLD, &[]).await?;
    }
    let of = found.first().map(|row| row.get::<&str>(0)).transpose()?.unwrap_or_default();
    if of == world {
        return Ok(());
    }
    let text = format!(
        "{place} has the chronicle of world {of:?}; name another schema for world {world:?} by \
         ?schema=NAME"
    );
    Err(Error::new(Kind::Unopenable, text))
}
