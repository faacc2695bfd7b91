//! What only the embedded log can show; the contract is in `conformance`, crashes in `kill`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

use std::path::Path;

mod bounds;
mod clocks;
mod damage;
mod deleting;
mod embedded;
mod expiry;
mod readers;
mod resuming;
mod segments;

/// What a process that is killed now leaves of a log: first the fold, so that it is not ahead.
fn copy_of(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| !name.ends_with(".new") && !name.ends_with("-shm") && name != "lock");
    names.sort_unstable_by_key(|name| (!name.starts_with("log.db"), name.clone()));
    for name in names {
        std::fs::copy(dir.join(&name), copy.path().join(&name)).unwrap();
    }
    copy
}
