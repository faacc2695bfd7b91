//! The service as a part of a program: what it states of itself, how it works, what it becomes.

use std::path::PathBuf;
use std::sync::Arc;

use crate::asked::{Asked, EVENTS_COUNT_MAX};
use crate::desk::Desk;
use crate::outbox::Outbox;
use crate::projections::{Projections, Projector};
use crate::requests::Requests;
use crate::store::{Limits, Postgres, Sqlite, Store, StoreError};
use crate::{NAME, TOPIC, expiries, grpc, rest};
use worldbus_bus::{Bus, Order, Router};
use worldbus_events::Event as _;
use worldbus_events::v1::{self, ClockChanged, WorldStateChangeRequested};
use worldbus_postgres::Options;
use worldbus_service::start::Error;
use worldbus_service::state::{self, Kind};
use worldbus_service::{
    CancellationToken, DatabaseUrl, Deps, Description, Part, Publishes, StateUse, Task, settings,
};
use worldbus_simulated::follow::{Follower, IfRefused, subscribe};
use worldbus_simulated::{Causes, Emitter, Service, Setup, SharedClock, Wake};
use worldbus_world::World;

const HOUR_US: i64 = 3_600_000_000;
/// What a limit of the past may be: no less than what comes within a moment.
const STEPS_MIN: u64 = 1_000;
const KEYS_MIN: u64 = 1_000;
/// Hours that may be kept: a hundred years.
const HOURS_MAX: u64 = 876_000;

settings! {
    /// How the service works; the same in all instances.
    pub struct Settings {
        /// Where the state is kept without a `database_url`: `sqlite:PATH`.
        state_database: String = "sqlite:{data_dir}/world-state.db",
        /// Steps that are kept, with which the state at any version since can be read, at least
        /// 1000. Beyond them the oldest are removed.
        state_history_steps: u64 = "1000000",
        /// Hours that steps are kept.
        state_history_hours: u64 = "720",
        /// Idempotency keys that are kept, at least 1000. Beyond them the oldest are removed.
        state_keys: u64 = "1000000",
        /// Hours that idempotency keys are kept.
        state_key_hours: u64 = "24",
        /// File of projections, in place of those that are built in: what events write into the
        /// state.
        state_projections: Option<PathBuf>,
    }
}

/// The service. Its state is in a database of its own, the clock that it received under
/// `world-state/{world}` in the state store; its conditions: a clock was received, the bus takes
/// events, the database can be read and written.
#[derive(Debug)]
pub struct WorldState;

impl Service for WorldState {
    const DESCRIPTION: Description = Description {
        name: NAME,
        about: "Run the state of a world, over an event-bus",
        help: HELP,
        ask: Some("state list"),
        publishes: Publishes::To(TOPIC),
        requests: &[],
        receives: RECEIVES,
        studio_types: true,
        state: &[StateUse::Get, StateUse::CompareAndSet],
        database: true,
        api: &["state"],
        port: 7074,
    };

    type Settings = Settings;
    type Checked = ();

    fn check(settings: &Settings, _: &World) -> Result<(), Error> {
        settings.path()?;
        settings.limits().map(drop)
    }

    async fn start(setup: Setup, settings: Settings, (): ()) -> Result<Part, Error> {
        let Setup { deps, world, event_types, .. } = setup;
        let projections = Projections::load(settings.state_projections.as_deref(), &event_types)?;
        let Deps { bus, state, database, readiness, shutdown, .. } = deps;
        let received = readiness.condition(format!("{NAME}: clock"));
        let condition = readiness.condition(format!("{NAME}: database"));
        let emitter = Emitter::new(&bus, NAME, &world.id, TOPIC, &readiness)?;
        let key = format!("{NAME}/{}/clock", world.id);
        let (causes, wake) = (Causes::default(), Wake::default());
        let clock_news = wake.subscribe();
        let clock = Arc::new(SharedClock::open(state, key, received, causes, wake).await?);
        let store = open(database, &settings, &world.id).await?;
        let wall = Arc::clone(bus.wall());
        let follower = Arc::new(Follower::new(bus.clone(), &world.id, Arc::clone(&clock)));
        let desk = Desk { world, store: Arc::clone(&store), clock, wall };
        let outbox = Outbox { store, emitter, condition };
        let asked = Asked::at(&desk);
        let requests = Requests::new(asked.clone(), &desk.world.id);
        let projector = Projector::new(asked, &desk.world.id, projections);
        let router = rest::routes(desk.clone(), bus.clone()).merge(grpc::routes(desk.clone()));
        let expiring = expiries::run(desk, clock_news, shutdown.clone());
        let received = receive(bus, requests, projector, follower, shutdown.clone());
        Ok(Part::new(NAME, router)
            .with_openapi(rest::openapi())
            .with_descriptors(worldbus_rpc::STATE_FILE_DESCRIPTOR_SET)
            .with_task(Task::new("state outbox", outbox.run(shutdown)))
            .with_task(Task::new("state expiry", expiring))
            .with_task(Task::new("state subscription", received)))
    }
}

/// With the event types of the projections that are built in.
const RECEIVES: &[&str] = &[
    ClockChanged::NAME,
    WorldStateChangeRequested::NAME,
    v1::TimeChanged::NAME,
    v1::HourChanged::NAME,
    v1::DayChanged::NAME,
    v1::Paused::NAME,
    v1::Resumed::NAME,
    v1::WeatherChanged::NAME,
    v1::WeatherSevere::NAME,
    v1::WeatherAlertUpdated::NAME,
    v1::WeatherAlertEnded::NAME,
    v1::NpcCrowdChanged::NAME,
];

const HELP: &str = "\
Examples:
  worldbus world-state                    its bus: http://127.0.0.1:7070
  worldbus world-state --data-dir ./state --state-history-hours 24
  worldbus state get region/ghent --url http://127.0.0.1:7074

The database is one file of one world, which instances on one machine may share, or PostgreSQL for
instances on any machine:
  WORLDBUS_DATABASE_URL=postgres://worldbus@db.example/worldbus?sslmode=require worldbus world-state
They never fork it; docs/how-to/postgres.md has the URL.";

/// Receives what the service subscribes to, until the shutdown.
async fn receive(
    bus: Bus,
    requests: Requests,
    projector: Projector,
    clock: Arc<Follower<SharedClock>>,
    shutdown: CancellationToken,
) -> Result<(), worldbus_bus::Error> {
    let handlers = |router: Router| {
        // What events ask for enters its queue in their order, which is the order of the steps.
        let router = router.concurrency(EVENTS_COUNT_MAX).order(Order::BeginOnly);
        projector.on(requests.on(clock.on(router)?)?)
    };
    let subscribed = subscribe(&bus, NAME, handlers, IfRefused::Fail, &shutdown);
    tokio::try_join!(subscribed, clock.follow(&shutdown))?;
    Ok(())
}

/// The state in the database, or in a file.
async fn open(
    database: Option<DatabaseUrl>,
    settings: &Settings,
    world: &str,
) -> Result<Arc<dyn Store>, Error> {
    let limits = settings.limits()?;
    match database {
        Some(url) => {
            let store = Postgres::open(Options::of(&url)?, world, limits).await;
            Ok(Arc::new(store.map_err(into_start)?))
        }
        None => {
            let store = Sqlite::open(settings.path()?, world, limits).await;
            Ok(Arc::new(store.map_err(into_start)?))
        }
    }
}

fn into_start(error: StoreError) -> Error {
    match error {
        StoreError::Database(error) => error.into(),
        other => state::Error::new(Kind::Damaged, other.to_string()).into(),
    }
}

impl Settings {
    fn path(&self) -> Result<PathBuf, Error> {
        state::path(&self.state_database).map_err(|_| {
            let expected = format!("sqlite:PATH, found {:.80?}", self.state_database);
            Error::Setting { name: "state_database", expected }
        })
    }

    fn limits(&self) -> Result<Limits, Error> {
        for (name, found, least, most) in [
            ("state_history_steps", self.state_history_steps, STEPS_MIN, u64::MAX),
            ("state_history_hours", self.state_history_hours, 1, HOURS_MAX),
            ("state_keys", self.state_keys, KEYS_MIN, u64::MAX),
            ("state_key_hours", self.state_key_hours, 1, HOURS_MAX),
        ] {
            if !(least..=most).contains(&found) {
                let expected = match most {
                    u64::MAX => format!("at least {least}"),
                    most => format!("{least} to {most}"),
                };
                return Err(Error::Setting { name, expected });
            }
        }
        Ok(Limits {
            step_count: self.state_history_steps,
            step_age_us: self.state_history_hours as i64 * HOUR_US,
            key_count: self.state_keys,
            key_age_us: self.state_key_hours as i64 * HOUR_US,
        })
    }
}
