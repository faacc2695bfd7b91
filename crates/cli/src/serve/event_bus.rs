//! `worldbus event-bus`: the bus for other processes.

mod source;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;

use super::checks::Serving;
use super::ground::{Ground, state};
use super::own_bus::{self, OwnBus};
use super::settings::Retention;
use super::{ServeArguments, Start, banner, event_types, load, serve};
use crate::session::{catalogue, connection};
use crate::settings::StudioTypes;
use worldbus_bus::Bus;
use worldbus_event_bus::{NAME, Registry, Setup};
use worldbus_service::config::{Common, Resolved};
use worldbus_service::{Part, settings};
use worldbus_world::World;

pub(super) use source::Source;

settings! {
    /// Settings of `worldbus event-bus`.
    pub(crate) struct EventBus {
        ..common: Common { listen: "127.0.0.1:7070" },
        ..retention: Retention {},
        ..types: StudioTypes {},
        /// The subscription by which it gets all events of an engine that keeps no past, such as
        /// `sns-sqs://…`. Each instance has its own log and needs its own.
        subscription: String = "event-bus",
        /// How many such subscriptions there are: `NAME`, `NAME-2`, … up to 16. Of several an
        /// instance claims one in the state store, which all instances then share.
        subscription_slots: u32 = "1",
    }
}

/// Runs the command.
pub(crate) async fn run(arguments: &ServeArguments<EventBus>) -> Result<ExitCode> {
    let Some(Start { loaded, world, .. }) = load(&arguments.flags)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let settings = &loaded.settings;
    let ground = Ground::prepare(NAME, &settings.common, world, &loaded.warnings).await?;
    let catalogue = catalogue::load(&settings.types.catalog)?;
    let (from, common) = (&loaded.resolved, &settings.common);
    let dir = own_bus::dir_of_event_bus(from, common)?;
    let state = state::open(common).await?;
    let registry = event_types::registry(&state, catalogue).await?;
    let catalogue = registry.shared();
    let (url, retention) = (connection::parse(&common.url)?, &settings.retention);
    let own = OwnBus::open_for_event_bus(&url, dir, retention, catalogue).await?;
    let fill = match own.is_copy() {
        true => {
            let source = Source::open(from, settings, &own.bus, state)?;
            own.fill(&ground, source, &catalogue.current())?
        }
        false => None,
    };
    let part = part(&ground, &own.bus, registry).await;
    let part = part.with_task(own.watch(&ground));
    let part = fill.into_iter().fold(part, Part::with_task);
    banner::event_bus(&ground, arguments.format);
    serve(ground, own.bus, vec![part]).await
}

/// The service as a part of any command that has a bus of its own.
pub(super) async fn part(ground: &Ground, bus: &Bus, registry: Arc<Registry>) -> Part {
    let setup = Setup {
        bus: bus.clone(),
        registry,
        world: ground.world.id.clone(),
        shutdown: ground.shutdown.clone(),
    };
    worldbus_event_bus::part(setup).await
}

impl Serving for EventBus {
    type Checked = ();

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
