//! The floor: what the disk itself takes to append a page and make it durable.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;

const PAGE_BYTES: usize = 4096;

/// Microseconds of each append and fdatasync.
pub(crate) fn append_and_sync(folder: &Path, times: u64) -> Result<Vec<f64>> {
    let mut file = File::create(folder.join("floor"))?;
    let page = [7u8; PAGE_BYTES];
    let mut micros = Vec::with_capacity(times as usize);
    for _ in 0..times {
        let begun = Instant::now();
        file.write_all(&page)?;
        file.sync_data()?;
        micros.push(begun.elapsed().as_nanos() as f64 / 1000.0);
    }
    Ok(micros)
}
