//! The catalogue that a command works with: Worldbus's own event types, the studios' from the files
//! of `--catalog`, and those that a bus knows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};

use crate::output::failure::WrongUse;
use crate::session::connection;
use worldbus_bus::{Bus, Kind, StudioTypes};
use worldbus_events::Catalogue;
use worldbus_service::file;

/// Bytes read of a file: more than a catalogue takes, so that it reports what is too large.
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
    let catalogue = catalogue.joined(&bytes);
    Ok(catalogue.map_err(|error| WrongUse(error.to_string()))?)
}

/// `own` and what the bus at `url` knows.
pub(crate) async fn of_bus(url: &str, bus: &Bus, own: &Arc<Catalogue>) -> Result<Arc<Catalogue>> {
    let types = match bus.transport().studio_types().await {
        Ok(types) => types,
        // An older event-bus, or more than it hands out: what is not known is shown by number.
        Err(error) if matches!(error.kind(), Kind::Unsupported | Kind::TooLarge) => {
            tracing::warn!(%error, "event types of the bus not read");
            return Ok(Arc::clone(own));
        }
        Err(error) => return Err(connection::explain(url, error)),
    };
    let joined = joined(own, &types).map_err(|error| {
        let advice = "leave out --catalog, or correct its file";
        WrongUse(format!("the event types of {url} and of --catalog conflict: {error}; {advice}"))
    });
    Ok(Arc::new(joined?))
}

/// A catalogue with the event types that a bus knows.
pub(crate) fn joined(
    own: &Catalogue,
    types: &StudioTypes,
) -> Result<Catalogue, worldbus_events::Error> {
    own.joined(&types.configured)?.joined(&types.registered)
}

/// The bytes of a descriptor set.
pub(crate) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    file::read(path, FILE_BYTES_MAX)
}
