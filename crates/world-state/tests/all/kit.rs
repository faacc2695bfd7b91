//! For this crate's tests: instances of the world-state with their database, the clock that they
//! receive, and the fold of what they publish.

use std::path::PathBuf;

use serde_json::{Value, json};

use worldbus_events::prost::Message as _;
use worldbus_events::v1;
use worldbus_postgres::Options;
use worldbus_service::config::defaults;
use worldbus_simulated::{Service as _, Setup};
use worldbus_testkit::{Instance, Place, PostgresServer, Seen};
use worldbus_world::{Clock, GameTime, Segment};
use worldbus_world_state::model::Fold;
use worldbus_world_state::store::{Kept, Limits, Postgres, STEPS_COUNT_MAX, Sqlite, Store};
use worldbus_world_state::{Settings, TOPIC, WorldState};

/// A place, and where its instances have their database.
pub(crate) struct State {
    pub(crate) place: Place,
    dir: tempfile::TempDir,
    server: Option<PostgresServer>,
}

impl State {
    pub(crate) async fn new() -> Self {
        Self { place: Place::new().await, dir: tempfile::tempdir().unwrap(), server: None }
    }

    /// The same over a PostgreSQL of its own.
    pub(crate) async fn over_postgres() -> Self {
        let (state, server) = (Self::new().await, PostgresServer::start());
        let place = state.place.with_database(&server.url());
        Self { place, server: Some(server), ..state }
    }

    /// A place with a clock, and an instance that has received it.
    pub(crate) async fn begun() -> (Self, Instance) {
        Self::new().await.begin().await
    }

    /// An instance that has received a clock.
    pub(crate) async fn begin(self) -> (Self, Instance) {
        self.tell(new_clock(&self.place).last()).await;
        let instance = self.run().await;
        instance.ready().await;
        (self, instance)
    }

    pub(crate) async fn run(&self) -> Instance {
        let mut settings: Settings = defaults().unwrap();
        settings.state_database = format!("sqlite:{}", self.file().display());
        self.run_with(settings).await
    }

    /// Where the state is without a PostgreSQL.
    fn file(&self) -> PathBuf {
        self.dir.path().join("w.db")
    }

    /// The steps that are kept, by another store over the same database.
    pub(crate) async fn steps(&self) -> Vec<Kept> {
        let most = u64::MAX;
        let limits = Limits {
            step_count: most,
            step_age_us: i64::MAX,
            key_count: most,
            key_age_us: i64::MAX,
        };
        let store: Box<dyn Store> = match &self.server {
            Some(server) => {
                let options = Options::parse(&server.url()).unwrap();
                Box::new(Postgres::open(options, "europe", limits).await.unwrap())
            }
            None => Box::new(Sqlite::open(self.file(), "europe", limits).await.unwrap()),
        };
        store.steps(0, STEPS_COUNT_MAX).await.unwrap()
    }

    pub(crate) async fn run_with(&self, settings: Settings) -> Instance {
        let start = |deps, world| WorldState::check_and_start(Setup::new(deps, world), settings);
        self.place.run(start).await
    }

    /// Publishes a segment of the clock, as a time-manager would.
    pub(crate) async fn tell(&self, segment: &Segment) {
        let event = v1::ClockChanged {
            epoch: segment.epoch,
            anchor_wall_us: segment.anchor_wall.0,
            anchor_game_us: segment.anchor_game.0,
            scale_numerator: segment.num,
            scale_denominator: segment.den,
            paused: segment.paused,
            reason: "set".to_owned(),
            revision: segment.rev,
            anchor_rest: segment.rest,
            ..v1::ClockChanged::default()
        };
        let publisher = self.place.bus.publisher("time-manager", "europe");
        publisher.publish(&event).await.unwrap();
    }

    /// What was published once it leads to a version, and its fold.
    pub(crate) async fn folded(&self, version: u64) -> (Vec<Seen>, Fold) {
        let leads_there = |seen: &[Seen]| seen.last().is_some_and(|last| at(last) >= version);
        let seen = self.place.events_until(TOPIC, leads_there).await;
        let mut fold = Fold::default();
        for event in &seen {
            fold.apply(&v1::WorldStateUpdated::decode(&event.payload[..]).unwrap()).unwrap();
        }
        (seen, fold)
    }
}

fn at(event: &Seen) -> u64 {
    v1::WorldStateUpdated::decode(&event.payload[..]).unwrap().version
}

/// A clock of the sample world that begins now.
pub(crate) fn new_clock(place: &Place) -> Clock {
    Clock::new(place.world.scale, place.now(), GameTime(0))
}

/// Sets a field; the world's version.
pub(crate) async fn set(instance: &Instance, entity: &str, field: &str, value: Value) -> u64 {
    let body =
        json!({"changes": [{"entity": entity, "field": field, "op": "set", "value": value}]});
    let (status, answer) = instance.post("/api/state/commands", &body.to_string()).await;
    assert_eq!(status, 200, "{answer}");
    answer["world_version"].as_u64().unwrap()
}
