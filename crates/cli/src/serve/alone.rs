//! The command of a service of a world: that service alone, over the event-bus of another process.

mod waiting;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;

use super::checks::{Serving, check_lead, started, wrong};
use super::event_types::OfBus;
use super::ground::{Ground, kept_world, state};
use super::settings::OfWorld;
use super::{ServeArguments, banner, load, serve};
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
    of_world: OfWorld,
    types: StudioTypes,
    own: S::Settings,
}

impl<S: Service> Settings for Alone<S> {
    const ABOUT: &'static str = S::DESCRIPTION.about;

    fn declare() -> Vec<Setting> {
        let listen = format!("127.0.0.1:{}", S::DESCRIPTION.port);
        let mut declared = Common::declare_with(&[("listen", listen), ("url", URL.to_owned())]);
        declared.extend(OfWorld::declare());
        if S::DESCRIPTION.studio_types {
            declared.extend(StudioTypes::declare());
        }
        declared.extend(S::Settings::declare());
        declared
    }

    fn from_resolved(resolved: &Resolved) -> Result<Self, Error> {
        Ok(Self {
            common: Common::from_resolved(resolved)?,
            of_world: OfWorld::from_resolved(resolved)?,
            types: StudioTypes::from_resolved(resolved)?,
            own: S::Settings::from_resolved(resolved)?,
        })
    }
}

/// Runs the command.
pub(super) async fn run<S: Service>(arguments: &ServeArguments<Alone<S>>) -> Result<ExitCode> {
    let Some((loaded, world)) = load(&arguments.flags)? else { return Ok(ExitCode::SUCCESS) };
    let Alone { common, of_world, types, own } = loaded.settings;
    let description = S::DESCRIPTION;
    let ground = Ground::prepare(description.name, &common, world, &loaded.warnings).await?;
    let catalogue = catalogue::load(&types.catalog)?;
    let state = state::open(&common.state_url).await?;
    kept_world::check(&*state, &ground.world, of_world.accept_world_changes).await?;
    banner::alone(&ground, &common, description.ask, arguments.format);
    let Some(bus) = waiting::connect(&ground, &common).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let event_types = match description.studio_types {
        true => {
            let url = connection::parse(&common.url)?;
            let types = OfBus::new(&url, &bus, &state, catalogue).await;
            EventTypes::new(types.shared(), Some(Arc::new(types)))
        }
        false => EventTypes::default(),
    };
    let setup = Setup {
        deps: ground.deps(bus.clone(), state),
        world: ground.world.clone(),
        lead: check_lead(of_world.lead_ms)?,
        event_types,
    };
    let part = started(description.name, S::start(setup, own).await)?;
    serve(ground, bus, vec![part]).await
}

impl<S: Service> Serving for Alone<S> {
    fn common(&self) -> &Common {
        &self.common
    }

    fn check(&self, _: &Resolved, world: &World) -> Result<()> {
        connection::parse(&self.common.url)?;
        check_lead(self.of_world.lead_ms)?;
        S::check(&self.own, world).map_err(wrong)
    }
}
