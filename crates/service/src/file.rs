//! Reading a file that a person named: a regular one, up to a bound. A FIFO would be waited for,
//! and a device read until memory ends. A link to a file is one: Kubernetes mounts them.
//!
//! Not for: the files that we write, which are of the log and of the state store.
#![allow(clippy::disallowed_methods, reason = "this is the adapter to the disk")]

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The bytes of a regular file of at most so many.
///
/// # Errors
/// The operating system's; also for what is no regular file, before it is opened, and for one
/// that is longer.
pub fn read(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        let found = format!("it has more than {bytes_max} bytes, the most that are read");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, found));
    }
    Ok(bytes)
}

/// The same for text in UTF-8.
///
/// # Errors
/// As [`read`], and for what is no UTF-8.
pub fn read_text(path: &Path, bytes_max: u64) -> io::Result<String> {
    let text = String::from_utf8(read(path, bytes_max)?);
    text.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_is_read_up_to_its_bound_and_what_is_none_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(read_text(&file, 5).unwrap(), "12345");
        assert_eq!(read(&file, 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        std::fs::write(&file, b"\xff").unwrap();
        assert_eq!(read_text(&file, 5).unwrap_err().kind(), io::ErrorKind::InvalidData);
        for path in [Path::new("/dev/zero"), directory.path()] {
            let refused = read(path, 5).unwrap_err();
            assert_eq!(refused.to_string(), "it is not a regular file", "{}", path.display());
        }
    }
}
