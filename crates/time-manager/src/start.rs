//! The service as a part of a binary: how it works, and what it becomes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::agenda::Agenda;
use crate::clock::clockwork::Clockwork;
use crate::desk::{Desk, Face, Refresh};
use crate::simulation::{CatchUp, Simulation};
use crate::{NAME, TOPIC, grpc, requests, rest};
use worldbus_events::SharedCatalogue;
use worldbus_service::start::Error;
use worldbus_service::{Deps, Part, Task};
use worldbus_simulated::{Checkpoints, Emitter, Lead, Progress, Ticker};
use worldbus_world::{GameTime, World};

/// How the service works; the same in all instances.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Game minutes from one `time.updated` to the next: 1 to those of a day of the world's
    /// calendar.
    pub cadence_game_minutes: u32,
    /// How far ahead commands take effect. Zero only where one process owns the state.
    pub lead: Duration,
    /// What is published of the time in which no instance ran.
    pub catch_up: CatchUp,
    /// The event types that may be scheduled.
    pub catalogue: SharedCatalogue,
    /// Asked for news when an event cannot be scheduled as it is, if anything registers event types
    /// elsewhere.
    pub refresh: Option<Arc<dyn Refresh>>,
}

impl Default for Settings {
    /// Each game minute; two seconds; all; the types of Worldbus.
    fn default() -> Self {
        let (lead, catch_up) = (Duration::from_secs(2), CatchUp::All);
        let catalogue = SharedCatalogue::default();
        Self { cadence_game_minutes: 1, lead, catch_up, catalogue, refresh: None }
    }
}

/// Restores a world's clocks, or begins them now, and hands out routes and tasks. Their state is
/// kept under `clock/{world}`, that of a named clock under `clock/{world}:{name}`;
/// the conditions: the bus takes events, the state can be read.
///
/// # Errors
/// See [`Error`].
pub async fn start(deps: Deps, world: Arc<World>, settings: Settings) -> Result<Part, Error> {
    let lead = Lead::new(settings.lead)?;
    check_cadence(settings.cadence_game_minutes, &world)?;
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
    let event_types = (settings.catalogue.clone(), settings.refresh.clone());
    let desk = Desk::new(faces, event_types, deps.work.clone());
    let requests = requests::run(deps.bus.clone(), desk.clone(), deps.shutdown.clone());
    tasks.push(Task::new("clock requests", requests));
    let router = rest::routes(desk.clone()).merge(grpc::routes(desk));
    let part = Part::new(NAME, router)
        .with_openapi(rest::openapi())
        .with_descriptors(worldbus_rpc::TIME_FILE_DESCRIPTOR_SET);
    Ok(tasks.into_iter().fold(part, Part::with_task))
}

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
///
/// # Errors
/// `Setting`, saying what was expected.
pub fn check_cadence(found: u32, world: &World) -> Result<(), Error> {
    let most = world.calendar().day_us() / GameTime::MINUTE_US;
    if (1..=most).contains(&i64::from(found)) {
        return Ok(());
    }
    let wanted = format!("1 to {most} game minutes, a day of the world's calendar");
    Err(Error::Setting(format!("cadence: expected {wanted}, found {found}")))
}
