//! Whether the disk of the log has space, found by taking it: quotas and reservations differ from
//! what a file system says is free.

use std::io::{self, Read as _};
use std::path::Path;

use crate::private;
use crate::store::beside;

/// The file that takes the space, beside the log, for a moment.
const SUFFIX: &str = ".room";

/// Takes so many bytes beside a file and gives them back.
///
/// # Errors
/// Those of the disk: there is no such space.
pub(super) fn look_for(file: &Path, bytes: u64) -> io::Result<()> {
    let room = beside(file, SUFFIX);
    let taken = private::create_file(&room).and_then(|mut taken| {
        io::copy(&mut io::repeat(0).take(bytes), &mut taken)?;
        // A file system that allocates late finds out here.
        taken.sync_data()
    });
    // One that a kill leaves behind is overwritten by the next look.
    let given_back = std::fs::remove_file(&room);
    taken.and(given_back)
}
