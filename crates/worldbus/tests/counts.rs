//! What an event and a commit cost in things that can be counted: allocations of the thread that
//! publishes and handles, writes of the one that commits. The bounds are a little above what was
//! counted; where one is crossed, either the change is worth it and the bound moves, or it is not.
//!
//! Not here: times, which differ from run to run (`crates/bench`), and instructions, which are
//! counted of optimised code (`cargo xtask ci --only counts`).
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use worldbus::events::v1::TimeUpdated;
use worldbus::{Bus, HandlerError, Message, Publisher, Router};

const EVENTS: u64 = 20_000;
const IN_FLIGHT: usize = 1000;
const COMMITS: u64 = 200;

fn tick(minute: u64) -> TimeUpdated {
    TimeUpdated { total_minutes: minute as i64, hour: 1, minute: 2, phase: 2 }
}

/// Publishes one event a call and waits until the last one is handled.
async fn publish(publisher: &Publisher, handled: &(AtomicU64, Notify), events: u64) {
    let end = handled.0.load(Ordering::Relaxed) + events;
    let mut pending = VecDeque::with_capacity(IN_FLIGHT);
    for minute in 0..events {
        if pending.len() == IN_FLIGHT {
            let oldest: worldbus::Pending = pending.pop_front().unwrap();
            oldest.await.unwrap();
        }
        pending.push_back(publisher.enqueue(None, &tick(minute)).await.unwrap());
    }
    while handled.0.load(Ordering::Relaxed) < end {
        handled.1.notified().await;
    }
    for pending in pending {
        pending.await.unwrap();
    }
}

async fn open(dir: &Path) -> Bus {
    worldbus::connect(&format!("embedded:{}", dir.display()), None).await.unwrap()
}

#[test]
fn an_event_takes_one_allocation_from_publish_to_handler() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (shutdown, handled) =
        (CancellationToken::new(), Arc::new((AtomicU64::new(0), Notify::new())));
    let (bus, publisher) = runtime.block_on(async {
        let bus = open(dir.path()).await;
        let counted = Arc::clone(&handled);
        let router = Router::new(&bus, "counts").unwrap().on(move |_: TimeUpdated, _: Message| {
            counted.0.fetch_add(1, Ordering::Relaxed);
            counted.1.notify_one();
            async { Ok::<(), HandlerError>(()) }
        });
        let router = router.unwrap().open().await.unwrap();
        tokio::spawn(router.run(shutdown.clone()));
        let publisher = bus.publisher("counts", "europe");
        // Buffers have grown by then.
        publish(&publisher, &handled, EVENTS).await;
        (bus, publisher)
    });
    // All but the writer's thread is this one.
    let counted = allocation_counter::measure(|| {
        runtime.block_on(publish(&publisher, &handled, EVENTS));
    });
    let an_event = counted.count_total as f64 / EVENTS as f64;
    println!("{an_event:.3} allocations, {} bytes", counted.bytes_total / EVENTS);
    assert!(an_event <= 1.25, "{an_event:.3} allocations an event");
    runtime.block_on(async {
        shutdown.cancel();
        bus.close().await.unwrap();
    });
}

/// Writes of this process's thread that commits, so far.
#[cfg(target_os = "linux")]
fn writes_of_the_log() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    let named = |task: &Path| std::fs::read_to_string(task.join("comm")).unwrap();
    let task = tasks.filter(|task| named(task).trim() == "worldbus-log").collect::<Vec<_>>();
    let [task] = &task[..] else { panic!("not one thread that commits: {task:?}") };
    let io = std::fs::read_to_string(task.join("io")).unwrap();
    let writes = io.lines().find_map(|line| line.strip_prefix("syscw: ")).unwrap();
    writes.parse().unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_one_write() {
    let dir = tempfile::tempdir().unwrap();
    let bus = open(dir.path()).await;
    let publisher = bus.publisher("counts", "europe");
    publisher.publish(&tick(0)).await.unwrap();
    let before = writes_of_the_log();
    for minute in 1..=COMMITS {
        publisher.publish(&tick(minute)).await.unwrap();
    }
    // The thread also wakes the tasks that wait for a commit, by a write where a runtime sleeps.
    let writes = writes_of_the_log() - before;
    println!("{writes} writes for {COMMITS} commits");
    assert!(writes >= COMMITS, "{writes} writes for {COMMITS} commits");
    assert!(writes <= 2 * COMMITS + COMMITS / 10, "{writes} writes for {COMMITS} commits");
    bus.close().await.unwrap();
}
