//! For this crate's tests: a real bus and a real state store in a directory, a wall clock that
//! stands until it is moved, and instances of the service on ports of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test kit panics")]
#![allow(dead_code, unreachable_pub, reason = "not every test file uses all of it")]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use worldbus_bus::{
    Appended, Bus, Capabilities, Consumer, DeadLetter, Error, ManualClock, Position, ReadSpec,
    Reader, SubscriptionName, SubscriptionSpec, Topic, TopicStatus, Transport, WallClock,
};
use worldbus_events::{Batch, Event as _, EventId, EventView, ProducerId, v1};
use worldbus_service::door::Door;
use worldbus_service::part::Host;
use worldbus_service::state::Sqlite;
use worldbus_service::{Deps, Readiness, StateStore, server};
use worldbus_time_manager::{NAME, Settings, start};
use worldbus_transport_embedded::{Embedded, Options};
use worldbus_world::{Clock, GameTime, Segment, Slots, WallTime, World, producer_id};

/// No test waits longer than this for anything.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// 2026-01-01, and a few odd microseconds.
pub const BEGIN_US: i64 = 1_767_225_600_123_457;

pub struct Place {
    pub wall: Arc<ManualClock>,
    pub bus: Bus,
    pub state: Arc<dyn StateStore>,
    pub world: Arc<World>,
    _dir: tempfile::TempDir,
}

pub struct Instance {
    pub router: Router,
    pub readiness: Readiness,
    shutdown: CancellationToken,
    ended: JoinHandle<()>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub id: EventId,
    pub event_type: u32,
    pub timestamp_ms: i64,
    pub payload: Vec<u8>,
}

impl Place {
    pub async fn new() -> Self {
        Self::over(|log| Arc::new(log)).await
    }

    /// A place whose bus takes nothing and does not say so.
    pub async fn silent() -> Self {
        Self::over(|log| Arc::new(Silent(log))).await
    }

    async fn over(transport: impl Fn(Embedded) -> Arc<dyn Transport>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let wall = Arc::new(ManualClock::new(BEGIN_US));
        let clock: Arc<dyn WallClock> = Arc::clone(&wall) as _;
        let options = Options { clock: Arc::clone(&clock), sync: false, ..Options::default() };
        let log = Embedded::open(dir.path().join("bus"), options).unwrap();
        let bus = Bus::with_wall_clock(transport(log), clock);
        let state = Arc::new(Sqlite::open(dir.path().join("state.db")).await.unwrap());
        Self { wall, bus, state, world: Arc::new(World::sample()), _dir: dir }
    }

    pub async fn instance(&self, lead_ms: u64) -> Instance {
        let shutdown = CancellationToken::new();
        let readiness = Readiness::default();
        let deps = Deps {
            bus: self.bus.clone(),
            state: Arc::clone(&self.state),
            readiness: readiness.clone(),
            shutdown: shutdown.clone(),
        };
        let settings = Settings { lead: Duration::from_millis(lead_ms), ..Settings::default() };
        let part = start(deps, Arc::clone(&self.world), settings).await.unwrap();
        let router = part.router.clone();
        let listen = "127.0.0.1:0".parse().unwrap();
        let listener = server::bind(listen).await.unwrap();
        let host = Host::new(NAME, Door::new(listen, None).unwrap()).with(part);
        let token = shutdown.clone();
        let ended = tokio::spawn(async move { host.run(listener, token).await.unwrap() });
        Instance { router, readiness, shutdown, ended }
    }

    pub fn advance(&self, us: i64) {
        self.wall.set_us(self.wall.now_us() + us);
    }

    pub fn now(&self) -> WallTime {
        WallTime(self.wall.now_us())
    }

    /// The clock as it is in the state store.
    pub async fn clock(&self) -> Clock {
        let entry = self.state.get("clock/europe").await.unwrap().unwrap();
        let kept: Value = serde_json::from_slice(&entry.value).unwrap();
        let segments = kept["segments"].as_array().unwrap().iter();
        let parse = |e: &Value| serde_json::from_value::<Segment>(e["segment"].clone()).unwrap();
        Clock::from_segments(segments.map(parse)).unwrap()
    }

    /// What the time topic holds.
    pub async fn events(&self) -> Vec<Seen> {
        let mut reader = self.reader(false).await;
        let mut seen = Vec::new();
        while let Some(stored) = reader.next().await.unwrap() {
            seen.extend(stored.batch.iter().map(|event| Seen::new(&event)));
        }
        seen
    }

    async fn reader(&self, follow: bool) -> Box<dyn Reader> {
        let topic = Topic::new(v1::TimeUpdated::TOPIC).unwrap();
        let spec = ReadSpec::topics([topic], Position::Start, follow);
        self.bus.transport().read(spec).await.unwrap()
    }

    /// Reads the time topic from its start until every wanted event was seen.
    pub async fn events_with(&self, mut wanted: HashSet<EventId>) -> Vec<Seen> {
        let mut reader = self.reader(true).await;
        let mut seen = Vec::new();
        while !wanted.is_empty() {
            let next = tokio::time::timeout(DEADLINE, reader.next()).await;
            let missing = wanted.len();
            let stored = next.unwrap_or_else(|_| panic!("{missing} missing")).unwrap().unwrap();
            for event in stored.batch.iter() {
                wanted.remove(&event.id);
                seen.push(Seen::new(&event));
            }
        }
        seen
    }

    /// The ids of time.updated at each game minute that the clock passed until a wall time.
    pub fn minutes(&self, clock: &Clock, until: WallTime) -> HashSet<EventId> {
        let after = clock.segments()[0].anchor_wall.plus_us(-1);
        let minutes = clock.boundaries(after, until, GameTime::MINUTE_US);
        minutes.map(|b| id(b.epoch, b.number, 3)).collect()
    }
}

impl Seen {
    fn new(event: &EventView<'_>) -> Self {
        Self {
            id: event.id,
            event_type: event.event_type,
            timestamp_ms: event.timestamp_ms,
            payload: event.payload.to_vec(),
        }
    }
}

/// Carries all but what is published, whose publishers wait for good.
struct Silent(Embedded);

#[async_trait]
impl Transport for Silent {
    fn capabilities(&self) -> &Capabilities {
        self.0.capabilities()
    }

    async fn publish(&self, _: &Topic, _: Batch) -> Result<Appended, Error> {
        std::future::pending().await
    }

    async fn subscribe(&self, spec: SubscriptionSpec) -> Result<Box<dyn Consumer>, Error> {
        self.0.subscribe(spec).await
    }

    async fn read(&self, spec: ReadSpec) -> Result<Box<dyn Reader>, Error> {
        self.0.read(spec).await
    }

    async fn topics(&self) -> Result<Vec<TopicStatus>, Error> {
        self.0.topics().await
    }

    async fn dead_letters(
        &self,
        subscription: Option<&SubscriptionName>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        self.0.dead_letters(subscription, limit).await
    }

    async fn close(&self) -> Result<(), Error> {
        self.0.close().await
    }
}

/// The id of a time event by the rank of its type.
pub fn id(epoch: u32, number: i64, rank: usize) -> EventId {
    let producer = ProducerId::from_bits(producer_id("europe", NAME, epoch, 0));
    EventId { producer, sequence: Slots::new(5, 0).sequence(number, rank, None) }
}

impl Instance {
    pub async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(DEADLINE, self.ended).await.expect("no end in time").unwrap();
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &str) -> (StatusCode, Value) {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }
}

/// Chance that can be repeated: SplitMix64.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
