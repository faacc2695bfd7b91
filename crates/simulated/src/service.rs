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

    /// What it needs of its settings and the world once they are checked, so that a file is read
    /// and a world is populated only once; `()` if it needs no more than those.
    type Checked: Send;

    /// Refuses settings that do not fit each other or the world. A program calls it before it opens
    /// anything.
    ///
    /// # Errors
    /// `Setting`, with what was expected.
    fn check(settings: &Self::Settings, world: &World) -> Result<Self::Checked, Error>;

    /// Restores what it keeps in the state store, or begins it, and hands out routes and tasks.
    /// `checked` is of the same settings and world.
    /// What it wrote there is durable when this returns; it publishes and receives nothing before
    /// its tasks run. Its conditions are known to `deps.readiness` by then.
    ///
    /// # Errors
    /// `State` if the store fails or holds what it cannot read, `Bus` if the bus refuses a name,
    /// `Setting` for what shows only now. Nothing is left running.
    fn start(
        setup: Setup,
        settings: Self::Settings,
        checked: Self::Checked,
    ) -> impl Future<Output = Result<Part, Error>> + Send;

    /// [`check`](Service::check), then [`start`](Service::start).
    ///
    /// # Errors
    /// What either refuses.
    fn check_and_start(
        setup: Setup,
        settings: Self::Settings,
    ) -> impl Future<Output = Result<Part, Error>> + Send {
        async {
            let checked = Self::check(&settings, &setup.world)?;
            Self::start(setup, settings, checked).await
        }
    }
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
