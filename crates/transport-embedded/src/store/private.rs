//! Who may read what is stored: only the user that runs the process. A log holds all
//! that its world's services and players did. On Windows a folder's own rights decide.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Creates a directory and those above it that are missing, for this user alone. One that is there
/// stays as it is.
pub(crate) fn create_dir(dir: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Refuses a name at which there is something else than a file: through a link another's file would
/// be changed, and a FIFO would be waited for.
pub(crate) fn check_file(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => {
            let kind = if found.is_symlink() { "a symbolic link" } else { "not a regular file" };
            Err(io::Error::new(io::ErrorKind::InvalidInput, kind))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Opens a file to write, creating it for this user alone; what is there and no file is refused.
/// SQLite gives the files next to a database the rights that the database has.
pub(crate) fn create_file(path: &Path) -> io::Result<File> {
    check_file(path)?;
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Takes the rights of others to what an older version created: of files, and of a directory that
/// holds nothing else. What is missing is left out; what belongs to another user stays as it is,
/// with a warning.
pub(crate) fn tighten(dir: &Path, files: &[&Path]) {
    #[cfg(unix)]
    {
        files.iter().for_each(|file| unix::tighten(file, 0o600));
        if unix::holds_only(dir, files) {
            unix::tighten(dir, 0o700);
        }
    }
    #[cfg(not(unix))]
    let _ = (dir, files);
}

#[cfg(unix)]
mod unix {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    /// Rights of group and others.
    const OTHERS: u32 = 0o077;

    pub(super) fn tighten(path: &Path, mode: u32) {
        let Ok(metadata) = std::fs::metadata(path) else { return };
        if metadata.permissions().mode() & OTHERS == 0 {
            return;
        }
        if let Err(error) = std::fs::set_permissions(path, Permissions::from_mode(mode)) {
            let path = path.display();
            tracing::warn!(%path, %error, "others may read this; run `chmod go= {path}`");
        }
    }

    /// Whether no other user keeps anything in this directory, e.g. in a home or in `/tmp`.
    pub(super) fn holds_only(dir: &Path, files: &[&Path]) -> bool {
        let Ok(mut entries) = std::fs::read_dir(dir) else { return false };
        entries.all(|entry| entry.is_ok_and(|entry| files.contains(&entry.path().as_path())))
    }
}
