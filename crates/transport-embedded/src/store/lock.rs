//! One process at a time: an advisory lock on a file in the directory, and one on the directory
//! itself, so that removing the file lets no second one in. Held while the log is open. The system
//! releases them when the process ends, however it ends.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::store::private;
use worldbus_bus::{Error, Kind};

pub(crate) const FILE: &str = "lock";
/// Bytes of the holder's process id that are shown.
const HOLDER_BYTES_MAX: u64 = 20;

/// The directory is ours as long as it is held.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
    /// `None` where a directory cannot be locked.
    _dir: Option<File>,
}

/// Takes the directory, or fails with who has it.
pub(crate) fn take(dir: &Path) -> Result<Lock, Error> {
    let path = dir.join(FILE);
    let unopenable = |error: std::io::Error| {
        let path = path.display();
        Error::refused(Kind::Invalid, format!("cannot open {path}: {error}; check path and rights"))
    };
    let mut file = private::create_file(&path).map_err(unopenable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use(dir, &mut file)),
        Err(TryLockError::Error(error)) => return Err(unopenable(error)),
    }
    let opened = File::open(dir).ok();
    let held = match opened.as_ref().map(File::try_lock) {
        Some(Err(TryLockError::WouldBlock)) => return Err(in_use(dir, &mut file)),
        Some(Ok(())) => opened,
        // Not every system and file system has locks of directories.
        Some(Err(TryLockError::Error(_))) | None => None,
    };
    // For people only: who holds it.
    let _ = file.set_len(0);
    let _ = write!(file, "{}", std::process::id());
    Ok(Lock { _file: file, _dir: held })
}

fn in_use(dir: &Path, file: &mut File) -> Error {
    let mut holder = String::new();
    let _ = file.rewind();
    #[allow(clippy::disallowed_methods, reason = "limited by take")]
    let _ = file.take(HOLDER_BYTES_MAX).read_to_string(&mut holder);
    let holder = match holder.trim() {
        "" => String::new(),
        pid => format!(" (process {pid})"),
    };
    let dir = dir.display();
    Error::refused(
        Kind::InUse,
        format!(
            "the data directory {dir} is in use by another process{holder}; stop that one, \
             connect to it by its http:// address, or choose another --data-dir"
        ),
    )
}
