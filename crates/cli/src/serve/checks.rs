//! What is wrong with a configuration although each value is of its type: found before anything is
//! opened or made, so that `--print-config` refuses what a start would. Not here: what shows only
//! when it is opened.

use std::time::Duration;

use anyhow::Result;

use super::ground::{self, state};
use crate::output::failure::WrongUse;
use worldbus_service::access::Access;
use worldbus_service::config::{Common, Loaded, Resolved, Settings};
use worldbus_service::start;
use worldbus_simulated::Lead;
use worldbus_world::World;

/// The settings of a command that serves.
pub(super) trait Serving: Settings {
    /// What the check leaves for the start; `()` if nothing.
    type Checked;

    fn common(&self) -> &Common;

    /// Checks what is not common to all.
    fn check(&self, from: &Resolved, world: &World) -> Result<Self::Checked>;
}

/// The world that the settings name, if nothing is wrong with it and with them.
pub(super) fn check<S: Serving>(loaded: &Loaded<S>) -> Result<(World, S::Checked)> {
    let common = loaded.settings.common();
    Access::new(common.listen, common.api_key.clone())?;
    state::check(common)?;
    let world = ground::world(common.world.as_deref())?;
    let checked = loaded.settings.check(&loaded.resolved, &world);
    let checked = checked.map_err(|error| with_origin(error, &loaded.resolved))?;
    Ok((world, checked))
}

/// The lead that a setting means.
pub(super) fn lead(lead_ms: u64) -> Result<Lead, start::Error> {
    Lead::new(Duration::from_millis(lead_ms))
}

/// A setting that is out of its range names the place to correct.
fn with_origin(error: anyhow::Error, from: &Resolved) -> anyhow::Error {
    match error.downcast_ref() {
        Some(start::Error::Setting { name, expected }) => {
            WrongUse(from.out_of_range(name, expected).to_string()).into()
        }
        _ => error,
    }
}
