//! For this crate's tests: a real bus and a real state store in a directory, a wall clock that
//! stands until it is moved, and instances of the service on ports of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test kit panics")]
#![allow(dead_code, unreachable_pub, reason = "not every test file uses all of it")]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use worldbus_bus::{Bus, ManualClock, Position, ReadSpec, Topic, WallClock};
use worldbus_events::{Event as _, EventId, ProducerId, v1};
use worldbus_service::door::Door;
use worldbus_service::part::Host;
use worldbus_service::state::Sqlite;
use worldbus_service::{Deps, Readiness, StateStore, server};
use worldbus_transport_embedded::{Embedded, Options};
use worldbus_weather_manager::{NAME, Settings, start};
use worldbus_world::{Clock, GameTime, Segment, Slots, WallTime, World, producer_id};

/// No test waits longer than this for anything.
pub const DEADLINE: Duration = Duration::from_secs(30);
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
        let dir = tempfile::tempdir().unwrap();
        let wall = Arc::new(ManualClock::new(BEGIN_US));
        let clock: Arc<dyn WallClock> = Arc::clone(&wall) as _;
        let options = Options { clock: Arc::clone(&clock), sync: false, ..Options::default() };
        let log = Embedded::open(dir.path().join("bus"), options).unwrap();
        let bus = Bus::with_wall_clock(Arc::new(log), clock);
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
        let settings = Settings { lead: Duration::from_millis(lead_ms) };
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

    /// Tells a segment of the clock, as a time-manager would.
    pub async fn tell(&self, segment: &Segment) {
        let event = v1::ClockChanged {
            epoch: segment.epoch,
            anchor_wall_us: segment.anchor_wall.0,
            anchor_game_us: segment.anchor_game.0,
            scale_numerator: segment.num,
            scale_denominator: segment.den,
            paused: segment.paused,
            reason: "set".to_owned(),
            revision: segment.rev,
        };
        self.bus.publisher("time-manager", "europe").publish(&event).await.unwrap();
    }

    /// A clock of the sample world that begins now.
    pub fn clock(&self) -> Clock {
        Clock::new(self.world.scale, self.now(), GameTime(0))
    }

    /// Reads the weather topic from its start until every wanted event was seen.
    pub async fn events_with(&self, mut wanted: HashSet<EventId>) -> Vec<Seen> {
        let topic = Topic::new(v1::WeatherChanged::TOPIC).unwrap();
        let spec = ReadSpec::topics([topic], Position::Start, true);
        let mut reader = self.bus.transport().read(spec).await.unwrap();
        let mut seen = Vec::new();
        while !wanted.is_empty() {
            let next = tokio::time::timeout(DEADLINE, reader.next()).await;
            let missing = wanted.len();
            let stored = next.unwrap_or_else(|_| panic!("{missing} missing")).unwrap().unwrap();
            for event in stored.batch.iter() {
                wanted.remove(&event.id);
                seen.push(Seen {
                    id: event.id,
                    event_type: event.event_type,
                    timestamp_ms: event.timestamp_ms,
                    payload: event.payload.to_vec(),
                });
            }
        }
        seen
    }
}

/// The id of a region's weather.changed under no override.
pub fn changed_id(epoch: u32, game: GameTime, region: usize) -> EventId {
    let producer = ProducerId::from_bits(producer_id("europe", NAME, epoch, 0));
    let sequence = Slots::new(9, 12).sequence(game.seconds(), 0, Some(region));
    EventId { producer, sequence }
}

impl Instance {
    pub async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(DEADLINE, self.ended).await.expect("no end in time").unwrap();
    }

    /// Waits until the clock was heard.
    pub async fn ready(&self) {
        let heard = async {
            while !self.readiness.is_ready() {
                tokio::task::yield_now().await;
            }
        };
        let heard = tokio::time::timeout(DEADLINE, heard).await;
        assert!(heard.is_ok(), "not ready in time: {:?}", self.readiness.missing());
    }

    /// Waits until the answer is as wanted.
    pub async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let asked = async {
            loop {
                let (_, answer) = self.get(path).await;
                if wanted(&answer) {
                    return answer;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, asked).await.expect("no such answer in time")
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
