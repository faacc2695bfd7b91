//! The service as a part of a program: what it states of itself, how it works, what it becomes.

use std::sync::{Arc, Mutex};

use crate::agenda::Agenda;
use crate::desk::Desk;
use crate::followers::Followers;
use crate::grpc;
use crate::requests::Requests;
use crate::rest;
use crate::simulation::Simulation;
use crate::town::{Conditions, Town};
use crate::weather::SharedChanges;
use crate::{NAME, TOPIC};
use worldbus_bus::Bus;
use worldbus_events::Event as _;
use worldbus_events::v1::{
    ClockChanged, NpcDirectiveRequested, WeatherChanged, WeatherOverridesAnnounced,
};
use worldbus_population::Population;
use worldbus_service::start::Error;
use worldbus_service::{
    CancellationToken, Deps, Description, Part, Publishes, StateUse, Task, settings,
};
use worldbus_simulated::follow::{Follower, IfRefused, subscribe};
use worldbus_simulated::{Checkpoints, Emitter, Progress, Service, Setup, Ticker};
use worldbus_world::World;

/// The most people at a place that a crowd may change by without an event.
const CROWD_STEP_MAX: u32 = 1_000_000;

settings! {
    /// How the service works; the same in all instances.
    pub struct Settings {
        /// Publish `npc.crowd_changed` of a place when its people cross a multiple of this number.
        crowd_step: u32 = "5",
    }
}

/// The service. It restores what was received and commanded in a world. Its state is kept under
/// `npc/{world}`; its conditions: a clock and the weather were received, the bus takes events, the
/// state can be read.
#[derive(Debug)]
pub struct NpcBehavior;

impl Service for NpcBehavior {
    const DESCRIPTION: Description = Description {
        name: NAME,
        about: "Run the people of a world, over an event-bus",
        help: HELP,
        ask: Some("people list"),
        publishes: Publishes::To(TOPIC),
        requests: &[],
        receives: &[
            ClockChanged::NAME,
            WeatherOverridesAnnounced::NAME,
            WeatherChanged::NAME,
            NpcDirectiveRequested::NAME,
        ],
        studio_types: false,
        state: &[StateUse::Get, StateUse::CompareAndSet],
        database: false,
        api: &["people", "places"],
        port: 7073,
    };

    type Settings = Settings;
    type Checked = Population;

    fn check(settings: &Settings, world: &World) -> Result<Population, Error> {
        check(settings)?;
        people(world)
    }

    async fn start(setup: Setup, settings: Settings, people: Population) -> Result<Part, Error> {
        let Setup { deps, world, lead, .. } = setup;
        let Deps { bus, state, readiness, work, shutdown, .. } = deps;
        let people = Arc::new(people);
        let polling = readiness.condition(format!("{NAME}: state"));
        let conditions = Conditions {
            clock: readiness.condition(format!("{NAME}: clock")),
            weather: readiness.condition(format!("{NAME}: weather")),
        };
        let emitter = Emitter::new(&bus, NAME, &world.id, TOPIC, &readiness)?;
        let wall = Arc::clone(bus.wall());
        let of = (Arc::clone(&world), Arc::clone(&people));
        let town = Town::open(Arc::clone(&state), of, Arc::clone(&wall), lead, conditions).await?;
        let town = Arc::new(town);
        let checkpoints = Checkpoints::new(state, format!("npc/{}/checkpoint", world.id));
        let agenda = Agenda::new(Arc::clone(&world), people, settings.crowd_step);
        let agenda = Arc::new(Mutex::new(agenda));
        let ticker = Ticker {
            simulated: Simulation::new(Arc::clone(&agenda), Arc::clone(&town)),
            news: town.watch(),
            emitter,
            progress: Progress::load(checkpoints).await?,
            causes: town.causes.clone(),
        };
        let followers = Followers {
            clock: Arc::new(Follower::new(bus.clone(), &world.id, Arc::clone(&town.clock))),
            weather: Arc::new(Follower::new(bus.clone(), &world.id, Arc::clone(&town.overrides))),
        };
        let requests = Requests::new(Arc::clone(&town), followers.clone());
        let changes = Arc::clone(&town.changes);
        let received = receive(bus, (requests, changes), followers.clone(), shutdown.clone());
        let poller = Arc::clone(&town);
        let desk = Desk { town, agenda, followers, work };
        let router = rest::routes(desk.clone()).merge(grpc::routes(desk));
        Ok(Part::new(NAME, router)
            .with_openapi(rest::openapi())
            .with_descriptors(worldbus_rpc::PEOPLE_FILE_DESCRIPTOR_SET)
            .with_task(Task::new("people subscription", received))
            .with_task(Task::new("people ticker", ticker.run(wall, shutdown.clone())))
            .with_task(Task::new(
                "people poll",
                async move { poller.poll(polling, shutdown).await },
            )))
    }
}

fn check(settings: &Settings) -> Result<(), Error> {
    if (1..=CROWD_STEP_MAX).contains(&settings.crowd_step) {
        return Ok(());
    }
    let expected = format!("1 to {CROWD_STEP_MAX} people");
    Err(Error::Setting { name: "crowd_step", expected })
}

/// The people of a world by its file.
fn people(world: &World) -> Result<Population, Error> {
    Population::read(world).map_err(|error| Error::Setting {
        name: "world",
        expected: format!("a world file whose people are correct: {error}"),
    })
}

const HELP: &str = "\
Examples:
  worldbus npc-behavior                its bus: http://127.0.0.1:7070
  worldbus people list --region brussels --url http://127.0.0.1:7073

Several instances may run: with the same --state-url and --lead-ms, each with its own --listen.
It follows the clock that a time-manager announces and the overrides that a weather-manager
announces, or weather.changed of a service of your own; until it has received both it is not
ready.";

/// Receives what the service subscribes to, until the shutdown.
async fn receive(
    bus: Bus,
    (requests, changes): (Requests, Arc<SharedChanges>),
    Followers { clock, weather }: Followers,
    shutdown: CancellationToken,
) -> Result<(), worldbus_bus::Error> {
    let handlers = |router| changes.on(requests.on(weather.on(clock.on(router)?)?)?);
    let subscribed = subscribe(&bus, NAME, handlers, IfRefused::Fail, &shutdown);
    tokio::try_join!(subscribed, clock.follow(&shutdown), weather.follow(&shutdown))?;
    Ok(())
}
