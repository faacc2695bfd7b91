//! What only the embedded log can show; the contract is in `conformance`, crashes in `kill`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

use std::path::Path;

mod bounds;
mod clocks;
mod damage;
mod deleting;
mod embedded;
mod expiry;
mod order;
mod readers;
mod resuming;
mod segments;

/// What a process that is killed now leaves of a log.
fn copy_of(dir: &Path) -> tempfile::TempDir {
    // Segments go while they are copied: then it is begun again.
    loop {
        let copy = tempfile::tempdir().unwrap();
        if try_copy(dir, copy.path()).is_ok() {
            return copy;
        }
    }
}

/// First the fold, so that it is not ahead.
fn try_copy(dir: &Path, copy: &Path) -> std::io::Result<()> {
    for is_fold in [true, false] {
        let entries = std::fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name()));
        let names = entries.collect::<std::io::Result<Vec<_>>>()?;
        let mut names: Vec<&str> = names.iter().filter_map(|name| name.to_str()).collect();
        names.retain(|name| name.starts_with("log.db") == is_fold);
        names.retain(|name| !name.ends_with(".new") && !name.ends_with("-shm") && *name != "lock");
        names.sort_unstable();
        for name in names {
            std::fs::copy(dir.join(name), copy.join(name))?;
        }
    }
    Ok(())
}
