//! Where instances of services run: their bus, their state, their world, and the wall clock.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::{DEADLINE, Instance};
use worldbus_bus::{Bus, ManualClock, Position, ReadSpec, Reader, Topic, Transport, WallClock};
use worldbus_events::{EventId, EventView};
use worldbus_service::state::Sqlite;
use worldbus_service::{DatabaseUrl, Deps, Part, Readiness, SecretUrl, StateStore, Work, start};
use worldbus_transport_embedded::{Embedded, Options};
use worldbus_world::{WallTime, World};

/// Where the wall clock stands at first: 2026-01-01, and a few odd microseconds.
pub const BEGIN_US: i64 = 1_767_225_600_123_457;

/// One bus, one state store, the sample world, a wall clock that stands.
#[derive(Debug)]
pub struct Place {
    /// What moves the wall clock.
    pub wall: Arc<ManualClock>,
    /// The bus.
    pub bus: Bus,
    /// The state store.
    pub state: Arc<dyn StateStore>,
    /// The database of services that have one.
    pub database: Option<DatabaseUrl>,
    /// The sample world.
    pub world: Arc<World>,
    /// The places for what its instances compute for requests.
    pub work: Work,
    _dir: tempfile::TempDir,
}

/// An event as a subscriber sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its identity.
    pub id: EventId,
    /// The world that its batch names.
    pub world: String,
    /// Its type's number.
    pub event_type: u32,
    /// What it is about.
    pub entity: Option<String>,
    /// Its metadata.
    pub metadata: BTreeMap<String, String>,
    /// Wall time in milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// Its payload message.
    pub payload: Vec<u8>,
}

impl Place {
    /// A new place.
    pub async fn new() -> Self {
        Self::over(|log| log).await
    }

    /// A new place whose bus goes over what `transport` makes of the log.
    pub async fn over(transport: impl FnOnce(Arc<dyn Transport>) -> Arc<dyn Transport>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let wall = Arc::new(ManualClock::new(BEGIN_US));
        let clock: Arc<dyn WallClock> = Arc::clone(&wall) as _;
        let options = Options { clock: Arc::clone(&clock), sync: false, ..Options::default() };
        let log = Embedded::open(dir.path().join("bus"), options).unwrap();
        let bus = Bus::with_wall_clock(transport(Arc::new(log)), clock);
        let state = Arc::new(Sqlite::open(dir.path().join("state.db")).await.unwrap());
        let (world, work) = (Arc::new(World::sample()), Work::default());
        Self { wall, bus, state, database: None, world, work, _dir: dir }
    }

    /// Runs an instance of the service that `start` starts.
    pub async fn run<F>(&self, start: impl FnOnce(Deps, Arc<World>) -> F) -> Instance
    where
        F: Future<Output = Result<Part, start::Error>>,
    {
        self.run_by(Arc::clone(&self.wall) as _, start).await
    }

    /// Runs an instance whose machine has a wall clock of its own.
    pub async fn run_by<F>(
        &self,
        wall: Arc<dyn WallClock>,
        start: impl FnOnce(Deps, Arc<World>) -> F,
    ) -> Instance
    where
        F: Future<Output = Result<Part, start::Error>>,
    {
        let deps = Deps {
            bus: Bus::with_wall_clock(Arc::clone(self.bus.transport()), wall),
            state: Arc::clone(&self.state),
            database: self.database.clone(),
            readiness: Readiness::default(),
            work: self.work.clone(),
            shutdown: CancellationToken::new(),
        };
        let (readiness, shutdown) = (deps.readiness.clone(), deps.shutdown.clone());
        let part = start(deps, Arc::clone(&self.world)).await.unwrap();
        Instance::run(part, readiness, shutdown).await
    }

    /// The same place with another world.
    #[must_use]
    pub fn with_world(mut self, world: World) -> Self {
        self.world = Arc::new(world);
        self
    }

    /// The same place with a database.
    #[must_use]
    pub fn with_database(mut self, url: &str) -> Self {
        self.database = Some(DatabaseUrl { url: SecretUrl::new(url), password: None });
        self
    }

    /// Moves the wall clock forward.
    pub fn advance(&self, us: i64) {
        self.wall.set_us(self.wall.now_us() + us);
    }

    /// The wall time.
    pub fn now(&self) -> WallTime {
        WallTime(self.wall.now_us())
    }

    /// What a topic holds.
    pub async fn events(&self, topic: &str) -> Vec<Seen> {
        let mut reader = self.reader(topic, Position::Start, false).await;
        let mut seen = Vec::new();
        while let Some(stored) = reader.next().await.unwrap() {
            seen.extend(stored.batch.iter().map(|event| Seen::new(stored.batch.world(), &event)));
        }
        seen
    }

    /// Reads a topic from its start until every wanted event was seen.
    pub async fn events_with(&self, topic: &str, mut wanted: HashSet<EventId>) -> Vec<Seen> {
        let mut reader = self.reader(topic, Position::Start, true).await;
        let mut seen = Vec::new();
        while !wanted.is_empty() {
            let next = tokio::time::timeout(DEADLINE, reader.next()).await;
            let missing = wanted.len();
            let stored = next.unwrap_or_else(|_| panic!("{missing} missing")).unwrap().unwrap();
            for event in stored.batch.iter() {
                wanted.remove(&event.id);
                seen.push(Seen::new(stored.batch.world(), &event));
            }
        }
        seen
    }

    /// What a topic holds once something is true of it.
    pub async fn events_until(&self, topic: &str, holds: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        let published = async {
            let mut news = self.reader(topic, Position::Now, true).await;
            loop {
                let all = self.events(topic).await;
                if holds(&all) {
                    return all;
                }
                news.next().await.unwrap();
            }
        };
        if let Ok(all) = tokio::time::timeout(DEADLINE, published).await {
            return all;
        }
        let all = self.events(topic).await;
        let last = &all[all.len().saturating_sub(8)..];
        panic!("not in time; {} events, the last: {last:?}", all.len());
    }

    async fn reader(&self, topic: &str, from: Position, follow: bool) -> Box<dyn Reader> {
        let spec = ReadSpec::topics([Topic::new(topic).unwrap()], from, follow);
        self.bus.transport().read(spec).await.unwrap()
    }
}

impl Seen {
    fn new(world: &str, event: &EventView<'_>) -> Self {
        Self {
            id: event.id,
            world: world.to_owned(),
            event_type: event.event_type,
            entity: event.entity.map(str::to_owned),
            metadata: event.metadata().cloned().unwrap_or_default(),
            timestamp_ms: event.timestamp_ms,
            payload: event.payload.to_vec(),
        }
    }
}
