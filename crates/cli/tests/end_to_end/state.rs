//! The state of a world through the binary: its verbs, and kill -9 of `worldbus up` at random
//! moments while callers change it, over and over on one data directory. The judge is this
//! process, which keeps a ledger of the steps that it asked for, and `state rebuild`, which folds
//! the events.
//!
//! What this shows: no acknowledged step is lost, none is made twice, none is torn, every version
//! is published once, and the state is the fold of its events. What SIGKILL cannot show: that the
//! bytes reached the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{DEADLINE, Service, eventually, get, post, run, run_with_input, worldbus};

/// Kills, unless `WORLDBUS_TEST_CYCLES` is set: `cargo xtask ci --long` has hundreds.
const CYCLES: usize = 8;
/// Who changes the state at once.
const CALLERS: usize = 8;
/// Acknowledged steps after which, at the latest, a kill comes.
const ACKED_BEFORE_KILL_MAX: u64 = 300;
/// How long a caller waits for an answer of a process that is dead.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// A caller: its steps are numbered, each has a key of its own.
struct Caller {
    name: usize,
    /// Steps that were acknowledged.
    made: u64,
}

impl Caller {
    /// Makes the next step, again under its key if it had no answer; false without one now.
    fn step(&mut self, url: &str, agent: &ureq::Agent) -> bool {
        let (name, number) = (self.name, self.made + 1);
        let own = format!("caller/{name}");
        let body = json!({
            "idempotency_key": format!("{name}-{number}"),
            "actor": format!("caller-{name}"),
            "changes": [
                {"entity": own, "field": "count", "op": "increment", "value": 1},
                {"entity": own, "field": "last", "op": "set", "value": number},
                {"entity": "all", "field": "count", "op": "increment", "value": 1},
                {"entity": format!("step/{name}/{}", number % 50), "field": "number", "op": "set",
                    "value": number},
                {"entity": format!("step/{name}/{}", (number + 25) % 50), "op": "remove"},
            ],
        });
        let request = agent.post(format!("{url}/api/state/commands"));
        let answer = request.content_type("application/json").send(body.to_string());
        let made = answer.is_ok_and(|answer| answer.status() == 200);
        self.made += u64::from(made);
        made
    }
}

#[test]
fn state_is_the_fold_of_its_events_and_no_step_is_lost_or_doubled_by_kill_after_kill() {
    let seed = std::env::var("WORLDBUS_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut chance = seed.unwrap_or_else(|| 1 | u64::from(std::process::id()) << 20);
    println!("WORLDBUS_TEST_SEED={chance} (the moments of the kills also follow the scheduler)");
    let cycles = std::env::var("WORLDBUS_TEST_CYCLES").ok().and_then(|text| text.parse().ok());
    let cycles: usize = cycles.unwrap_or(CYCLES);
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let mut callers: Vec<_> = (0..CALLERS).map(|name| Caller { name, made: 0 }).collect();
    for cycle in 0..cycles {
        let service = Service::start("up", &["--data-dir", dir, "--log", "error"]);
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        callers = until_killed(service, callers, chance % ACKED_BEFORE_KILL_MAX);
        println!("kill {cycle}: {} steps", callers.iter().map(|caller| caller.made).sum::<u64>());
    }

    // Each asks once more for what had no answer; then the ledger is the state.
    let service = Service::start("up", &["--data-dir", dir, "--log", "error"]).ready();
    let agent = agent();
    for caller in &mut callers {
        assert!(caller.step(&service.url, &agent), "caller {}", caller.name);
    }
    for caller in &callers {
        let fields = fields(&service.url, &format!("caller/{}", caller.name));
        assert_eq!(fields, json!({"count": caller.made, "last": caller.made}));
    }
    let made: u64 = callers.iter().map(|caller| caller.made).sum();
    assert_eq!(fields(&service.url, "all"), json!({"count": made}));
    assert!(made > cycles as u64, "the test did its work");
    let rebuilt = rebuilt(&service.url);
    // From the first event on: none is missing and none is there twice.
    assert_eq!((&rebuilt["from_version"], &rebuilt["differing"]), (&json!(0), &json!(0)));
    assert_eq!(rebuilt["events"], rebuilt["world_version"]);
    println!("{cycles} kills, {made} steps of ours, {} versions", rebuilt["world_version"]);
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().timeout_global(Some(ANSWER_MAX));
    config.http_status_as_error(false).build().into()
}

/// Lets all make steps until so many are acknowledged and the process is killed amid the rest.
fn until_killed(service: Service, callers: Vec<Caller>, acked_min: u64) -> Vec<Caller> {
    let acked = Arc::new(AtomicU64::new(0));
    let threads: Vec<_> = callers
        .into_iter()
        .map(|mut caller| {
            let (url, acked) = (service.url.clone(), Arc::clone(&acked));
            std::thread::spawn(move || {
                let agent = agent();
                while caller.step(&url, &agent) {
                    acked.fetch_add(1, Ordering::Relaxed);
                }
                caller
            })
        })
        .collect();
    eventually("steps are acknowledged", || {
        (acked.load(Ordering::Relaxed) >= acked_min).then_some(())
    });
    service.kill();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

fn fields(url: &str, entity: &str) -> Value {
    get(&format!("{url}/api/state/{entity}")).unwrap().json()["fields"].clone()
}

/// What `state rebuild` reports, once all that is to be published was.
fn rebuilt(url: &str) -> Value {
    let deadline = std::time::Instant::now() + DEADLINE;
    loop {
        let finished = run(&["state", "rebuild", "--url", url, "--format", "json"]);
        match finished.code {
            0 => return serde_json::from_slice(&finished.stdout).unwrap(),
            _ => assert!(std::time::Instant::now() < deadline, "{finished:?}"),
        }
    }
}

#[test]
fn verbs_show_and_change_the_state_and_the_weather_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let service = Service::start("up", &["--data-dir", dir, "--log", "error"]).ready();
    let state = |arguments: &[&str]| {
        run(&[&["state"], arguments, &["--url", &service.url, "--format", "json"]].concat())
    };
    let json = |arguments: &[&str]| -> Value {
        let finished = state(arguments);
        assert_eq!(finished.code, 0, "{finished:?}");
        serde_json::from_slice(&finished.stdout).unwrap()
    };
    json(&["set", "faction/guild", "gold", "250", "--reason", "the tale begins"]);
    json(&["increment", "faction/guild", "gold", "-50"]);
    json(&["set", "faction/guild", "seat", "{\"city\":\"ghent\"}"]);
    json(&["remove", "faction/guild", "seat"]);
    assert_eq!(json(&["get", "faction/guild"])["fields"], json!({"gold": 200}));
    assert_eq!(json(&["get", "faction/guild", "gold"]), json!(200));
    let history = json(&["history", "faction/guild"]);
    assert_eq!(history["history"].as_array().unwrap().len(), 4);
    assert_eq!(history["history"][3]["reason"], "the tale begins");
    state(&["set", "faction/guild", "gold", "1", "--if-version", "9"])
        .refused(&["it has version 4", "nothing was done"]);
    state(&["get", "faction/Guild"]).refused(&["expected 1 to 256 bytes"]);
    state(&["get", "nothing"]).refused(&["no entity nothing"]);

    // The same storm as of the page of the weather.
    let storm = json!({"region": "brussels", "state": "storm"});
    assert_eq!(post(&format!("{}/api/weather/set", service.url), &storm).status, 200);
    eventually("the storm is in the state", || {
        let finished = state(&["get", "region/brussels", "weather"]);
        (finished.stdout == b"\"storm\"\n").then_some(())
    });
    let storms = json(&["list", "region/", "--where", "weather:storm"]);
    let names = storms["entities"].as_array().unwrap().iter().map(|entity| &entity["entity"]);
    assert!(names.collect::<Vec<_>>().contains(&&json!("region/brussels")));
    let mut watch = worldbus();
    watch.args(["state", "watch", "faction/", "--from-version", "0", "--count", "4"]);
    watch.args(["--url", &service.url]);
    let watched = run_with_input(&mut watch, b"");
    assert_eq!((watched.code, watched.lines().len()), (0, 4), "{watched:?}");
    assert!(watched.lines()[0].contains("faction/guild/gold=250"), "{watched:?}");
}
