//! The command of a service of a world: that service alone, over the event-bus of another process.

mod waiting;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;

use super::checks::{Serving, lead};
use super::event_types::BusTypes;
use super::ground::{Ground, kept_world, state};
use super::settings::WorldSettings;
use super::{ServeArguments, Start, banner, load, not_started, serve};
use crate::session::{catalogue, connection};
use crate::settings::StudioTypes;
use worldbus_service::config::{Common, Error, Resolved, Setting, Settings};
use worldbus_simulated::{EventTypes, Service, Setup};
use worldbus_world::World;

/// The bus of a service by default.
const URL: &str = "http://127.0.0.1:7070";

/// Settings of the command of a service.
pub(super) struct Alone<S: Service> {
    common: Common,
    of_world: WorldSettings,
    /// If it works on event types of studios.
    types: Option<StudioTypes>,
    own: S::Settings,
}

impl<S: Service> Settings for Alone<S> {
    const ABOUT: &'static str = S::DESCRIPTION.about;

    fn declare() -> Vec<Setting> {
        let listen = format!("127.0.0.1:{}", S::DESCRIPTION.port);
        let mut declared = Common::declare_with(&[("listen", listen), ("url", URL.to_owned())]);
        declared.extend(WorldSettings::declare());
        if S::DESCRIPTION.studio_types {
            declared.extend(StudioTypes::declare());
        }
        declared.extend(S::Settings::declare());
        declared
    }

    fn from_resolved(resolved: &Resolved) -> Result<Self, Error> {
        Ok(Self {
            common: Common::from_resolved(resolved)?,
            of_world: WorldSettings::from_resolved(resolved)?,
            types: match S::DESCRIPTION.studio_types {
                true => Some(StudioTypes::from_resolved(resolved)?),
                false => None,
            },
            own: S::Settings::from_resolved(resolved)?,
        })
    }
}

/// Runs the command.
pub(super) async fn run<S: Service>(arguments: &ServeArguments<Alone<S>>) -> Result<ExitCode> {
    let Some(Start { loaded, world, checked }) = load(&arguments.flags)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let Alone { common, of_world, types, own } = loaded.settings;
    let description = S::DESCRIPTION;
    let ground = Ground::prepare(description.name, &common, world, &loaded.warnings).await?;
    let catalogue = types.map(|types| catalogue::load(&types.catalog)).transpose()?;
    let state = state::open(&common).await?;
    kept_world::check(&*state, &ground.world, of_world.accept_world_changes).await?;
    banner::alone(&ground, &common, &description, arguments.format);
    let Some(bus) = waiting::connect(&ground, &common).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let event_types = match catalogue {
        Some(own) => {
            let url = connection::parse(&common.url)?;
            let types = BusTypes::new(&url, &bus, &state, own).await;
            EventTypes::new(types.shared(), Some(Arc::new(types)))
        }
        None => EventTypes::default(),
    };
    let setup = Setup {
        deps: ground.deps(bus.clone(), state, state::database(&common)?),
        world: ground.world.clone(),
        lead: lead(of_world.lead_ms)?,
        event_types,
    };
    let part = S::start(setup, own, checked).await;
    let part = part.map_err(|error| not_started(description.name, error))?;
    serve(ground, bus, vec![part]).await
}

impl<S: Service> Serving for Alone<S> {
    type Checked = S::Checked;

    fn common(&self) -> &Common {
        &self.common
    }

    fn check(&self, _: &Resolved, world: &World) -> Result<S::Checked> {
        connection::parse(&self.common.url)?;
        lead(self.of_world.lead_ms)?;
        Ok(S::check(&self.own, world)?)
    }
}
