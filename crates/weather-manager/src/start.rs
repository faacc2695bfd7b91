//! The service as a part of a binary: how it works, and what it becomes.

use std::sync::Arc;
use std::time::Duration;

use crate::agenda::Agenda;
use crate::requests::Requests;
use crate::rest;
use crate::simulation::Simulation;
use crate::sky::Sky;
use crate::{NAME, TOPIC};
use worldbus_bus::Bus;
use worldbus_service::start::Error;
use worldbus_service::{CancellationToken, Deps, Part, Task};
use worldbus_simulated::follow::{Follower, IfRefused, subscribe};
use worldbus_simulated::{Checkpoints, Emitter, Lead, Progress, SharedClock, Ticker};
use worldbus_world::World;

/// How the service works; the same in all instances.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How far ahead commands take effect. Zero only where one process owns the state.
    pub lead: Duration,
    /// The weather of every region at each whole game hour is announced too.
    pub samples: bool,
}

impl Default for Settings {
    /// Two seconds, and no samples.
    fn default() -> Self {
        Self { lead: Duration::from_secs(2), samples: false }
    }
}

/// Restores what was received and forced in a world, and hands out routes and tasks. Its state is
/// kept under `weather/{world}`; its conditions: a clock was received, the bus takes events, the
/// state can be read.
///
/// # Errors
/// See [`Error`].
pub async fn start(deps: Deps, world: Arc<World>, settings: Settings) -> Result<Part, Error> {
    let Deps { bus, state, readiness, work, shutdown } = deps;
    let lead = Lead::new(settings.lead)?;
    let polling = readiness.condition(format!("{NAME}: state"));
    let received = readiness.condition(format!("{NAME}: clock"));
    let emitter = Emitter::new(&bus, NAME, &world.id, TOPIC, &readiness)?;
    let wall = Arc::clone(bus.wall());
    let sky = Sky::open(Arc::clone(&state), &world, Arc::clone(&wall), lead, received).await?;
    let sky = Arc::new(sky);
    let checkpoints = Checkpoints::new(state, format!("weather/{}/checkpoint", world.id));
    let ticker = Ticker {
        simulated: Simulation::new(Agenda::new(&world, settings.samples), Arc::clone(&sky)),
        news: sky.watch(),
        emitter,
        progress: Progress::load(checkpoints).await?,
        causes: sky.causes.clone(),
    };
    let clock = Follower::new(bus.clone(), &world.id, Arc::clone(&sky.clock));
    let clock = Arc::new(clock);
    let requests = Requests::new(Arc::clone(&world), Arc::clone(&sky), Arc::clone(&clock));
    let received = receive(bus, requests, Arc::clone(&clock), shutdown.clone());
    let poller = Arc::clone(&sky);
    Ok(Part::new(NAME, rest::routes(world, sky, clock, work))
        .with_openapi(rest::openapi())
        .with_task(Task::new("weather subscription", received))
        .with_task(Task::new("weather ticker", ticker.run(wall, shutdown.clone())))
        .with_task(Task::new("weather poll", async move { poller.poll(polling, shutdown).await })))
}

/// Receives what the service subscribes to, until the shutdown.
async fn receive(
    bus: Bus,
    requests: Requests,
    clock: Arc<Follower<SharedClock>>,
    shutdown: CancellationToken,
) -> Result<(), worldbus_bus::Error> {
    let handlers = |router| requests.on(clock.on(router)?);
    let subscribed = subscribe(&bus, NAME, handlers, IfRefused::Fail, &shutdown);
    tokio::try_join!(subscribed, clock.follow(&shutdown))?;
    Ok(())
}
