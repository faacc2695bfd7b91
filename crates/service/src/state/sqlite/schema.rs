//! The layout of the file and its version. Changing it means a new version and a migration.

use rusqlite::Connection;

use super::Failure;

/// The layout that this code writes, in SQLite's `user_version`.
pub(super) const VERSION: i64 = 1;

/// "WbSt": distinguishes our file from another program's.
const APPLICATION_ID: i64 = 0x5762_5374;

const CREATE: &str = "
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
";

/// Settings of the connection, before the first transaction.
pub(super) fn configure(connection: &Connection) -> Result<(), Failure> {
    // TRUNCATE with FULL: the journal is emptied and fsynced at commit, so the commit is durable
    // without an fsync of the directory (https://www.sqlite.org/pragma.html#pragma_synchronous).
    connection.pragma_update(None, "journal_mode", "TRUNCATE")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(())
}

/// Creates the tables in an empty file; refuses a file that is newer, or not ours.
pub(super) fn prepare(transaction: &Connection) -> Result<(), Failure> {
    let number = |pragma| transaction.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let (version, application) = (number("user_version")?, number("application_id")?);
    let tables: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application, version, tables) {
        (0, 0, 0) => {
            transaction.execute_batch(CREATE)?;
            super::rows::write_total(transaction, &super::rows::Total::default())?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            Ok(())
        }
        (APPLICATION_ID, version, _) if version > VERSION => Err(Failure::Newer(version)),
        (APPLICATION_ID, VERSION, _) => Ok(()),
        _ => Err(Failure::Damaged("it is not a state store of worldbus".to_owned())),
    }
}
