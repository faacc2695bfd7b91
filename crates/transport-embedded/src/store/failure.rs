//! Why the store failed, sorted by what follows from it; an error names the file.

pub(crate) mod space;

use std::path::Path;

use rusqlite::ErrorCode;

use worldbus_bus::{Error, Fate, Kind};

/// A failure of the store, before it is put into words with the path.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// No space is left. Rolled back; it may succeed later.
    Full(String),
    /// Another program holds a lock on the file. Rolled back; it may succeed later.
    Busy(String),
    /// A write was refused for a reason that SQLite does not pass on; [`Failure::sorted`] finds it.
    Write(String),
    /// Reading or writing failed. After a failed fsync it is unknown what the disk has.
    Io(String),
    /// What is stored is not what was written.
    Damaged(String),
    /// What is stored in the fold does not follow from the journal, which is whole.
    Fold(String),
    /// It was written by a newer version: what has which format, and which is known here.
    Newer(String),
}

/// `SQLITE_IOERR_SHMSIZE`: the wal-index could not grow, which is how a full disk may show.
const IOERR_SHMSIZE: i32 = 10 | (19 << 8);
/// `SQLITE_IOERR_WRITE`: a write failed, and not for a full disk: a quota, a limit, or a fault.
const IOERR_WRITE: i32 = 10 | (3 << 8);

/// `ENFILE` and `EMFILE`: no file could be opened, now.
const FILES_OPEN: [i32; 2] = [23, 24];

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let extended = error.sqlite_error().map(|error| error.extended_code);
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(error.to_string()),
            Some(_) if extended == Some(IOERR_SHMSIZE) => Self::Full(error.to_string()),
            Some(_) if extended == Some(IOERR_WRITE) => Self::Write(error.to_string()),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Busy(error.to_string())
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged(error.to_string())
            }
            // SQLITE_ERROR: our own statements do not fit what is there.
            Some(ErrorCode::Unknown) => Self::Damaged(error.to_string()),
            Some(_) => Self::Io(error.to_string()),
            // A row or a column that is not of the kind that we wrote.
            None => Self::Damaged(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::Full(error.to_string())
            }
            std::io::ErrorKind::FileTooLarge => {
                Self::Full(format!("{error}: the limit of file sizes, `ulimit -f`"))
            }
            _ if error.raw_os_error().is_some_and(|code| FILES_OPEN.contains(&code)) => {
                Self::Full(format!("{error}: the limit of open files, `ulimit -n`"))
            }
            _ => Self::Io(error.to_string()),
        }
    }
}

impl Failure {
    /// A write that was refused is for lack of space if so many bytes more have none, else
    /// a failure of the disk.
    pub(crate) fn sorted(self, file: &Path, bytes: u64) -> Self {
        match self {
            Self::Write(why) => match space::look_for(file, bytes).map_err(Self::from) {
                Err(Self::Full(limit)) => Self::Full(limit),
                _ => Self::Io(why),
            },
            other => other,
        }
    }

    /// What is wrong with a fold: the journal has all that it needs to be made again.
    pub(crate) fn of_fold(self) -> Self {
        match self {
            Self::Damaged(what) => Self::Fold(what),
            other => other,
        }
    }

    /// What is wrong with a log that SQLite has alone.
    pub(crate) fn of_old_log(self) -> Self {
        match self {
            Self::Fold(what) | Self::Damaged(what) => Self::Damaged(format!("log.db: {what}")),
            other => other,
        }
    }

    /// With the name of the file that it is about.
    pub(crate) fn within(self, name: &str) -> Self {
        let at = |why| format!("{name}: {why}");
        match self {
            Self::Full(why) => Self::Full(at(why)),
            Self::Busy(why) => Self::Busy(at(why)),
            Self::Write(why) => Self::Write(at(why)),
            Self::Io(why) => Self::Io(at(why)),
            Self::Damaged(what) => Self::Damaged(at(what)),
            Self::Fold(what) => Self::Fold(at(what)),
            newer @ Self::Newer(_) => newer,
        }
    }

    /// The error for callers. `fate` is that of an I/O error: a commit may have happened, a
    /// read did not.
    pub(crate) fn to_error(&self, file: &Path, fate: Fate) -> Error {
        let file = file.display();
        match self {
            Self::Full(why) => Error::retry(
                Kind::Full,
                format!("no space to write {file} ({why}); make room; writes resume automatically"),
            ),
            Self::Busy(why) => Error::retry(
                Kind::InUse,
                format!(
                    "another program has {file} open ({why}); close it; writes resume automatically"
                ),
            ),
            Self::Write(why) | Self::Io(why) => Error::unknown(
                Kind::Unavailable,
                format!("the disk failed at {file} ({why}); check the disk and start again"),
            )
            .with_fate(fate),
            Self::Damaged(what) => Error::refused(
                Kind::Damaged,
                format!("{file} is damaged: {what}; restore the directory from a copy"),
            ),
            Self::Fold(what) => Error::refused(
                Kind::Damaged,
                format!(
                    "{file}: log.db does not fit the segments next to it: {what}; move log.db \
                     away, with its -wal and -shm, and it is made again from the segments"
                ),
            ),
            Self::Newer(formats) => Error::refused(
                Kind::Invalid,
                format!(
                    "{file} was written by a newer worldbus ({formats}): upgrade, or choose \
                     another --data-dir"
                ),
            ),
        }
    }
}

/// The error of every call after `close`.
pub(crate) fn closed() -> Error {
    Error::refused(Kind::Closed, "the bus was closed; connect again")
}
