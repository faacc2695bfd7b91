//! Migrations: named steps that only go forward, applied once each and written down in a table.
//!
//! ```text
//! worldbus_migration: part    | number | name                  | applied_at
//!                     state   |      1 | entries and revisions | …
//! ```
//! An advisory lock of the database is held while they are applied, so that of several processes
//! that start at once one does it, and the others find it done.

use crate::address::Options;
use crate::client::Client;
use crate::connection::quoted;
use crate::limits::MIGRATION_MAX;
use crate::row::Row;
use worldbus_service::state::{Error, Kind};

/// The advisory lock: "Worldbus" in ASCII. Others of the database have other numbers.
const LOCK: i64 = 0x576f_726c_6462_7573;

const IS_THERE: &str = "SELECT to_regclass('worldbus_migration') IS NOT NULL";
const SCHEMA_IS_THERE: &str = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)";
const CREATE: &str = "CREATE TABLE IF NOT EXISTS worldbus_migration (
    part text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (part, number)
)";
const APPLIED: &str = "SELECT name FROM worldbus_migration WHERE part = $1 ORDER BY number";
const NOTE: &str = "INSERT INTO worldbus_migration (part, number, name) VALUES ($1, $2, $3)";
const TAKE_LOCK: &str = "SELECT pg_advisory_xact_lock($1)";

/// A step. Once released neither its name nor its SQL changes: what is wrong with it is mended by
/// the next.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// What it does, in a few words.
    pub name: &'static str,
    /// Its statements.
    pub sql: &'static str,
}

/// Applies what is missing.
pub(crate) async fn run(
    client: &mut Client,
    options: &Options,
    part: &str,
    migrations: &[Migration],
) -> Result<(), Error> {
    // First without writing: a database that is up to date may be read-only for now.
    if flag(&client.read(IS_THERE, &[]).await?)? {
        let applied = client.read(APPLIED, &[&part]).await?;
        if missing(options, part, &applied, migrations)?.is_empty() {
            return Ok(());
        }
    }

    let transaction = client.transaction().await?;
    let max_ms = MIGRATION_MAX.as_millis();
    transaction.batch(&format!("SET LOCAL statement_timeout = {max_ms}"), MIGRATION_MAX).await?;
    transaction.query_within(TAKE_LOCK, &[&LOCK], MIGRATION_MAX).await?;
    if !flag(&transaction.query(SCHEMA_IS_THERE, &[&options.schema]).await?)? {
        let create = format!("CREATE SCHEMA {}", quoted(&options.schema));
        transaction.batch(&create, MIGRATION_MAX).await?;
    }
    transaction.batch(CREATE, MIGRATION_MAX).await?;

    let applied = transaction.query(APPLIED, &[&part]).await?;
    let missing = missing(options, part, &applied, migrations)?;
    for (number, migration) in (applied.len() + 1..).zip(missing) {
        transaction.batch(migration.sql, MIGRATION_MAX).await?;
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        transaction.query(NOTE, &[&part, &number, &migration.name]).await?;
    }
    transaction.commit().await?;
    for migration in missing {
        tracing::info!(part, migration = migration.name, "migrated {}", options.name());
    }
    Ok(())
}

fn flag(rows: &[Row]) -> Result<bool, Error> {
    rows.first().map_or(Ok(false), |row| row.get(0))
}

/// Those behind what is applied; refuses what is not the beginning of ours.
fn missing<'m>(
    options: &Options,
    part: &str,
    applied: &[Row],
    migrations: &'m [Migration],
) -> Result<&'m [Migration], Error> {
    let names = applied.iter().map(|row| row.get(0)).collect::<Result<Vec<&str>, Error>>()?;
    let place =
        || format!("tables of `{part}` in schema `{}` of {}", options.schema, options.name());
    let ours = migrations.iter().map(|migration| migration.name);
    if let Some((found, expected)) = names.iter().zip(ours).find(|(found, ours)| **found != *ours) {
        let text = format!(
            "{}: migration `{found}` stands where this worldbus has `{expected}`; choose another \
             schema by ?schema=NAME",
            place()
        );
        return Err(Error::new(Kind::Damaged, text));
    }
    migrations.get(names.len()..).ok_or_else(|| {
        let text = format!(
            "{} have {} migrations, the last is `{}`; this worldbus knows {}: run the newer \
             worldbus, or choose another schema by ?schema=NAME",
            place(),
            names.len(),
            names.last().unwrap_or(&""),
            migrations.len()
        );
        Error::new(Kind::Newer, text)
    })
}
