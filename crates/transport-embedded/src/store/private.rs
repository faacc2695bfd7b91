//! Who may read a log: only the user that runs the process. A log holds all that its world's
//! services and players did.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use worldbus_files::{check_file, tighten};

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
/// holds nothing else, unlike a home or `/tmp`.
pub(crate) fn tighten_all(dir: &Path, files: &[&Path]) {
    files.iter().for_each(|file| tighten(file));
    let Ok(mut entries) = std::fs::read_dir(dir) else { return };
    if entries.all(|entry| entry.is_ok_and(|entry| files.contains(&entry.path().as_path()))) {
        tighten(dir);
    }
}
