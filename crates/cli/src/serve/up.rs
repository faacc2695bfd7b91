//! `worldbus up`: every service and the bus, in one process.

use std::process::ExitCode;

use anyhow::Result;

use super::checks::{Serving, lead};
use super::ground::{Ground, kept_world, state};
use super::own_bus::{self, OwnBus};
use super::services::{Checked, SERVICES, ServiceSettings, all_descriptions};
use super::settings::{Retention, WorldSettings};
use super::{ServeArguments, Start, banner, event_bus, event_types, load, serve};
use crate::session::catalogue;
use crate::settings::StudioTypes;
use worldbus_service::config::{Common, Resolved};
use worldbus_service::settings;
use worldbus_simulated::{EventTypes, Setup};
use worldbus_world::World;

settings! {
    /// Settings of `worldbus up`: everything in one process.
    pub(crate) struct Up {
        ..common: Common { listen: "127.0.0.1:7070" },
        ..retention: Retention {},
        ..of_world: WorldSettings { lead_ms: "0" },
        ..types: StudioTypes {},
        ..services: ServiceSettings {},
    }
}

/// What the help of `worldbus up` ends with.
pub(crate) const HELP: &str = "\
Examples:
  worldbus up
  worldbus up --world worlds/europe.toml --data-dir /var/lib/worldbus
  WORLDBUS_API_KEY=… worldbus up --listen 0.0.0.0:7070

With port 0 the system chooses one; the line `listening on http://…` names it. The same data
directory continues the same world, at the time that it should be by then.";

/// Runs the command.
pub(crate) async fn run(arguments: &ServeArguments<Up>) -> Result<ExitCode> {
    let Some(Start { loaded, world, checked: services }) = load(&arguments.flags)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let (settings, common) = (&loaded.settings, &loaded.settings.common);
    let ground = Ground::prepare("worldbus", common, world, &loaded.warnings).await?;
    let catalogue = catalogue::load(&settings.types.catalog)?;
    let dir = own_bus::dir("worldbus up", &loaded.resolved, common)?;
    let state = state::open(common).await?;
    let registry = event_types::registry(&state, catalogue).await?;
    let catalogue = registry.shared();
    let own = OwnBus::open(dir, &settings.retention, catalogue).await?;
    kept_world::check(&*state, &ground.world, settings.of_world.accept_world_changes).await?;
    let setup = Setup {
        deps: ground.deps(own.bus.clone(), state, state::database(common)?),
        world: ground.world.clone(),
        lead: lead(settings.of_world.lead_ms)?,
        event_types: EventTypes::new(catalogue.clone(), None),
    };
    let mut parts = Vec::new();
    for service in services {
        parts.push(service.start(setup.clone()).await?);
    }
    let event_bus = event_bus::part(&ground, &own.bus, registry).await;
    parts.push(event_bus.with_task(own.watch(&ground)));
    banner::up(&ground, common, &all_descriptions().collect::<Vec<_>>(), arguments.format);
    serve(ground, own.bus, parts).await
}

impl Serving for Up {
    type Checked = Vec<Box<dyn Checked>>;

    fn common(&self) -> &Common {
        &self.common
    }

    fn check(&self, from: &Resolved, world: &World) -> Result<Self::Checked> {
        self.retention.check()?;
        own_bus::dir("worldbus up", from, &self.common)?;
        lead(self.of_world.lead_ms)?;
        SERVICES.iter().map(|service| service.check(from, world)).collect()
    }
}
