//! How much many people take: of a core, of memory, of time behind the clock; and that what is
//! asked is answered from what everyone does already. It prints figures; `WORLDBUS_TEST_PEOPLE`,
//! `WORLDBUS_TEST_SECONDS` and `WORLDBUS_TEST_SECONDS_PER_HOUR` make it a measurement, with a build
//! that is optimised. The process has the bus and this reader, too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::kit::{announce_clock, announce_weather, new_clock, run};
use worldbus_bus::{Position, ReadSpec, Topic};
use worldbus_npc_behavior::TOPIC;
use worldbus_testkit::{Instance, Place};
use worldbus_world::{Timeline, World};

const PEOPLE: u64 = 2_400;
const SECONDS: u64 = 2;
const SECONDS_PER_HOUR: u64 = 25;
/// The wall clock of the test follows the machine's in such steps.
const STEP: Duration = Duration::from_millis(2);
/// Processor time is counted in hundredths of a second.
const TICK: f64 = 0.01;
const PAGE_BYTES: u64 = 4_096;
/// Of a question so many answers are timed, and the one in the middle is printed.
const ANSWER_COUNT: usize = 9;

/// What was received of the people's topic.
#[derive(Debug, Default)]
struct Received {
    events: AtomicU64,
    /// Behind each event's time by the clock.
    lag_ms: AtomicU64,
    lag_ms_max: AtomicU64,
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The sample world with more people in each region, and room for them.
fn world(people: u64, seconds_per_hour: u64) -> World {
    let sample = World::sample();
    let each = people.div_ceil(sample.regions.len() as u64);
    let mut text = sample.file.text.to_string();
    for (was, is) in [
        ("per_region = 100\n", format!("per_region = {each}\n")),
        ("capacity = 250\n", format!("capacity = {}\n", 250 + each)),
        ("capacity = 30\n", format!("capacity = {}\n", 30 + each / 9)),
        ("game_hour = 25\n", format!("game_hour = {seconds_per_hour}\n")),
    ] {
        assert!(text.contains(was), "{was}");
        text = text.replace(was, &is);
    }
    World::parse("many.toml", &text).unwrap()
}

/// Seconds of processor time and bytes of memory of this process.
fn used() -> (f64, u64) {
    let [stat, statm] = ["stat", "statm"]
        .map(|file| std::fs::read_to_string(format!("/proc/self/{file}")).unwrap());
    let times: Vec<u64> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse().unwrap())
        .collect();
    let pages: u64 = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    (times.iter().sum::<u64>() as f64 * TICK, pages * PAGE_BYTES)
}

/// Reads what the people do, as a subscriber does.
async fn read(place: Arc<Place>, received: Arc<Received>) {
    let topic = Topic::new(TOPIC).unwrap();
    let spec = ReadSpec::topics([topic], Position::Start, true);
    let mut reader = place.bus.transport().read(spec).await.unwrap();
    while let Some(stored) = reader.next().await.unwrap() {
        let now_ms = place.now().0 / 1_000;
        for event in stored.batch.iter() {
            let lag_ms = now_ms.saturating_sub(event.timestamp_ms).max(0) as u64;
            received.lag_ms.fetch_add(lag_ms, Ordering::Relaxed);
            received.lag_ms_max.fetch_max(lag_ms, Ordering::Relaxed);
            received.events.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Lets the wall clock of the place go as the machine's.
fn let_go(place: Arc<Place>, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let (begun, first) = (Instant::now(), place.now());
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(STEP);
            place.wall.set_us(first.0 + begun.elapsed().as_micros() as i64);
        }
    })
}

/// Milliseconds that an answer takes over HTTP, the one in the middle of several.
async fn answered(instance: &Instance, path: &str) -> f64 {
    let url = format!("{}{path}", instance.url);
    let asked = tokio::task::spawn_blocking(move || {
        let mut took: Vec<f64> = (0..ANSWER_COUNT)
            .map(|_| {
                let begun = Instant::now();
                let mut response = ureq::get(&url).call().unwrap();
                let body = response.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap();
                assert!(!body.is_empty());
                begun.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        took.sort_by(f64::total_cmp);
        took[took.len() / 2]
    });
    asked.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_people_are_published_in_time_and_answered_from_what_they_do() {
    let people = number("WORLDBUS_TEST_PEOPLE", PEOPLE);
    let seconds = number("WORLDBUS_TEST_SECONDS", SECONDS);
    let seconds_per_hour = number("WORLDBUS_TEST_SECONDS_PER_HOUR", SECONDS_PER_HOUR);
    let place = Arc::new(Place::new().await.with_world(world(people, seconds_per_hour)));
    let (_, without) = used();
    announce_clock(&place, new_clock(&place).last()).await;
    announce_weather(&place, &Timeline::default()).await;
    let received = Arc::new(Received::default());
    let reading = tokio::spawn(read(Arc::clone(&place), Arc::clone(&received)));
    let begun = Instant::now();
    let instance = run(&place, 0).await;
    let events = || received.events.load(Ordering::Relaxed);
    while events() < people {
        tokio::time::sleep(STEP).await;
    }
    println!("{people} people published after {:.1} s", begun.elapsed().as_secs_f64());

    let (first, lag) = (events(), received.lag_ms.load(Ordering::Relaxed));
    received.lag_ms_max.store(0, Ordering::Relaxed);
    let (begun, (cpu, _)) = (Instant::now(), used());
    let stop = Arc::new(AtomicBool::new(false));
    let going = let_go(Arc::clone(&place), Arc::clone(&stop));
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let (took, (cpu_end, with)) = (begun.elapsed().as_secs_f64(), used());
    let count = events() - first;
    let lag = (received.lag_ms.load(Ordering::Relaxed) - lag) as f64 / count.max(1) as f64;
    println!(
        "{took:.0} s at {seconds_per_hour} s a game hour: {:.0} events a second, {:.1} % of a \
         core, lag {lag:.0} ms, at most {} ms; {} bytes a person",
        count as f64 / took,
        (cpu_end - cpu) / took * 100.0,
        received.lag_ms_max.load(Ordering::Relaxed),
        with.saturating_sub(without) / people,
    );
    for path in [
        "/api/people/statistics",
        "/api/people/statistics?region=paris",
        "/api/places?region=paris",
        "/api/places",
        "/api/people?activity=work",
        "/api/people?role=night-watch&activity=patrol&limit=1000",
        "/api/people/paris-7",
        "/api/people/paris-7/why",
        "/api/people/paris-7/plan",
    ] {
        println!("{path}: {:.1} ms", answered(&instance, path).await);
    }
    stop.store(true, Ordering::Relaxed);
    going.join().unwrap();
    assert!(count > 0, "people do something");
    reading.abort();
    instance.stop().await;
}
