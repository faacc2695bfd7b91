//! Who may read the file: the user that runs the process, and no one else. SQLite gives the journal
//! next to it the rights that the file has.
#![allow(clippy::disallowed_methods, reason = "this is the adapter to the disk")]

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use worldbus_files::tighten;

/// Creates the file for this user alone, or takes the rights of others to one that an older
/// version created. One that is there is not opened: closing it would end the locks that SQLite
/// has on it in this process (<https://www.sqlite.org/howtocorrupt.html> section 2.2).
pub(super) fn create_file(path: &Path) -> io::Result<()> {
    /// So that one that another thread has just created is closed, too, before SQLite locks it.
    static CREATING: Mutex<()> = Mutex::new(());
    let _alone = CREATING.lock().unwrap_or_else(PoisonError::into_inner);
    if path.try_exists()? {
        tighten(path);
        return Ok(());
    }
    let mut options = std::fs::OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        opened => opened.map(drop),
    }
}
