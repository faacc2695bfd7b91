//! The service as a part of a binary: how it works, and what it becomes.

use std::sync::Arc;
use std::time::Duration;

use worldbus_service::start::Error;
use worldbus_service::{Deps, Part, Task};
use worldbus_simulated::{Checkpoints, Emitter, Lead, Progress, Ticker};
use worldbus_world::World;

use crate::agenda::Agenda;
use crate::hearing::Hearing;
use crate::rest;
use crate::simulation::Simulation;
use crate::sky::Sky;
use crate::{NAME, TOPIC};

/// How the service works; the same in all instances.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How far ahead commands take effect. Zero only where one process owns the state.
    pub lead: Duration,
    /// The weather of every region at each whole game hour is told too.
    pub samples: bool,
}

impl Default for Settings {
    /// Two seconds, and no samples.
    fn default() -> Self {
        Self { lead: Duration::from_secs(2), samples: false }
    }
}

/// Restores what was heard and forced in a world, and hands out routes and tasks. Its state is
/// kept under `weather/{world}`; its conditions: a clock was heard, the bus takes events, the
/// state can be read.
///
/// # Errors
/// See [`Error`].
pub async fn start(deps: Deps, world: Arc<World>, settings: Settings) -> Result<Part, Error> {
    let Deps { bus, state, readiness, work, shutdown } = deps;
    let lead = Lead::new(settings.lead)?;
    let polling = readiness.condition(format!("{NAME}: state"));
    let heard = readiness.condition(format!("{NAME}: clock"));
    let emitter = Emitter::new(&bus, NAME, &world.id, TOPIC, &readiness)?;
    let wall = Arc::clone(bus.wall());
    let sky = Sky::open(Arc::clone(&state), &world, Arc::clone(&wall), lead, heard).await?;
    let sky = Arc::new(sky);
    let checkpoints = Checkpoints::new(state, format!("weather/{}/checkpoint", world.id));
    let ticker = Ticker {
        simulated: Simulation::new(Agenda::new(&world, settings.samples), Arc::clone(&sky)),
        news: sky.watch(),
        emitter,
        progress: Progress::load(checkpoints).await?,
        causes: sky.causes.clone(),
    };
    let hearing = Arc::new(Hearing::new(bus, Arc::clone(&sky), Arc::clone(&world)));
    let hears = Arc::clone(&hearing).run(shutdown.clone());
    let poller = Arc::clone(&sky);
    Ok(Part::new(NAME, rest::routes(world, sky, hearing, work))
        .with_openapi(rest::openapi())
        .with_task(Task::new("hearing of the clock", hears))
        .with_task(Task::new("weather ticker", ticker.run(wall, shutdown.clone())))
        .with_task(Task::new("weather poll", async move { poller.poll(polling, shutdown).await })))
}
