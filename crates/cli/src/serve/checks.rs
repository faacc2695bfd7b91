//! What is wrong with a configuration although each value is of its type: found before anything is
//! opened or made, so that `--print-config` refuses what a start would. Not here: what shows only
//! when it is opened.

use std::time::Duration;

use anyhow::Result;

use super::source::Source;
use super::{ground, own_bus, state};
use crate::output::failure::WrongUse;
use crate::session::connection;
use crate::settings;
use worldbus_service::access::Access;
use worldbus_service::config::{Common, Loaded, Resolved, Settings};
use worldbus_service::start;
use worldbus_simulated::Lead;
use worldbus_time_manager::check_cadence;
use worldbus_world::World;

/// The settings of a command that serves.
pub(super) trait Serving: Settings {
    fn common(&self) -> &Common;

    /// Checks what is not common to all.
    fn check(&self, from: &Resolved, world: &World) -> Result<()>;
}

/// The world that the settings name, if nothing is wrong with it and with them.
pub(super) fn check<S: Serving>(loaded: &Loaded<S>) -> Result<World> {
    let common = loaded.settings.common();
    Access::new(common.listen, common.api_key.clone())?;
    state::check(&common.state_url)?;
    let world = ground::world(common.world.as_deref())?;
    loaded.settings.check(&loaded.resolved, &world)?;
    Ok(world)
}

impl Serving for settings::Up {
    fn common(&self) -> &Common {
        &self.common
    }

    fn check(&self, from: &Resolved, world: &World) -> Result<()> {
        self.retention.check()?;
        own_bus::dir("worldbus up", from, &self.common)?;
        check_lead(self.lead_ms)?;
        check_cadence(self.cadence_game_minutes, world).map_err(wrong)
    }
}

impl Serving for settings::EventBus {
    fn common(&self) -> &Common {
        &self.common
    }

    fn check(&self, from: &Resolved, _: &World) -> Result<()> {
        self.retention.check()?;
        Source::check(self)?;
        own_bus::dir_of_event_bus(from, &self.common)?;
        Ok(())
    }
}

impl Serving for settings::TimeManager {
    fn common(&self) -> &Common {
        &self.common
    }

    fn check(&self, _: &Resolved, world: &World) -> Result<()> {
        connection::parse(&self.common.url)?;
        check_lead(self.lead_ms)?;
        check_cadence(self.cadence_game_minutes, world).map_err(wrong)
    }
}

impl Serving for settings::WeatherManager {
    fn common(&self) -> &Common {
        &self.common
    }

    fn check(&self, _: &Resolved, _: &World) -> Result<()> {
        connection::parse(&self.common.url)?;
        check_lead(self.lead_ms)
    }
}

fn check_lead(lead_ms: u64) -> Result<()> {
    Lead::new(Duration::from_millis(lead_ms)).map_err(wrong)?;
    Ok(())
}

fn wrong(error: start::Error) -> anyhow::Error {
    WrongUse(error.to_string()).into()
}
