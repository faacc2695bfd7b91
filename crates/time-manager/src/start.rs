//! The service as a part of a program: what it states of itself, how it works, what it becomes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::agenda::Agenda;
use crate::clock::clockwork::Clockwork;
use crate::desk::{Desk, Face};
use crate::simulation::{CatchUp, Simulation};
use crate::{NAME, TOPIC, grpc, requests, rest};
use worldbus_events::Event as _;
use worldbus_events::v1::ClockRequested;
use worldbus_service::start::Error;
use worldbus_service::{Deps, Description, Part, Publishes, StateUse, Task, settings};
use worldbus_simulated::{Checkpoints, Emitter, Lead, Progress, Service, Setup, Ticker};
use worldbus_world::{GameTime, World};

settings! {
    /// How the service works; the same in all instances.
    pub struct Settings {
        /// Game minutes from one `time.updated` to the next, at most those of a day of the world's
        /// calendar; the same in all instances.
        cadence_game_minutes: u32 = "1",
        /// What is published of the game time that passed while no instance ran: `none`, `last`
        /// (the latest of each kind) or `all` (of the last game day).
        catch_up: CatchUp = "all",
    }
}

/// The service. It restores a world's clocks, or begins them. Their state is kept under
/// `clock/{world}`, that of a named clock under `clock/{world}:{name}`; the conditions: the bus
/// takes events, the state can be read.
#[derive(Debug)]
pub struct TimeManager;

impl Service for TimeManager {
    const DESCRIPTION: Description = Description {
        name: NAME,
        about: "Run the clock of a world, over an event-bus",
        help: HELP,
        ask: Some("time now"),
        publishes: Publishes::To(TOPIC),
        requests: &[],
        receives: &[ClockRequested::NAME],
        studio_types: true,
        state: &[StateUse::Get, StateUse::CompareAndSet],
        database: false,
        api: &["time"],
        port: 7071,
    };

    type Settings = Settings;
    type Checked = ();

    fn check(settings: &Settings, world: &World) -> Result<(), Error> {
        check_cadence(settings.cadence_game_minutes, world)
    }

    async fn start(setup: Setup, settings: Settings, (): ()) -> Result<Part, Error> {
        let Setup { deps, world, lead, event_types } = setup;
        let mut clocks = BTreeMap::from([(String::new(), Arc::clone(&world))]);
        for clock in &world.clocks {
            clocks.insert(clock.name.clone(), Arc::new(world.of_clock(clock)));
        }
        let (mut faces, mut tasks) = (BTreeMap::new(), Vec::new());
        for (name, world) in clocks {
            let (face, own) = open(&deps, &name, world, lead, &settings).await?;
            faces.insert(name, face);
            tasks.extend(own);
        }
        let desk = Desk::new(faces, event_types, deps.work.clone());
        let requests = requests::run(deps.bus.clone(), desk.clone(), deps.shutdown.clone());
        tasks.push(Task::new("clock requests", requests));
        let router = rest::routes(desk.clone()).merge(grpc::routes(desk));
        let part = Part::new(NAME, router)
            .with_openapi(rest::openapi())
            .with_descriptors(worldbus_rpc::TIME_FILE_DESCRIPTOR_SET);
        Ok(tasks.into_iter().fold(part, Part::with_task))
    }
}

const HELP: &str = "\
Examples:
  worldbus time-manager                   its bus: http://127.0.0.1:7070
  worldbus time-manager --url http://bus:7070 --data-dir ./time
  worldbus time set 22 --url http://127.0.0.1:7071

Several instances may run: with the same --state-url and --lead-ms, each with its own --listen.
One with another --state-url would announce another clock for the same world.
It waits for an event-bus that is not there yet; /readyz reports it.";

/// One clock, and what runs for it.
async fn open(
    deps: &Deps,
    name: &str,
    world: Arc<World>,
    lead: Lead,
    settings: &Settings,
) -> Result<(Face, [Task; 2]), Error> {
    let Deps { bus, state, readiness, shutdown, .. } = deps.clone();
    let suffix = if name.is_empty() { String::new() } else { format!(" of {name}") };
    let polling = readiness.condition(format!("{NAME}: state{suffix}"));
    let emitter = Emitter::new(&bus, NAME, &world.id, TOPIC, &readiness)?;
    let wall = Arc::clone(bus.wall());
    let clockwork = Clockwork::open(Arc::clone(&state), &world, Arc::clone(&wall), lead).await?;
    let clockwork = Arc::new(clockwork);
    let checkpoints = Checkpoints::new(state, format!("clock/{}/checkpoint", world.id));
    let progress = Progress::load(checkpoints).await?;
    clockwork.resume(progress.durable()).await?;
    let agenda = Agenda::new(&world, settings.cadence_game_minutes);
    let ticker = Ticker {
        simulated: Simulation::new(agenda, Arc::clone(&clockwork), settings.catch_up),
        news: clockwork.watch(),
        emitter,
        progress,
        causes: clockwork.causes.clone(),
    };
    let poller = Arc::clone(&clockwork);
    let tasks = [
        Task::new("clock ticker", ticker.run(wall, shutdown.clone())),
        Task::new("clock poll", async move { poller.poll(polling, shutdown).await }),
    ];
    Ok((Face { world, clockwork, is_own_world: !name.is_empty() }, tasks))
}

/// Refuses a cadence that the world's calendar has no place for.
fn check_cadence(found: u32, world: &World) -> Result<(), Error> {
    let most = world.calendar().day_us() / GameTime::MINUTE_US;
    if (1..=most).contains(&i64::from(found)) {
        return Ok(());
    }
    let expected = format!("1 to {most} game minutes, a day of the world's calendar");
    Err(Error::Setting { name: "cadence_game_minutes", expected })
}
