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
use crate::hearing::Hearing;
use crate::rest;
use crate::sky::Sky;
use crate::ticker::Ticker;

/// The longest lead, in milliseconds.
pub const LEAD_MS_MAX: u64 = 60_000;

/// How the service works; the same in all instances.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How far ahead commands take effect, so that every instance knows them in time. Zero only
    /// where one process owns the state. At most [`LEAD_MS_MAX`].
    pub lead: Duration,
}

impl Default for Settings {
    /// Two seconds.
    fn default() -> Self {
        Self { lead: Duration::from_secs(2) }
    }
}

/// What the service is given.
#[derive(Debug)]
pub struct Deps {
    /// Carries its events and the time-manager's, and tells the wall time: instances' clocks should
    /// agree within a quarter of the lead.
    pub bus: Bus,
    /// Keeps what it heard and the overrides under `weather/{world}`; shared by all instances.
    pub state: Arc<dyn StateStore>,
    /// Whose weather it is.
    pub world: Arc<World>,
    /// How it works.
    pub settings: Settings,
    /// Its conditions: a clock was heard, the bus takes events, the state can be read.
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

/// Restores what was heard and forced, and hands out routes and tasks.
///
/// # Errors
/// See [`Error`].
pub async fn start(deps: Deps) -> Result<Part, Error> {
    let Deps { bus, state, world, settings, readiness, shutdown } = deps;
    let lead_us = check(settings)?;
    let polling = readiness.condition(format!("{NAME}: state"));
    let heard = readiness.condition(format!("{NAME}: clock"));
    let emitter = Emitter::new(&bus, NAME, &world.id, v1::WeatherChanged::TOPIC, &readiness)?;
    let wall = Arc::clone(bus.wall());
    let sky = Arc::new(Sky::open(Arc::clone(&state), &world, wall, lead_us, heard).await?);
    let checkpoints = Checkpoints::new(state, format!("weather/{}/checkpoint", world.id));
    let ticker = Ticker {
        agenda: Arc::new(Agenda::new(&world)),
        sky: Arc::clone(&sky),
        emitter,
        durable: checkpoints.load().await?,
        checkpoints,
        shutdown: shutdown.clone(),
        caught_up: false,
    };
    let hearing = Arc::new(Hearing::new(bus, Arc::clone(&sky), world.id.clone()));
    let hears = Arc::clone(&hearing).run(shutdown.clone());
    let poller = Arc::clone(&sky);
    Ok(Part::new(NAME, rest::routes(world, sky, hearing))
        .with_openapi(rest::openapi())
        .with_task(Task::new("hearing of the clock", hears))
        .with_task(Task::new("weather ticker", ticker.run()))
        .with_task(Task::new("weather poll", async move { poller.poll(polling, shutdown).await })))
}

fn check(settings: Settings) -> Result<i64, Error> {
    if settings.lead > Duration::from_millis(LEAD_MS_MAX) {
        let found = settings.lead.as_millis();
        let text = format!("lead: expected 0 to {LEAD_MS_MAX} ms, found {found}");
        return Err(Error::Setting(text));
    }
    Ok(i64::try_from(settings.lead.as_micros()).unwrap_or(i64::MAX))
}
