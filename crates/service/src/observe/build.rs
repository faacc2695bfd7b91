//! Which build runs, as `/version` and a metric show it.
//!
//! The program states it at start: were it compiled into this crate, each commit would compile all
//! that stands on it once more.

use std::sync::OnceLock;

static COMMIT: OnceLock<&'static str> = OnceLock::new();

/// States the commit that the program was built from. The first statement holds.
pub fn set_commit(commit: &'static str) {
    let _ = COMMIT.set(commit);
}

/// The commit, when the program knows it.
pub(super) fn commit() -> Option<&'static str> {
    COMMIT.get().copied()
}
