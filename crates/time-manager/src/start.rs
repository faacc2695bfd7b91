//! The service as a part of a binary: what it is given, and what it becomes.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use worldbus_bus::Bus;
use worldbus_events::{Event as _, v1};
use worldbus_service::checkpoint::Checkpoints;
use worldbus_service::emit::Emitter;
use worldbus_service::{Part, Readiness, StateStore, Task, state};
use worldbus_world::World;

use crate::NAME;
use crate::agenda::Agenda;
use crate::clockwork::Clockwork;
use crate::rest;
use crate::ticker::Ticker;

/// The longest lead, in milliseconds.
pub const LEAD_MS_MAX: u64 = 60_000;

/// Game minutes in a game day: the longest cadence.
const CADENCE_GAME_MINUTES_MAX: u32 = 1_440;

/// How the service works; the same in all instances.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Game minutes from one `time.updated` to the next, 1 to 1,440.
    pub cadence_game_minutes: u32,
    /// How far ahead commands take effect, so that every instance knows them in time. Zero only
    /// where one process owns the state. At most [`LEAD_MS_MAX`].
    pub lead: Duration,
}

impl Default for Settings {
    /// Each game minute; two seconds.
    fn default() -> Self {
        Self { cadence_game_minutes: 1, lead: Duration::from_secs(2) }
    }
}

/// What the service is given.
#[derive(Debug)]
pub struct Deps {
    /// Carries its events, and tells the wall time: instances' clocks should agree within a quarter
    /// of the lead.
    pub bus: Bus,
    /// Keeps the clock's segments under `clock/{world}`; shared by all instances.
    pub state: Arc<dyn StateStore>,
    /// Whose time it is.
    pub world: Arc<World>,
    /// How it works.
    pub settings: Settings,
    /// Its conditions: the bus takes events, the state can be read.
    pub readiness: Readiness,
    /// Ends its tasks.
    pub shutdown: CancellationToken,
}

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is out of its range. Correct it.
    #[error("{0}")]
    Setting(String),
    /// The state store fails or is damaged: see the kit's kinds.
    #[error(transparent)]
    State(#[from] state::Error),
    /// The bus refuses.
    #[error(transparent)]
    Bus(#[from] worldbus_bus::Error),
}

/// Restores the world's clock, or begins it now, and hands out routes and tasks.
///
/// # Errors
/// See [`Error`].
pub async fn start(deps: Deps) -> Result<Part, Error> {
    let Deps { bus, state, world, settings, readiness, shutdown } = deps;
    let lead_us = check(settings)?;
    let polling = readiness.condition(format!("{NAME}: state"));
    let wall = Arc::clone(bus.wall());
    let emitter = Emitter::new(&bus, NAME, &world.id, v1::TimeUpdated::TOPIC, &readiness)?;
    let clockwork = Clockwork::open(Arc::clone(&state), &world, wall, lead_us).await?;
    let clockwork = Arc::new(clockwork);
    let checkpoints = Checkpoints::new(state, format!("clock/{}/checkpoint", world.id));
    let ticker = Ticker {
        agenda: Agenda::new(&world, settings.cadence_game_minutes),
        clockwork: Arc::clone(&clockwork),
        emitter,
        durable: checkpoints.load().await?,
        checkpoints,
        shutdown: shutdown.clone(),
    };
    let poller = Arc::clone(&clockwork);
    Ok(Part::new(NAME, rest::routes(world, clockwork))
        .with_openapi(rest::openapi())
        .with_task(Task::new("clock ticker", ticker.run()))
        .with_task(Task::new("clock poll", async move { poller.poll(polling, shutdown).await })))
}

fn check(settings: Settings) -> Result<i64, Error> {
    let cadence = settings.cadence_game_minutes;
    if !(1..=CADENCE_GAME_MINUTES_MAX).contains(&cadence) {
        let wanted = format!("1 to {CADENCE_GAME_MINUTES_MAX} game minutes");
        return Err(Error::Setting(format!("cadence: expected {wanted}, found {cadence}")));
    }
    if settings.lead > Duration::from_millis(LEAD_MS_MAX) {
        let found = settings.lead.as_millis();
        let text = format!("lead: expected 0 to {LEAD_MS_MAX} ms, found {found}");
        return Err(Error::Setting(text));
    }
    Ok(i64::try_from(settings.lead.as_micros()).unwrap_or(i64::MAX))
}
