//! The service as a part of a program: what it states of itself, its settings, what it becomes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::chronicler::{Chronicler, Receiver};
use crate::director::{self, Desk, Mode};
use crate::rewrite::{QUEUE_COUNT_MAX, Rewriter};
use crate::rules::{FILE_BYTES_MAX, Rules};
use crate::store::{Postgres, Sqlite, Store};
use crate::{NAME, TOPIC, publish, rest, rewrite};
use worldbus_bus::{Bus, Router};
use worldbus_postgres::Options;
use worldbus_service::start::Error;
use worldbus_service::{
    CancellationToken, DatabaseUrl, Deps, Description, Part, Publishes, Secret, StateUse, Task,
    file, settings,
};
use worldbus_simulated::follow::{Follower, IfRefused, subscribe};
use worldbus_simulated::{Causes, Emitter, Service, Setup, SharedClock, Wake};
use worldbus_world::World;

settings! {
    /// How the chronicle is written and where it is kept.
    pub struct Settings {
        /// File of the chronicle, without a `database_url`. Instances on one machine may share it.
        chronicle: PathBuf = "{data_dir}/chronicle.db",
        /// File of rules, the same for all instances; without it those that are built in.
        chronicle_rules: Option<PathBuf>,
        /// What the director may do: `off`, `propose` incidents, or `auto`: accept them, too.
        director: Mode = "propose",
        /// A language model that may rewrite entries: `http://host:port/v1/chat/completions`.
        chat_url: Option<String>,
        /// Its name, as its server has it.
        chat_model: String = "default",
        /// The key that its server asks for, if it has one.
        chat_api_key: Option<Secret>,
        /// Only entries of at least this significance are rewritten, 0 to 1000.
        chat_min_significance: u16 = "400",
    }
}

/// What the settings name, read once.
#[derive(Debug)]
pub struct Checked {
    rules: Rules,
    rewriter: Option<Rewriter>,
}

/// The service. Its conditions: a clock was received, the bus takes events, the chronicle is
/// written.
#[derive(Debug)]
pub struct Storyteller;

impl Service for Storyteller {
    const DESCRIPTION: Description = Description {
        name: NAME,
        about: "Write the chronicle of a world, over an event-bus",
        help: HELP,
        ask: Some("chronicle search rain"),
        publishes: Publishes::To(TOPIC),
        requests: crate::REQUESTS,
        receives: crate::RECEIVES,
        studio_types: false,
        state: &[StateUse::Get, StateUse::CompareAndSet],
        database: true,
        api: &["chronicle", "director"],
        port: 7075,
    };

    type Settings = Settings;
    type Checked = Checked;

    fn check(settings: &Settings, _: &World) -> Result<Checked, Error> {
        Ok(Checked { rules: rules(settings)?, rewriter: rewriter(settings)? })
    }

    async fn start(
        setup: Setup,
        settings: Settings,
        Checked { rules, rewriter }: Checked,
    ) -> Result<Part, Error> {
        let Setup { deps, world, .. } = setup;
        let Deps { bus, state, database, readiness, work, shutdown } = deps;
        let rules = Arc::new(rules);
        let received = readiness.condition(format!("{NAME}: clock"));
        let stored = readiness.condition(format!("{NAME}: chronicle"));
        let store = open(database, &settings, &world.id).await?;
        stored.met();
        let key = format!("chronicle/{}/clock", world.id);
        let (causes, wake) = (Causes::default(), Wake::default());
        let clock = Arc::new(SharedClock::open(state, key, received, causes, wake).await?);
        let follower = Follower::new(bus.clone(), &world.id, Arc::clone(&clock));
        let follower = Arc::new(follower);
        let emitter = Emitter::new(&bus, NAME, &world.id, TOPIC, &readiness)?;
        let wall = Arc::clone(bus.wall());
        let mut chronicler = Chronicler::new(world, rules, store, clock, follower, stored);
        let mut rewriting = None;
        if let Some(rewriter) = rewriter {
            let (sender, entries) = mpsc::channel(QUEUE_COUNT_MAX);
            chronicler = chronicler.with_rewriter(sender, settings.chat_min_significance);
            rewriting = Some((rewriter, entries));
        }
        let chronicler = Arc::new(chronicler);
        let desk = Arc::new(Desk::new(Arc::clone(&chronicler), wall, settings.director));
        let routes = rest::routes(Arc::clone(&desk), work);
        let received = receive(bus, Arc::clone(&chronicler), shutdown.clone());
        let published = publish::run(Arc::clone(&chronicler), emitter, shutdown.clone());
        let mut part = Part::new(NAME, routes)
            .with_openapi(rest::openapi())
            .with_task(Task::new("chronicle subscription", received))
            .with_task(Task::new("chronicle outbox", published))
            .with_task(Task::new("director", director::run(desk, shutdown.clone())));
        if let Some((rewriter, entries)) = rewriting {
            let rewritten = rewrite::run(rewriter, chronicler, entries, shutdown);
            part = part.with_task(Task::new("chronicle rewriting", rewritten));
        }
        Ok(part)
    }
}

/// What an instance had when it was killed comes to another one after this: less than the grace of
/// the rules, so that it still finds its place in the order. Handling takes milliseconds.
const LEASE: Duration = Duration::from_secs(5);

const HELP: &str = "\
Examples:
  worldbus storyteller                    its bus: http://127.0.0.1:7070
  worldbus storyteller --chronicle-rules my-rules.toml
  worldbus chronicle search rain --url http://127.0.0.1:7075

It follows the clock that a time-manager announces; until it has received one it is not ready.
Several instances on one machine may share a --chronicle, and on any machine a database
(WORLDBUS_DATABASE_URL=postgres://USER@HOST/DATABASE); docs/how-to/chronicle.md has the rules.";

/// The chronicle in the database, or in a file.
async fn open(
    database: Option<DatabaseUrl>,
    settings: &Settings,
    world: &str,
) -> Result<Arc<dyn Store>, Error> {
    Ok(match database {
        Some(url) => Arc::new(Postgres::open(Options::of(&url)?, world).await?),
        None => Arc::new(Sqlite::open(settings.chronicle.clone(), world).await?),
    })
}

/// The rules that the settings name.
fn rules(settings: &Settings) -> Result<Rules, Error> {
    let Some(path) = &settings.chronicle_rules else { return Ok(Rules::built_in()) };
    let name = path.display().to_string();
    let refused = |why: String| Error::Setting {
        name: "chronicle_rules",
        expected: format!("a file of rules, found a mistake: {why}"),
    };
    let text = file::read_text(path, FILE_BYTES_MAX);
    let text = text.map_err(|error| refused(format!("{name}: {error}")))?;
    Rules::parse(&name, &text).map_err(|error| refused(error.to_string()))
}

/// What rewrites entries, if the settings name it.
fn rewriter(settings: &Settings) -> Result<Option<Rewriter>, Error> {
    let Settings { chat_url: Some(url), chat_model, chat_api_key, .. } = settings else {
        return Ok(None);
    };
    let made = Rewriter::new(url, chat_model, chat_api_key.as_ref());
    made.map(Some).map_err(|expected| Error::Setting { name: "chat_url", expected })
}

/// Receives what the service subscribes to, until the shutdown.
async fn receive(
    bus: Bus,
    chronicler: Arc<Chronicler>,
    shutdown: CancellationToken,
) -> Result<(), worldbus_bus::Error> {
    let handlers = |router: Router| Receiver::new(&chronicler).on(router.lease(LEASE));
    let subscribed = subscribe(&bus, NAME, handlers, IfRefused::Fail, &shutdown);
    tokio::try_join!(subscribed, chronicler.follower.follow(&shutdown))?;
    Ok(())
}
