//! The names of the files that lie next to the database.

use std::path::{Path, PathBuf};

/// The file next to the database with this suffix.
pub(crate) fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
