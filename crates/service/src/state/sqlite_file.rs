//! A SQLite file of a service: private to its user, of a layout that is known, its failures by what
//! a caller can do. For the store of small state, and for services with a database of their own.
//! Not here: what is in it, and how it is synced.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{Error, Kind, private};

/// What a file is: how messages name it, and what is in it.
#[derive(Debug)]
pub struct Layout {
    /// Such as `state store`.
    pub name: &'static str,
    /// What a user sets to have another file: `--data-dir`.
    pub setting: &'static str,
    /// Distinguishes our file from another program's; four letters.
    pub application_id: i64,
    /// The version of the layout that this program writes, in SQLite's `user_version`.
    pub version: i64,
    /// Makes the tables.
    pub create: &'static str,
}

/// Why a file cannot be used, before it is put into words with its path.
#[derive(Debug)]
pub enum Fault {
    /// A failure of SQLite.
    Sqlite(rusqlite::Error),
    /// It holds what this program did not write.
    Damaged(String),
    /// It has this version of the layout, which this program does not know yet.
    Newer(i64),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Layout {
    /// Makes a file that is not there, and its directory, for this user alone; refuses what is no
    /// regular file in the place of it or of its journals.
    ///
    /// # Errors
    /// [`Kind::Unopenable`].
    pub fn create_file(&self, path: &Path) -> Result<(), Error> {
        if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            worldbus_files::create_dir(directory).map_err(|error| {
                let text = format!("cannot create the directory {}: {error}", directory.display());
                Error::new(Kind::Unopenable, text).caused_by(error)
            })?;
        }
        for suffix in ["", "-journal", "-wal", "-shm"] {
            let path = with_suffix(path, suffix);
            worldbus_files::check_file(&path).map_err(|error| {
                let advice =
                    format!("put the file itself there, or choose another {}", self.setting);
                let text = format!("cannot use {}: {error}; {advice}", path.display());
                Error::new(Kind::Unopenable, text).caused_by(error)
            })?;
        }
        if let Err(error) = private::create_file(path) {
            // SQLite meets the same, and has the reason.
            tracing::debug!(path = %path.display(), %error, "the file was not created");
        }
        Ok(())
    }

    /// Makes the tables in an empty file, and returns whether it did; refuses a file that is newer,
    /// or another program's. Within a transaction that writes.
    ///
    /// # Errors
    /// [`Fault::Newer`], [`Fault::Damaged`], those of SQLite.
    pub fn prepare(&self, transaction: &Connection) -> Result<bool, Fault> {
        let number =
            |pragma| transaction.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
        let (version, application) = (number("user_version")?, number("application_id")?);
        let tables: i64 =
            transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if (application, version, tables) == (0, 0, 0) {
            transaction.execute_batch(self.create)?;
            transaction.pragma_update(None, "application_id", self.application_id)?;
            transaction.pragma_update(None, "user_version", self.version)?;
            return Ok(true);
        }
        if application == self.application_id && version == self.version {
            return Ok(false);
        }
        Err(match application == self.application_id && version > self.version {
            true => Fault::Newer(version),
            false => Fault::Damaged(format!("it is not a {} of worldbus", self.name)),
        })
    }

    /// A fault of the file at `path` in words, by what a caller can do.
    pub fn error(&self, path: &Path, fault: Fault) -> Error {
        let (place, setting) = (format!("{} {}", self.name, path.display()), self.setting);
        match fault {
            Fault::Damaged(what) => Error::new(
                Kind::Damaged,
                format!("{place} is damaged: {what}; restore it from a copy"),
            ),
            Fault::Newer(version) => {
                let known = self.version;
                let text = format!(
                    "{place} has version {version}; this worldbus reads up to {known}: run the \
                     newer worldbus, or choose another {setting}"
                );
                Error::new(Kind::Newer, text)
            }
            Fault::Sqlite(error) => {
                let (kind, words) = self.classify(&error);
                Error::new(kind, format!("{place}: {words}")).caused_by(error)
            }
        }
    }

    fn classify(&self, error: &rusqlite::Error) -> (Kind, String) {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => {
                (Kind::Full, "the disk is full; writes resume when there is room".to_owned())
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                (Kind::Busy, "another process holds it; trying again may help".to_owned())
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (
                Kind::Damaged,
                format!("it is damaged or not a {} ({error}); restore it from a copy", self.name),
            ),
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                let text = format!("cannot open or write it ({error}); check path and rights");
                (Kind::Unopenable, text)
            }
            Some(_) if is_refused_write(error) => {
                let why = "a fault of the disk, a quota, or the limit of file sizes (`ulimit -f`)";
                (Kind::Io, format!("cannot write it ({error}): {why} is in the way"))
            }
            Some(_) => (Kind::Io, format!("the disk failed ({error})")),
            // No SQLite code: a column that is not of the type that we wrote.
            None => (Kind::Damaged, format!("it holds what worldbus did not write ({error})")),
        }
    }
}

/// A connection to a file, which waits so long for another process that writes.
///
/// # Errors
/// Those of SQLite.
pub fn connect(path: &Path, busy_max: Duration) -> rusqlite::Result<Connection> {
    // Not SQLITE_OPEN_URI: a path with `?` in it is a path.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy_max)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

/// `SQLITE_IOERR_WRITE`: the system refused a write, and SQLite does not have the reason.
pub fn is_refused_write(error: &rusqlite::Error) -> bool {
    const IOERR_WRITE: i32 = 10 | (3 << 8);
    error.sqlite_error().is_some_and(|error| error.extended_code == IOERR_WRITE)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
