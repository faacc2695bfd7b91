//! Failures of SQLite by what a caller can do, in words with the path.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::store::StoreError;
use worldbus_service::state::{self, Kind};

/// `SQLITE_IOERR_WRITE`: the system refused to write, and SQLite has no reason.
const IOERR_WRITE: i32 = 10 | (3 << 8);
/// `SQLITE_IOERR_FSYNC` and `SQLITE_IOERR_DIR_FSYNC`.
const IOERR_FSYNC: [i32; 2] = [10 | (4 << 8), 10 | (5 << 8)];

/// Why a transaction failed, before it is put into words with the path.
#[derive(Debug)]
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    Damaged(String),
    Newer {
        found: i64,
        known: i64,
    },
    /// A version that cannot be read.
    Version(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Version(error)
    }
}

impl Fault {
    /// A failed fsync, after which nothing that the disk holds is certain.
    pub(super) fn is_final(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        error.sqlite_error().is_some_and(|error| IOERR_FSYNC.contains(&error.extended_code))
    }

    pub(super) fn into_error(self, path: &Path) -> StoreError {
        let path = path.display();
        match self {
            Self::Version(error) => error,
            Self::Damaged(what) => StoreError::new(
                Kind::Damaged,
                format!("the world's state {path} is damaged: {what}; restore it from a copy"),
            ),
            Self::Newer { found, known } => StoreError::new(
                Kind::Newer,
                format!(
                    "the world's state {path} has version {found}; this worldbus reads up to \
                     {known}: run the newer worldbus, or choose another --state-database"
                ),
            ),
            Self::Sqlite(error) => {
                let (kind, words) = classify(&error);
                let text = format!("the world's state {path}: {words}");
                StoreError::Database(state::Error::new(kind, text).caused_by(error))
            }
        }
    }
}

fn classify(error: &rusqlite::Error) -> (Kind, String) {
    let writing = error.sqlite_error().is_some_and(|error| error.extended_code == IOERR_WRITE);
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            (Kind::Full, "the disk is full; writes resume automatically".to_owned())
        }
        // The transaction was rolled back: a quota or `ulimit -f` is like a full disk.
        Some(_) if writing => (Kind::Full, format!("failed to write it ({error})")),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (Kind::Busy, "another process holds it; trying again may help".to_owned())
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (
            Kind::Damaged,
            format!("it is damaged or not a world's state ({error}); restore it from a copy"),
        ),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            (Kind::Unopenable, format!("cannot open or write it ({error}); check path and rights"))
        }
        Some(_) => (Kind::Io, format!("the disk failed ({error})")),
        // No SQLite code: a column that is not of the type that we wrote.
        None => (Kind::Damaged, format!("it holds what worldbus did not write ({error})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_sync_is_final_and_a_write_that_the_system_refuses_is_not() {
        let fault = |code| {
            let error = rusqlite::ffi::Error::new(code);
            Fault::Sqlite(rusqlite::Error::SqliteFailure(error, None))
        };
        assert!(fault(rusqlite::ffi::SQLITE_IOERR_FSYNC).is_final());
        assert!(fault(rusqlite::ffi::SQLITE_IOERR_DIR_FSYNC).is_final());
        for code in [rusqlite::ffi::SQLITE_FULL, rusqlite::ffi::SQLITE_IOERR_WRITE] {
            assert!(!fault(code).is_final());
            assert!(fault(code).into_error(Path::new("x.db")).may_pass());
        }
    }
}
