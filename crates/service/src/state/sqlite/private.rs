//! Who may read the file: the user that runs the process, and no one else. SQLite gives the journal
//! next to it the rights that the file has. On Windows a folder's own rights say who may.
#![allow(clippy::disallowed_methods, reason = "this is the adapter to the disk")]

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Creates a directory and those above it that are missing, for this user alone. One that is there
/// stays as it is: others may keep theirs in it.
pub(super) fn create_dir(dir: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Refuses a name at which there is something else than a file: through a link another's file would
/// be changed, and a FIFO would be waited for.
pub(super) fn check_file(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => {
            let kind = if found.is_symlink() { "a symbolic link" } else { "not a regular file" };
            Err(io::Error::new(io::ErrorKind::InvalidInput, kind))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

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

#[cfg(unix)]
fn tighten(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    let metadata = std::fs::metadata(path);
    // A folder is not ours; SQLite reports it.
    let others = metadata.is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o077 != 0);
    if !others {
        return;
    }
    if let Err(error) = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)) {
        let path = path.display();
        tracing::warn!(%path, %error, "others may read this; run `chmod go= {path}`");
    }
}

#[cfg(not(unix))]
fn tighten(_: &Path) {}
