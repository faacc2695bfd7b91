//! kill -9 of the event-bus at random moments of a stream of acknowledged publishes, over and over
//! on one log. The judge is this process: it keeps a ledger of what it sent and what was
//! acknowledged, and reads the log back after each kill.
//!
//! What this shows: no acknowledged event is lost, none is there twice or was never sent, each
//! producer's events are in its order, and the log opens again, whatever the process was doing.
//!
//! What SIGKILL cannot show: that the bytes reached the disk. The system keeps its page cache
//! when a process dies, so a missing fsync passes here. That is for the log's own tests (torn
//! tails, flipped bits) and for pulled plugs.

use std::collections::HashMap;
use std::time::Duration;

use crate::support::{DEADLINE, Service, worldbus};
use worldbus::events::v1::TimeUpdated;
use worldbus::events::{Event as _, EventId, ProducerId};
use worldbus::{Bus, Position, PublisherOptions, ReadSpec, Topic};

/// Kills, unless `WORLDBUS_TEST_CYCLES` is set: `cargo xtask ci --long` has hundreds.
const CYCLES: usize = 40;
/// Streams of events at once, each a producer of its own.
const PRODUCERS: usize = 3;
/// Acknowledged events after which, at the latest, a kill comes.
const ACKED_BEFORE_KILL_MAX: u64 = 600;
/// Of so many cycles one kills the event-bus again while it recovers.
const KILL_AT_START_EVERY: usize = 10;
/// Events under way, of a producer.
const IN_FLIGHT_MAX: usize = 64;
/// How long a publisher hopes for an event-bus that is dead.
const HOPE: Duration = Duration::from_millis(30);

/// What this process knows of the log.
#[derive(Default)]
struct Ledger {
    /// Each event ever sent, by id, with its value.
    sent: HashMap<EventId, i64>,
    /// Those of them that were acknowledged and not yet found in the log.
    acked: HashMap<EventId, i64>,
    /// The last sequence found, by producer.
    last: HashMap<ProducerId, u64>,
    next_offset: u64,
    found: u64,
    next_value: i64,
}

/// A xorshift generator: chance that can be repeated.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acked_events_survive_kill_after_kill_of_the_event_bus() {
    let seed = std::env::var("WORLDBUS_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| 1 | u64::from(std::process::id()) << 20);
    println!("WORLDBUS_TEST_SEED={seed} (the moments of the kills also follow the scheduler)");
    let mut chance = Chance(seed);
    let cycles = std::env::var("WORLDBUS_TEST_CYCLES").ok().and_then(|text| text.parse().ok());
    let cycles: usize = cycles.unwrap_or(CYCLES);
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let mut ledger = Ledger::default();
    for cycle in 0..cycles {
        if cycle % KILL_AT_START_EVERY == KILL_AT_START_EVERY - 1 {
            kill_during_start(dir, Duration::from_millis(chance.below(60)));
        }
        let service = Service::start("event-bus", &["--data-dir", dir, "--log", "error"]);
        let bus = worldbus::connect(&service.url, None).await.unwrap();
        verify(&mut ledger, &bus).await;
        assert!(ledger.acked.is_empty(), "cycle {cycle}: lost {:?}", ledger.acked);
        stream_until_killed(&mut ledger, &bus, service, chance.below(ACKED_BEFORE_KILL_MAX)).await;
        let _ = bus.close().await;
    }
    // At last the log itself, as a process that owns it reads it.
    let bus = worldbus::connect(&format!("embedded:{dir}/bus"), None).await.unwrap();
    verify(&mut ledger, &bus).await;
    assert!(ledger.acked.is_empty(), "lost {:?}", ledger.acked);
    println!("{cycles} kills, {} sent, {} stored", ledger.sent.len(), ledger.found);
    assert!(ledger.found > cycles as u64, "the test did its work");
}

fn kill_during_start(dir: &str, after: Duration) {
    let mut process = worldbus();
    process.args(["event-bus", "--listen", "127.0.0.1:0", "--data-dir", dir, "--log", "error"]);
    let mut child = process.stdout(std::process::Stdio::null()).spawn().unwrap();
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Publishes until so many events are acknowledged and the process is killed amid the rest.
async fn stream_until_killed(ledger: &mut Ledger, bus: &Bus, service: Service, acked_min: u64) {
    let (progress, mut acked) = tokio::sync::watch::channel(0u64);
    let streams: Vec<_> = (0..PRODUCERS)
        .map(|_| {
            let first = ledger.next_value;
            ledger.next_value += 1_000_000;
            tokio::spawn(stream(bus.clone(), first, progress.clone()))
        })
        .collect();
    let enough = acked.wait_for(|acked| *acked >= acked_min);
    tokio::time::timeout(DEADLINE, enough).await.expect("events are acknowledged").unwrap();
    service.kill();
    for stream in streams {
        for (id, value, acked) in stream.await.unwrap() {
            assert!(ledger.sent.insert(id, value).is_none(), "{id} was given twice");
            if acked {
                ledger.acked.insert(id, value);
            }
        }
    }
}

/// One producer: each event it sent, its value, whether it was acknowledged.
async fn stream(
    bus: Bus,
    first: i64,
    progress: tokio::sync::watch::Sender<u64>,
) -> Vec<(EventId, i64, bool)> {
    let options = PublisherOptions { timeout: HOPE, ..PublisherOptions::new("crash-test", "w") };
    let publisher = bus.publisher_with(options);
    let mut under_way = std::collections::VecDeque::new();
    let mut events = Vec::new();
    let mut alive = true;
    let mut value = first;
    while alive || !under_way.is_empty() {
        if alive && under_way.len() < IN_FLIGHT_MAX {
            let event = TimeUpdated { total_minutes: value, ..Default::default() };
            under_way.push_back((publisher.enqueue(None, &event).await.unwrap(), value));
            value += 1;
            continue;
        }
        let Some((pending, value)) = under_way.pop_front() else { break };
        let id = pending.id();
        let acked = pending.await.is_ok();
        alive &= acked;
        progress.send_modify(|count| *count += u64::from(acked));
        events.push((id, value, acked));
    }
    events
}

/// Reads what is new in the log and strikes it off.
async fn verify(ledger: &mut Ledger, bus: &Bus) {
    let from = Position::Offset(ledger.next_offset);
    let topic = Topic::new(TimeUpdated::TOPIC).unwrap();
    let existing = bus.transport().topics().await.unwrap();
    if !existing.iter().any(|status| status.topic == topic) {
        return;
    }
    let mut reader = bus.transport().read(ReadSpec::topics([topic], from, false)).await.unwrap();
    while let Some(stored) = reader.next().await.unwrap() {
        assert_eq!(stored.offset, ledger.next_offset, "offsets have no gaps");
        ledger.next_offset += 1;
        for event in &stored.batch {
            let value = ledger.sent.get(&event.id);
            let stored = event.decode::<TimeUpdated>().unwrap().total_minutes;
            assert_eq!(value, Some(&stored), "{} was never sent, or not so", event.id);
            let last = ledger.last.insert(event.id.producer, event.id.sequence);
            assert!(last < Some(event.id.sequence), "{} is out of order or twice", event.id);
            ledger.acked.remove(&event.id);
            ledger.found += 1;
        }
    }
}
