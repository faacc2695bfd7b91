//! The catalogue that a command works with: Worldbus's own event types, and the studios' from the
//! files of `--catalog`.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use worldbus_events::Catalogue;

use crate::failure::WrongUse;

/// Bytes read of a file: more than a catalogue takes, so that it says what is too large.
const FILE_BYTES_MAX: u64 = 17 << 20;

/// Worldbus's own event types and those of `files`.
pub(crate) fn load(files: &[PathBuf]) -> Result<Arc<Catalogue>> {
    let whole = files.iter().try_fold(Catalogue::builtin(), |catalogue, path| {
        add(catalogue, path).with_context(|| format!("catalogue {}", path.display()))
    });
    whole.map(Arc::new)
}

fn add(catalogue: Catalogue, path: &Path) -> Result<Catalogue> {
    let bytes = read(path).map_err(|error| WrongUse(error.to_string()))?;
    let catalogue = catalogue.with_descriptor_set(&bytes);
    Ok(catalogue.map_err(|error| WrongUse(error.to_string()))?)
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}
