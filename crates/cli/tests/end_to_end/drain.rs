//! SIGTERM in the middle of a load, over and over, as when AWS takes a Spot instance back. What
//! was handled before is not handled again by the next instance, what was not is, and the process
//! is gone in time. An outside ledger judges: what was acknowledged to the publisher, against what
//! was handled.
//!
//! Two kinds of process are stopped. One is this test program itself, as a service that is built
//! with the facade `worldbus`: its handler appends the id of each event to a file, which outlives
//! the process. The other is the binary's event-bus over SNS and SQS, with a log of its own each
//! time, as a task on Fargate has it; the logs are read when it is gone.
//!
//! What this cannot show: that SQS delivers twice of its own accord, which it may at any time; the
//! emulator does not.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::{
    Account, Feed, SHUTDOWN_MAX, Service, eventually_within, signal, wait_for_end, worldbus,
};
use worldbus::events::v1::WorldStateUpdated;
use worldbus::{HandlerError, Message, Position, ReadSpec, Router};
use worldbus_testkit::Dice;

/// How often a process is stopped, unless `WORLDBUS_TEST_STOPS` is set, as by the long lane.
const RUNS: u64 = 20;
/// How long it works before that, at the most.
const WORK_MS_MAX: u64 = 500;
/// Events under way at once: at 30 ms a batch, several thousand a second.
const AHEAD: usize = 256;
/// How long what is left may take when no process is stopped any more. Longer than a lease: what an
/// answer carried that no one awaited any more comes again only when that has ended.
const REST_MAX: Duration = Duration::from_secs(120);
const LINE: &str = "{\"type\":\"world_state.updated\",\"payload\":{}}";
const TYPE: &str = "world_state.updated";
const TOPIC: &str = "world";

/// Give the consumer process its ledger's file and the bus that it consumes.
const LEDGER: &str = "DRAIN_TEST_LEDGER";
const BUS: &str = "DRAIN_TEST_BUS";
const SUBSCRIPTION: &str = "drain";
/// Every so many events the handler takes a while, so that there is something to interrupt.
const PAUSE_EVERY: u64 = 32;

/// The consumer process: not a test of its own, does nothing unless another asks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumer_writes_what_it_handles_into_its_ledger() {
    let Ok(ledger) = std::env::var(LEDGER) else { return };
    let shutdown = worldbus_service::shutdown::on_signal().unwrap();
    let bus = worldbus::connect(&std::env::var(BUS).unwrap(), None).await.unwrap();
    let ledger = OpenOptions::new().append(true).create(true).open(ledger).unwrap();
    let ledger = Arc::new(ledger);
    let handle = move |_: WorldStateUpdated, message: Message| {
        let ledger = Arc::clone(&ledger);
        async move {
            (&*ledger).write_all(format!("{}\n", message.id).as_bytes())?;
            if message.id.sequence.is_multiple_of(PAUSE_EVERY) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Ok::<(), HandlerError>(())
        }
    };
    let router = Router::new(&bus, SUBSCRIPTION).unwrap().on(handle).unwrap();
    let router = router.open().await.unwrap();
    println!("consuming");
    router.run(shutdown).await.unwrap();
    bus.close().await.unwrap();
}

struct Consumer(Child);

impl Consumer {
    /// Starts one and waits until its subscription is open.
    fn start(environment: &[(&'static str, String)], url: &str, ledger: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["drain::consumer_writes_what_it_handles_into_its_ledger", "--exact"]);
        command.arg("--nocapture").stdout(Stdio::piped());
        command.envs(environment.iter().cloned()).env(BUS, url).env(LEDGER, ledger);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        assert!(lines.any(|line| line.ends_with("consuming")), "the consumer did not start");
        // Reading on keeps the pipe open.
        std::thread::spawn(move || lines.for_each(drop));
        Self(child)
    }

    fn terminate(mut self) -> Duration {
        let begun = Instant::now();
        signal(self.0.id(), "TERM");
        let status = wait_for_end(&mut self.0);
        assert_eq!(status.code(), Some(0), "{status}");
        begun.elapsed()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The moments, from a seed that is printed.
fn dice() -> Dice {
    let seed = std::env::var("WORLDBUS_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("WORLDBUS_TEST_SEED={seed} (the moments also follow the scheduler)");
    Dice(seed)
}

/// What the drains of a test took.
#[derive(Default)]
struct Drains(Vec<Duration>);

impl Drains {
    fn note(&mut self, took: Duration) {
        assert!(took < SHUTDOWN_MAX, "drain {} took {took:?}", self.0.len());
        self.0.push(took);
    }

    fn report(mut self, what: &str, events: usize, took: Duration) {
        self.0.sort();
        let at = |share: f64| self.0[(share * (self.0.len() - 1) as f64) as usize];
        println!(
            "{what}: {} drains, median {:?}, longest {:?}; {events} events at {:.0}/s",
            self.0.len(),
            at(0.5),
            at(1.0),
            events as f64 / took.as_secs_f64(),
        );
    }
}

fn runs() -> u64 {
    let asked = std::env::var("WORLDBUS_TEST_STOPS").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(RUNS)
}

/// Stops a service again and again while `publish` publishes; each event is handled, and once.
fn stop_over_and_over(
    what: &str,
    publish: &mut Command,
    start: impl Fn() -> Consumer,
    ledger: &Path,
) {
    let (mut dice, mut drains) = (dice(), Drains::default());
    // The subscription begins when it is first opened.
    drains.note(start().terminate());
    let begun = Instant::now();
    let feed = Feed::spawn(publish, LINE, AHEAD);
    for _ in 0..runs() {
        let consumer = start();
        std::thread::sleep(Duration::from_millis(dice.below(WORK_MS_MAX)));
        drains.note(consumer.terminate());
    }
    let took = begun.elapsed();
    let published: HashSet<String> = feed.stop().into_iter().collect();
    let last = start();
    // Every id is as long as any other.
    let bytes: usize = published.iter().map(|id| id.len() + 1).sum();
    let end = Instant::now() + REST_MAX;
    let is_there = || {
        std::fs::metadata(ledger).unwrap().len() >= bytes as u64 && {
            let handled: HashSet<String> = read(ledger).collect();
            handled.len() >= published.len()
        }
    };
    // If it never is there, the judge reports what is missing.
    while Instant::now() < end && !is_there() {
        std::thread::sleep(Duration::from_millis(50));
    }
    drains.note(last.terminate());
    drains.report(what, published.len(), took);
    judge(&published, read(ledger));
}

/// The lines of a ledger; its last line may be under way.
fn read(ledger: &Path) -> impl Iterator<Item = String> {
    BufReader::new(File::open(ledger).unwrap()).lines().map_while(Result::ok)
}

fn judge(published: &HashSet<String>, handled: impl IntoIterator<Item = String>) {
    let (mut once, mut again) = (HashSet::new(), 0);
    for id in handled {
        assert!(published.contains(&id), "{id} was never published");
        again += usize::from(!once.insert(id));
    }
    let lost = published.difference(&once).count();
    assert_eq!((lost, again), (0, 0), "events lost, and events handled again");
}

#[test]
fn service_that_is_stopped_under_load_over_sns_and_sqs_loses_nothing_and_repeats_nothing() {
    let account = Account::open("drain");
    let subscription = format!("{SUBSCRIPTION}={TYPE}");
    let applied = account.run(&["topology", "apply", "--subscription", &subscription]);
    assert_eq!(applied.code, 0, "{applied:?}");
    let ledger = account.folder.path().join("ledger");
    let environment = account.emulator.environment();
    let start = || Consumer::start(&environment, &account.url, &ledger);
    let mut publish = account.command(&["publish", "--stdin", "--source", "feed"]);
    stop_over_and_over("over SNS and SQS", &mut publish, start, &ledger);
}

#[test]
fn service_that_is_stopped_under_load_over_an_event_bus_loses_nothing_and_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let bus = Service::start("event-bus", &["--data-dir", dir, "--log", "error"]).ready();
    let ledger = folder.path().join("ledger");
    let start = || Consumer::start(&[], &bus.url, &ledger);
    let mut publish = worldbus();
    publish.args(["publish", "--stdin", "--source", "feed", "--url", &bus.url]);
    stop_over_and_over("over an event-bus", &mut publish, start, &ledger);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn event_bus_that_is_stopped_under_load_leaves_to_the_next_what_it_has_not_kept() {
    let account = Account::open("relay");
    assert_eq!(account.run(&["topology", "apply"]).code, 0);
    let (mut dice, mut drains) = (dice(), Drains::default());
    let begun = Instant::now();
    let mut publish = account.command(&["publish", "--stdin", "--source", "feed"]);
    let feed = Feed::spawn(&mut publish, LINE, AHEAD);
    let mut handled = Vec::new();
    for run in 0..runs() {
        let log = format!("log-{run}");
        let bus = account.event_bus(&log, &[]).ready();
        std::thread::sleep(Duration::from_millis(dice.below(WORK_MS_MAX)));
        drains.note(bus.terminate());
        handled.extend(kept(&account.folder.path().join(log).join("bus")).await);
    }
    let took = begun.elapsed();
    let published: HashSet<String> = feed.stop().into_iter().collect();
    let bus = account.event_bus("rest", &[]).ready();
    let missing = published.len() - handled.iter().collect::<HashSet<_>>().len();
    eventually_within(REST_MAX, "every event is kept", || (total(&bus) >= missing).then_some(()));
    drains.note(bus.terminate());
    handled.extend(kept(&account.folder.path().join("rest").join("bus")).await);
    drains.report("event-bus over SNS and SQS", published.len(), took);
    judge(&published, handled);
}

/// The ids of what a log holds whose process is gone.
async fn kept(log: &Path) -> Vec<String> {
    let bus = worldbus::connect(&format!("embedded:{}", log.display()), None).await.unwrap();
    let spec = ReadSpec::all(Position::Start, false);
    let mut reader = bus.transport().read(spec).await.unwrap();
    let mut ids = Vec::new();
    while let Some(stored) = reader.next().await.unwrap() {
        assert_eq!(stored.topic.as_str(), TOPIC);
        ids.extend(stored.batch.iter().map(|event| event.id.to_string()));
    }
    bus.close().await.unwrap();
    ids
}

/// How many events an event-bus has in its log.
fn total(bus: &Service) -> usize {
    let stats = crate::support::get(&format!("{}/api/events/stats", bus.url)).unwrap().json();
    let topics = stats["topics"].as_array().unwrap().iter();
    topics.map(|topic| topic["events_total"].as_u64().unwrap() as usize).sum()
}
