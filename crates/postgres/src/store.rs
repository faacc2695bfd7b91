//! Small state in two tables, which any number of processes share.
//!
//! ```text
//! worldbus_state           key | revision | value
//! worldbus_state_revision  the last revision that was given
//! ```
//! Every write is one statement that raises the last revision and writes the entry under it. The
//! row of the last revision is locked first, so that writers take turns, revisions rise in the
//! order of commits, and none is used twice, also not after a delete.
//!
//! Not for: more writes than the disk has fsyncs.

use async_trait::async_trait;

use crate::address::Options;
use crate::client::Client;
use crate::database::Database;
use crate::migrate::Migration;
use crate::row::Row;
use worldbus_service::state::{
    Conflict, Entry, Error, Kind, LIST_COUNT_MAX, StateStore, check_key, check_value,
};

const PART: &str = "state";
const MIGRATIONS: &[Migration] = &[Migration {
    name: "entries and the last revision",
    sql: "
        CREATE TABLE worldbus_state (
            key text COLLATE \"C\" PRIMARY KEY,
            revision bigint NOT NULL,
            value bytea NOT NULL
        );
        CREATE TABLE worldbus_state_revision (
            one boolean PRIMARY KEY DEFAULT true CHECK (one),
            last bigint NOT NULL
        );
        INSERT INTO worldbus_state_revision (last) VALUES (0);
    ",
}];

const GET: &str = "SELECT revision, value FROM worldbus_state WHERE key = $1";
const LIST: &str = "
    SELECT key, revision, value FROM worldbus_state
    WHERE key >= $1 AND starts_with(key, $1) ORDER BY key LIMIT $2";
/// What another writer has inserted in the meantime is seen by `ON CONFLICT` alone.
const INSERT: &str = "
    WITH next AS (
        UPDATE worldbus_state_revision SET last = last + 1
        WHERE NOT EXISTS (SELECT FROM worldbus_state WHERE key = $1)
        RETURNING last
    )
    INSERT INTO worldbus_state (key, revision, value) SELECT $1, last, $2::bytea FROM next
    ON CONFLICT (key) DO NOTHING RETURNING revision";
/// An entry that another writer has changed in the meantime is compared again, as it is then.
const UPDATE: &str = "
    WITH next AS (
        UPDATE worldbus_state_revision SET last = last + 1
        WHERE EXISTS (SELECT FROM worldbus_state WHERE key = $1 AND revision = $2)
        RETURNING last
    )
    UPDATE worldbus_state SET revision = next.last, value = $3 FROM next
    WHERE key = $1 AND revision = $2 RETURNING revision";
const DELETE: &str =
    "DELETE FROM worldbus_state WHERE key = $1 AND revision = $2 RETURNING revision";

/// How often a write is tried while a key that was not there comes and goes.
const TURN_COUNT_MAX: u32 = 32;

/// A state store in a database.
#[derive(Debug, Clone)]
pub struct Postgres {
    database: Database,
}

impl Postgres {
    /// Opens the store in a database, and creates its tables if they do not exist.
    ///
    /// # Errors
    /// As [`Database::connect`] and [`Database::migrate`].
    pub async fn open(options: Options) -> Result<Self, Error> {
        let database = Database::open(options).await?;
        database.migrate(PART, MIGRATIONS).await?;
        Ok(Self { database })
    }

    /// Repeats a write until it happens, or the key is not as `expected`.
    async fn turns(
        &self,
        key: &str,
        expected: Option<u64>,
        value: Option<&[u8]>,
    ) -> Result<Result<u64, Conflict>, Error> {
        let client = self.database.client().await?;
        for _ in 0..TURN_COUNT_MAX {
            if let Some(row) = write(&client, key, expected, value).await?.first() {
                return Ok(Ok(unsigned(row.get(0)?)));
            }
            let current = get(&client, key).await?;
            if current.as_ref().map(|entry| entry.revision) != expected {
                return Ok(Err(Conflict { current }));
            }
        }
        let text = format!("state key `{key}`: it came and went {TURN_COUNT_MAX} times");
        Err(Error::new(Kind::Busy, text))
    }
}

/// Writes or, without a value, deletes an entry that is at revision `expected`; else no row.
async fn write(
    client: &Client,
    key: &str,
    expected: Option<u64>,
    value: Option<&[u8]>,
) -> Result<Vec<Row>, Error> {
    // No revision is that high.
    let expected = expected.map(|revision| i64::try_from(revision).unwrap_or(i64::MAX));
    match (expected, value) {
        (None, Some(value)) => client.write(INSERT, &[&key, &value]).await,
        (Some(revision), Some(value)) => client.write(UPDATE, &[&key, &revision, &value]).await,
        (Some(revision), None) => client.write(DELETE, &[&key, &revision]).await,
        (None, None) => Ok(Vec::new()),
    }
}

async fn get(client: &Client, key: &str) -> Result<Option<Entry>, Error> {
    let rows = client.read(GET, &[&key]).await?;
    rows.first().map(|row| entry(row, 0)).transpose()
}

/// Revision and value, from the column at `index` on.
fn entry(row: &Row, index: usize) -> Result<Entry, Error> {
    Ok(Entry { revision: unsigned(row.get(index)?), value: row.get(index + 1)? })
}

/// Revisions begin at 1.
fn unsigned(revision: i64) -> u64 {
    u64::try_from(revision).unwrap_or(0)
}

/// Refuses a key that is too long, or has no form in PostgreSQL.
fn check(key: &str) -> Result<(), Error> {
    check_key(key)?;
    if key.contains('\0') {
        let text = format!("state key {key:?}: PostgreSQL keeps no text with a zero character");
        return Err(Error::new(Kind::Unencodable, text));
    }
    Ok(())
}

#[async_trait]
impl StateStore for Postgres {
    async fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        check(key)?;
        get(&self.database.client().await?, key).await
    }

    async fn compare_and_set(
        &self,
        key: &str,
        expected: Option<u64>,
        value: Vec<u8>,
    ) -> Result<Result<u64, Conflict>, Error> {
        check(key)?;
        check_value(key, &value)?;
        self.turns(key, expected, Some(&value)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, Entry)>, Error> {
        check(prefix)?;
        let client = self.database.client().await?;
        let limit = i64::try_from(LIST_COUNT_MAX).unwrap_or(i64::MAX).saturating_add(1);
        let rows = client.read(LIST, &[&prefix, &limit]).await?;
        if rows.len() > LIST_COUNT_MAX {
            let text = format!(
                "state has more than {LIST_COUNT_MAX} keys under `{prefix}`; list a longer prefix"
            );
            return Err(Error::new(Kind::TooLarge, text));
        }
        rows.iter().map(|row| Ok((row.get(0)?, entry(row, 1)?))).collect()
    }

    async fn delete(&self, key: &str, expected: u64) -> Result<Result<(), Conflict>, Error> {
        check(key)?;
        Ok(self.turns(key, Some(expected), None).await?.map(drop))
    }
}
