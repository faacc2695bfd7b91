//! The service as a part of a binary: how it works, and what it becomes.

use std::sync::Arc;
use std::time::Duration;

use worldbus_service::checkpoint::{Checkpoints, Progress};
use worldbus_service::emit::Emitter;
use worldbus_service::start::Error;
use worldbus_service::ticker::Ticker;
use worldbus_service::{Deps, Lead, Part, Task};
use worldbus_world::World;

use crate::agenda::Agenda;
use crate::clockwork::Clockwork;
use crate::rest;
use crate::simulation::Simulation;
use crate::{NAME, TOPIC};

/// Game minutes in a game day: the longest cadence.
const CADENCE_GAME_MINUTES_MAX: u32 = 1_440;

/// How the service works; the same in all instances.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Game minutes from one `time.updated` to the next, 1 to 1,440.
    pub cadence_game_minutes: u32,
    /// How far ahead commands take effect. Zero only where one process owns the state.
    pub lead: Duration,
}

impl Default for Settings {
    /// Each game minute; two seconds.
    fn default() -> Self {
        Self { cadence_game_minutes: 1, lead: Duration::from_secs(2) }
    }
}

/// Restores a world's clock, or begins it now, and hands out routes and tasks. Its state is kept
/// under `clock/{world}`; its conditions: the bus takes events, the state can be read.
///
/// # Errors
/// See [`Error`].
pub async fn start(deps: Deps, world: Arc<World>, settings: Settings) -> Result<Part, Error> {
    let Deps { bus, state, readiness, shutdown } = deps;
    let lead = Lead::new(settings.lead)?;
    check_cadence(settings.cadence_game_minutes)?;
    let polling = readiness.condition(format!("{NAME}: state"));
    let emitter = Emitter::new(&bus, NAME, &world.id, TOPIC, &readiness)?;
    let wall = Arc::clone(bus.wall());
    let clockwork = Clockwork::open(Arc::clone(&state), &world, Arc::clone(&wall), lead).await?;
    let clockwork = Arc::new(clockwork);
    let checkpoints = Checkpoints::new(state, format!("clock/{}/checkpoint", world.id));
    let agenda = Agenda::new(&world, settings.cadence_game_minutes);
    let ticker = Ticker {
        simulated: Simulation::new(agenda, Arc::clone(&clockwork)),
        news: clockwork.watch(),
        emitter,
        progress: Progress::load(checkpoints).await?,
        causes: clockwork.causes.clone(),
    };
    let poller = Arc::clone(&clockwork);
    Ok(Part::new(NAME, rest::routes(world, clockwork))
        .with_openapi(rest::openapi())
        .with_task(Task::new("clock ticker", ticker.run(wall, shutdown.clone())))
        .with_task(Task::new("clock poll", async move { poller.poll(polling, shutdown).await })))
}

fn check_cadence(found: u32) -> Result<(), Error> {
    if (1..=CADENCE_GAME_MINUTES_MAX).contains(&found) {
        return Ok(());
    }
    let wanted = format!("1 to {CADENCE_GAME_MINUTES_MAX} game minutes");
    Err(Error::Setting(format!("cadence: expected {wanted}, found {found}")))
}
