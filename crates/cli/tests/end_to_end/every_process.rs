//! Event-bus and five services as processes of their own over one PostgreSQL: each of them, and the
//! database, is killed once (kill -9) under load, while a tail follows. Over the log of the
//! event-bus, and over emulated SNS and SQS.
//!
//! The judge is this process: it keeps count of the steps that it asked for, and of what the tail
//! shows. No step is lost or made twice, each event comes once, and all services go on by
//! themselves.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Account, Service, Tail, Town, eventually, eventually_within, get, id, is, minutes, post,
};
use worldbus_events::ProducerId;
use worldbus_testkit::PostgresServer;

const SERVICES: [&str; 5] =
    ["time-manager", "weather-manager", "npc-behavior", "world-state", "storyteller"];
/// Steps that are acknowledged between two kills.
const STEPS: u64 = 15;
/// How long a step waits before it is tried again.
const RETRY_DELAY: Duration = Duration::from_millis(20);
/// Weather and people follow a command of the clock or the weather within this, over SQS as well.
const FOLLOWS_MAX: Duration = Duration::from_secs(60);

/// Where the services run.
trait Ground {
    fn start(&self, service: &str, database: &str) -> Service;
    fn event_bus(&self) -> &str;
    fn kill_event_bus(&mut self);
}

impl Ground for Town {
    fn start(&self, service: &str, database: &str) -> Service {
        self.start_over(service, database, by_environment(database)).ready()
    }

    fn event_bus(&self) -> &str {
        &self.bus.url
    }

    fn kill_event_bus(&mut self) {
        self.without_bus(|| {});
    }
}

/// An account, and the event-bus in it.
struct Cloud {
    account: Account,
    bus: Service,
}

impl Ground for Cloud {
    fn start(&self, service: &str, database: &str) -> Service {
        self.account.start_with(service, by_environment(database)).ready()
    }

    fn event_bus(&self) -> &str {
        &self.bus.url
    }

    fn kill_event_bus(&mut self) {
        self.bus.strike();
        let (listen, dir) = (format!("127.0.0.1:{}", self.bus.port()), self.account.folder.path());
        let dir = dir.join("bus").display().to_string();
        let arguments = ["event-bus", "--listen", &listen, "--data-dir", &dir];
        self.bus = Service::spawn(&mut self.account.command(&arguments)).ready();
    }
}

fn by_environment(database: &str) -> impl FnOnce(&mut Command) {
    move |command| {
        command.env("WORLDBUS_DATABASE_URL", database);
    }
}

#[test]
fn every_process_and_the_database_are_killed_once_and_nothing_is_lost() {
    let (seen, versions) = kill_each(Town::found());
    // In the order of the log.
    assert!(versions.is_sorted(), "{versions:?}");
    for (producer, minutes) in minutes_by_producer(&seen) {
        let gapless = minutes.windows(2).all(|pair| pair[1] == pair[0] + 1);
        assert!(gapless, "minutes are missing of {producer:?}: {minutes:?}");
    }
}

#[test]
fn the_same_over_sns_and_sqs() {
    let account = Account::open("each");
    assert_eq!(account.run(&["topology", "apply"]).code, 0);
    let bus = account.event_bus("bus", &[]).ready();
    let (seen, _) = kill_each(Cloud { account, bus });
    for (producer, minutes) in minutes_by_producer(&seen) {
        let all: BTreeSet<_> = minutes.iter().collect();
        let (first, last) = (minutes.iter().min().unwrap(), minutes.iter().max().unwrap());
        assert_eq!(all.len() as i64, last - first + 1, "minutes are missing of {producer:?}");
    }
}

/// Kills each once; what the tail showed, and the versions of the state in it.
fn kill_each(mut ground: impl Ground) -> (Vec<Value>, Vec<u64>) {
    let mut server = PostgresServer::start();
    let database = server.url();
    let tail = Tail::start(ground.event_bus(), &[]);
    let mut running: BTreeMap<_, _> =
        SERVICES.map(|name| (name, ground.start(name, &database))).into();
    let load = Load::start(&running["world-state"].url);
    let scale = json!({ "real_seconds_per_game_hour": 30 });
    assert_eq!(
        post(&format!("{}/api/time/scale", running["time-manager"].url), &scale).status,
        200
    );
    for name in SERVICES {
        load.more();
        running.remove(name).unwrap().kill();
        running.insert(name, ground.start(name, &database));
        load.move_to(&running["world-state"].url);
    }
    load.more();
    ground.kill_event_bus();
    load.more();
    server.kill();
    server.restart();
    load.more();

    storm_is_followed_by_all(&running);
    let made = load.finish();
    let fields = get(&format!("{}/api/state/load", running["world-state"].url)).unwrap().json();
    assert_eq!(fields["fields"]["count"], made);
    let version = fields["world_version"].as_u64().unwrap();
    let mut versions = BTreeSet::new();
    let seen = tail.until(|event| {
        versions.extend(version_of(event));
        (1..=version).all(|version| versions.contains(&version))
    });
    let ids: HashSet<_> = seen.iter().map(id).collect();
    assert_eq!(ids.len(), seen.len(), "an event came twice");
    (seen.clone(), seen.iter().filter_map(version_of).collect())
}

/// A forced storm reaches the people, the state and the chronicle.
fn storm_is_followed_by_all(running: &BTreeMap<&str, Service>) {
    let storm = json!({ "region": "brussels", "state": "storm" });
    let set = post(&format!("{}/api/weather/set", running["weather-manager"].url), &storm);
    assert_eq!(set.status, 200, "{set:?}");
    let follows = |what: &str, service: &str, path: &str, holds: fn(&Value) -> bool| {
        let url = format!("{}{path}", running[service].url);
        eventually_within(FOLLOWS_MAX, what, || holds(&get(&url).ok()?.json()).then_some(()));
    };
    follows("people shelter", "npc-behavior", "/api/people/statistics?region=brussels", |of| {
        of["by_activity"]["shelter"].as_u64() > Some(0)
    });
    follows("the state has the storm", "world-state", "/api/state/region/brussels", |of| {
        of["fields"]["weather"] == "storm"
    });
    follows("the chronicle has it", "storyteller", "/api/chronicle?region=brussels", |of| {
        let entries = of["entries"].as_array().unwrap();
        entries.iter().any(|entry| entry["text"].as_str().unwrap().contains("storm"))
    });
}

fn version_of(event: &Value) -> Option<u64> {
    let version = is(event, "world_state.updated").then(|| &event["payload"]["version"])?;
    version.as_str()?.parse().ok()
}

fn minutes_by_producer(seen: &[Value]) -> HashMap<ProducerId, Vec<i64>> {
    let mut all = HashMap::<ProducerId, Vec<i64>>::new();
    for event in seen.iter().filter(|event| is(event, "time.updated")) {
        all.entry(id(event).producer).or_default().push(minutes(event));
    }
    all
}

/// Steps of the state, each repeated under its key until it is answered.
struct Load {
    shared: Arc<Shared>,
    caller: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    url: Mutex<String>,
    made: AtomicU64,
    done: AtomicBool,
}

impl Load {
    fn start(url: &str) -> Self {
        let shared = Arc::new(Shared { url: Mutex::new(url.to_owned()), ..Shared::default() });
        let caller = Arc::clone(&shared);
        let caller = std::thread::spawn(move || {
            while !caller.done.load(Ordering::Relaxed) {
                let number = caller.made.load(Ordering::Relaxed) + 1;
                let url = caller.url.lock().unwrap().clone();
                if step(&url, number) {
                    caller.made.store(number, Ordering::Relaxed);
                } else {
                    std::thread::sleep(RETRY_DELAY);
                }
            }
        });
        Self { shared, caller }
    }

    /// The state is elsewhere now.
    fn move_to(&self, url: &str) {
        url.clone_into(&mut self.shared.url.lock().unwrap());
    }

    fn made(&self) -> u64 {
        self.shared.made.load(Ordering::Relaxed)
    }

    /// Waits for more steps.
    fn more(&self) {
        let wanted = self.made() + STEPS;
        eventually("steps are made", || (self.made() >= wanted).then_some(()));
    }

    /// Ends it; how many steps were made.
    fn finish(self) -> u64 {
        self.shared.done.store(true, Ordering::Relaxed);
        self.caller.join().unwrap();
        self.shared.made.load(Ordering::Relaxed)
    }
}

fn step(url: &str, number: u64) -> bool {
    let change = json!({"entity": "load", "field": "count", "op": "increment", "value": 1});
    let body = json!({"changes": [change], "idempotency_key": format!("load-{number}")});
    let answer = ureq::post(format!("{url}/api/state/commands"))
        .content_type("application/json")
        .send(body.to_string());
    answer.is_ok()
}
