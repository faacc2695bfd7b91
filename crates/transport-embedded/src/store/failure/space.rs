//! Whether the disk of the log has space, found by taking it: quotas and reservations differ from
//! what a file system reports as free.

use std::io::{self, Read as _};
use std::path::Path;

use crate::store::path::with_suffix;
use crate::store::private;

/// A log that was full is writable again from so much space on, or as much as a commit lacked.
pub(crate) const SPACE_BYTES_MIN: u64 = 256 << 10;

/// The file that takes the space, next to the log, for a moment.
const SUFFIX: &str = ".room";

/// Takes so many bytes next to the log and gives them back, and so much more of its files than they
/// have, which takes nothing: a limit of file sizes counts from their beginning.
///
/// # Errors
/// Those of the disk: there is no such space.
pub(crate) fn look_for(file: &Path, bytes: u64) -> io::Result<()> {
    let room = with_suffix(file, SUFFIX);
    let taken = private::create_file(&room).and_then(|mut taken| {
        taken.set_len(longest(file).saturating_add(bytes))?;
        taken.set_len(0)?;
        io::copy(&mut io::repeat(0).take(bytes), &mut taken)?;
        // A file system that allocates late finds out here.
        taken.sync_data()
    });
    // One that a kill leaves behind is overwritten by the next look.
    let given_back = std::fs::remove_file(&room);
    taken.and(given_back)
}

/// Bytes of the longer one of the log and its write-ahead log.
fn longest(file: &Path) -> u64 {
    let files = [file.to_owned(), with_suffix(file, "-wal")];
    let bytes = files.iter().filter_map(|file| Some(std::fs::metadata(file).ok()?.len()));
    bytes.max().unwrap_or(0)
}
