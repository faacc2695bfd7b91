//! The service as a part of a program: what it states of itself, how it works, what it becomes.

use std::sync::Arc;

use crate::agenda::Agenda;
use crate::requests::Requests;
use crate::rest;
use crate::simulation::Simulation;
use crate::sky::Sky;
use crate::{NAME, TOPIC};
use worldbus_bus::Bus;
use worldbus_events::Event as _;
use worldbus_events::v1::{ClockChanged, WeatherOverrideRequested};
use worldbus_service::start::Error;
use worldbus_service::{
    CancellationToken, Deps, Description, Part, Publishes, StateUse, Task, settings,
};
use worldbus_simulated::follow::{Follower, IfRefused, subscribe};
use worldbus_simulated::{Checkpoints, Emitter, Progress, Service, Setup, SharedClock, Ticker};
use worldbus_world::World;

settings! {
    /// How the service works; the same in all instances.
    pub struct Settings {
        /// Publish the weather of every region at each whole game hour, as `weather.sample`.
        samples: bool = "false",
    }
}

/// The service. It restores what was received and forced in a world. Its state is kept under
/// `weather/{world}`; its conditions: a clock was received, the bus takes events, the state can be
/// read.
#[derive(Debug)]
pub struct WeatherManager;

impl Service for WeatherManager {
    const DESCRIPTION: Description = Description {
        name: NAME,
        about: "Run the weather of a world, over an event-bus",
        help: HELP,
        ask: Some("weather now"),
        publishes: Publishes::To(TOPIC),
        requests: &[],
        receives: &[ClockChanged::NAME, WeatherOverrideRequested::NAME],
        studio_types: false,
        state: &[StateUse::Get, StateUse::CompareAndSet],
        database: false,
        api: &["weather"],
        port: 7072,
    };

    type Settings = Settings;
    type Checked = ();

    fn check(_: &Settings, _: &World) -> Result<(), Error> {
        Ok(())
    }

    async fn start(setup: Setup, settings: Settings, (): ()) -> Result<Part, Error> {
        let Setup { deps, world, lead, .. } = setup;
        let Deps { bus, state, readiness, work, shutdown, .. } = deps;
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
            .with_task(Task::new(
                "weather poll",
                async move { poller.poll(polling, shutdown).await },
            )))
    }
}

const HELP: &str = "\
Examples:
  worldbus weather-manager                its bus: http://127.0.0.1:7070
  worldbus weather forecast brussels --url http://127.0.0.1:7072

Several instances may run: with the same --state-url and --lead-ms, each with its own --listen.
It follows the clock that a time-manager announces; until it has received one it is not ready.";

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
