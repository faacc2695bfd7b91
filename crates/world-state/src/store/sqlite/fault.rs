//! Failures of SQLite by what a caller can do, in words with the path.

use std::path::Path;

use super::schema::LAYOUT;
use crate::store::StoreError;
use worldbus_service::state::{self, Kind, sqlite_file};

/// `SQLITE_IOERR_FSYNC` and `SQLITE_IOERR_DIR_FSYNC`.
const IOERR_FSYNC: [i32; 2] = [10 | (4 << 8), 10 | (5 << 8)];

/// Why a transaction failed, before it is put into words with the path.
#[derive(Debug)]
pub(in crate::store) enum Fault {
    File(sqlite_file::Fault),
    /// A version that cannot be read.
    Version(StoreError),
}

impl From<sqlite_file::Fault> for Fault {
    fn from(fault: sqlite_file::Fault) -> Self {
        Self::File(fault)
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::File(error.into())
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Version(error)
    }
}

impl Fault {
    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self::File(sqlite_file::Fault::Damaged(what.into()))
    }

    /// A failed fsync, after which nothing that the disk holds is certain.
    pub(super) fn is_final(&self) -> bool {
        let Self::File(sqlite_file::Fault::Sqlite(error)) = self else { return false };
        error.sqlite_error().is_some_and(|error| IOERR_FSYNC.contains(&error.extended_code))
    }

    pub(super) fn into_error(self, path: &Path) -> StoreError {
        match self {
            Self::Version(error) => error,
            // The transaction was rolled back: a quota or `ulimit -f` is like a full disk.
            Self::File(sqlite_file::Fault::Sqlite(error))
                if sqlite_file::is_refused_write(&error) =>
            {
                let text =
                    format!("{} {}: failed to write it ({error})", LAYOUT.name, path.display());
                StoreError::Database(state::Error::new(Kind::Full, text).caused_by(error))
            }
            Self::File(fault) => LAYOUT.error(path, fault).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_sync_is_final_and_a_write_that_the_system_refuses_is_not() {
        let fault = |code| {
            let error = rusqlite::ffi::Error::new(code);
            Fault::from(rusqlite::Error::SqliteFailure(error, None))
        };
        assert!(fault(rusqlite::ffi::SQLITE_IOERR_FSYNC).is_final());
        assert!(fault(rusqlite::ffi::SQLITE_IOERR_DIR_FSYNC).is_final());
        for code in [rusqlite::ffi::SQLITE_FULL, rusqlite::ffi::SQLITE_IOERR_WRITE] {
            assert!(!fault(code).is_final());
            assert!(fault(code).into_error(Path::new("x.db")).may_pass());
        }
    }
}
