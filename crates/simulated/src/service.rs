//! A service of a world as a program runs it: what it states of itself, its settings, its start.
//! Not here: which services a program has.

use std::sync::Arc;

use crate::{EventTypes, Lead};
use worldbus_service::config;
use worldbus_service::start::Error;
use worldbus_service::{Deps, Description, Part};
use worldbus_world::World;

/// A service of a world. A program needs no more than its name in a list to run it, alone or with
/// others.
pub trait Service: 'static {
    /// What it states of itself.
    const DESCRIPTION: Description;

    /// The settings that it alone has; `()` if it has none. `settings!` of the service kit makes
    /// such a type.
    type Settings: config::Settings + Send;

    /// Refuses settings that do not fit each other or the world. A program calls it before it opens
    /// anything.
    ///
    /// # Errors
    /// `Setting`, with what was expected.
    fn check(_settings: &Self::Settings, _world: &World) -> Result<(), Error> {
        Ok(())
    }

    /// Restores what it keeps in the state store, or begins it, and hands out routes and tasks.
    /// What it wrote there is durable when this returns; it publishes and receives nothing before
    /// its tasks run. Its conditions are known to `deps.readiness` by then.
    ///
    /// # Errors
    /// `Setting` for what [`check`](Service::check) refuses, `State` if the store fails or holds
    /// what it cannot read, `Bus` if the bus refuses a name. Nothing is left running.
    fn start(
        setup: Setup,
        settings: Self::Settings,
    ) -> impl Future<Output = Result<Part, Error>> + Send;
}

/// What a service of a world is given, besides its settings.
#[derive(Debug, Clone)]
pub struct Setup {
    /// What every service is given.
    pub deps: Deps,
    /// The world.
    pub world: Arc<World>,
    /// How far ahead commands take effect, the same in all instances. Zero only where one process
    /// owns the state.
    pub lead: Lead,
    /// The event types that it works on.
    pub event_types: EventTypes,
}

impl Setup {
    /// For one process that owns the state, on the event types of Worldbus: without a lead, a
    /// second instance would miss commands.
    pub fn new(deps: Deps, world: Arc<World>) -> Self {
        Self { deps, world, lead: Lead::NONE, event_types: EventTypes::default() }
    }
}
