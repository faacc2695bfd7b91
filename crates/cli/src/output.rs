//! What people and scripts see of a command: its result, its failure, and text that does not steer
//! a terminal.

pub(crate) mod color;
pub(crate) mod failure;
pub(crate) mod format;
pub(crate) mod table;
pub(crate) mod terminal;

use std::io::{self, Write as _};

/// Writes a result to standard output, whole.
pub(crate) fn page(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
