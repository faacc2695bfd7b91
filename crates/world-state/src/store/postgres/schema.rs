//! The tables, and whose world they hold. They are those of the SQLite file (`sqlite/schema.rs`
//! describes them), with names of their own among the tables of others.

use crate::NAME;
use crate::store::StoreError;
use worldbus_postgres::{Database, Migration};
use worldbus_service::state::Kind;
use worldbus_world::producer_id;

const PART: &str = "world-state";

const MIGRATIONS: &[Migration] = &[Migration {
    name: "the state, its history and its steps",
    sql: "
        CREATE TABLE world_state (
            one boolean PRIMARY KEY DEFAULT true CHECK (one),
            name text NOT NULL,
            producer bigint NOT NULL,
            version bigint NOT NULL DEFAULT 0,
            published bigint NOT NULL DEFAULT 0,
            kept_from bigint NOT NULL DEFAULT 0
        );
        CREATE TABLE world_state_entity (
            name text COLLATE \"C\" PRIMARY KEY,
            version bigint NOT NULL,
            touched bigint NOT NULL,
            field_count bigint NOT NULL
        );
        CREATE TABLE world_state_field (
            entity text COLLATE \"C\" NOT NULL,
            name text COLLATE \"C\" NOT NULL,
            value text NOT NULL,
            since bigint NOT NULL,
            PRIMARY KEY (entity, name)
        );
        CREATE TABLE world_state_history (
            entity text COLLATE \"C\" NOT NULL,
            field text COLLATE \"C\" NOT NULL,
            step bigint NOT NULL,
            value text,
            PRIMARY KEY (entity, field, step)
        );
        CREATE TABLE world_state_step (
            version bigint NOT NULL,
            wall_us bigint NOT NULL,
            game_us bigint,
            actor text NOT NULL,
            reason text NOT NULL,
            entity text,
            trace text,
            event bytea NOT NULL,
            PRIMARY KEY (version) INCLUDE (game_us)
        );
        CREATE TABLE world_state_used_key (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            text text COLLATE \"C\" NOT NULL UNIQUE,
            fingerprint bigint NOT NULL,
            version bigint NOT NULL,
            wall_us bigint NOT NULL
        );
        CREATE TABLE world_state_expiry (
            game_us bigint NOT NULL,
            entity text COLLATE \"C\" NOT NULL,
            field text COLLATE \"C\" NOT NULL,
            step bigint NOT NULL,
            PRIMARY KEY (game_us, entity, field)
        );
    ",
}];

/// Random of the database: two databases of a world never share a producer.
const RANDOM: &str = "SELECT ('x' || left(md5(gen_random_uuid()::text), 16))::bit(64)::bigint";
const CLAIM: &str =
    "INSERT INTO world_state (name, producer) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const OWNER: &str = "SELECT name, producer FROM world_state";

/// Creates the tables if they do not exist; who publishes the events of this database.
pub(super) async fn prepare(database: &Database, world: &str) -> Result<u64, StoreError> {
    database.migrate(PART, MIGRATIONS).await?;
    let client = database.client().await?;
    for row in client.read(RANDOM, &[]).await? {
        let random: i64 = row.get(0)?;
        let producer = producer_id(world, NAME, 0, random.cast_unsigned()).cast_signed();
        client.write(CLAIM, &[&world, &producer]).await?;
    }
    let rows = client.read(OWNER, &[]).await?;
    let row = rows.first().ok_or_else(|| missing("its one row"))?;
    let (kept, producer): (&str, i64) = (row.get(0)?, row.get(1)?);
    if kept == world {
        return Ok(producer.cast_unsigned());
    }
    let text = format!(
        "{} holds the state of world {kept:?}, expected {world:?}; give each world a schema of its \
         own by ?schema=NAME",
        database.name()
    );
    Err(StoreError::new(Kind::Unopenable, text))
}

/// Rows are not there that this program has written.
pub(super) fn missing(what: &str) -> StoreError {
    let text = format!("the world's state in PostgreSQL lacks {what}; restore it from a copy");
    StoreError::new(Kind::Damaged, text)
}
