//! A process that publishes is killed at random moments; an outside ledger judges what is left.
//!
//! The child is this test program itself. It prints a line for each acknowledged batch,
//! which is the ledger. What SIGKILL cannot show: that fsync reached the
//! disk, since the system keeps what a killed process wrote. `WORLDBUS_TEST_KILLS` sets how often.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use worldbus_bus::{Outcome, Position, ReadSpec, Transport as _};
use worldbus_conformance::{DEADLINE, batch, next, read_all, spec, topic};
use worldbus_transport_embedded::{Embedded, Options};

const CHILD: &str = "WORLDBUS_KILL_TEST_DIR";
const TOPICS: [&str; 2] = ["a", "b"];

/// The child: not a test of its own, does nothing unless the parent asks.
#[tokio::test(flavor = "multi_thread")]
async fn child_publishes_until_it_is_killed() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let log = Embedded::open(&dir, Options::default()).unwrap();
    let mut producers = Vec::new();
    for (producer, name) in TOPICS.into_iter().enumerate() {
        let log = log.clone();
        producers.push(tokio::spawn(async move {
            let stored = read_all(&log, ReadSpec::topics([topic(name)], Position::Start, false));
            let first = stored.await.len() as u64;
            for sequence in first.. {
                let batch = batch(producer as u64, sequence..sequence + 1);
                log.publish(&topic(name), batch).await.unwrap();
                let _ = writeln!(std::io::stdout().lock(), "acked {name} {sequence}");
            }
        }));
    }
    let mut consumer = log.subscribe(spec("s", &TOPICS, Position::Start)).await.unwrap();
    loop {
        let delivered = next(&mut consumer).await;
        consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
    }
}

/// When the child is killed.
#[derive(Clone, Copy)]
enum Kill {
    /// So long after it was started: perhaps before its log is open.
    AfterStart(Duration),
    /// So long after its first acknowledged batch.
    AfterFirst(Duration),
}

/// Runs the child until it is killed; what it acknowledged, by topic.
fn run_and_kill(dir: &Path, kill: Kill) -> [Option<u64>; 2] {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child_publishes_until_it_is_killed", "--exact", "--nocapture"])
        .env(CHILD, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (first, begun) = std::sync::mpsc::sync_channel(1);
    let reader = std::thread::spawn(move || {
        let mut acked = [None; 2];
        for line in lines.map_while(Result::ok) {
            // The test harness may write before the first line of ours.
            let Some(at) = line.find("acked ") else { continue };
            let text = &line[at + "acked ".len()..];
            if let Some((name, sequence)) = text.split_once(' ')
                && let Some(index) = TOPICS.iter().position(|topic| *topic == name)
                && let Ok(sequence) = sequence.parse::<u64>()
            {
                acked[index] = Some(sequence);
                // Only the first is waited for.
                let _ = first.try_send(());
            }
        }
        acked
    });
    let after = match kill {
        Kill::AfterStart(after) => after,
        Kill::AfterFirst(after) => {
            begun.recv_timeout(DEADLINE).expect("the child publishes");
            after
        }
    };
    std::thread::park_timeout(after);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_by_a_kill() {
    let kills = std::env::var("WORLDBUS_TEST_KILLS").ok().and_then(|text| text.parse().ok());
    let kills = kills.unwrap_or(15_u64);
    let dir = tempfile::tempdir().unwrap();
    let mut published = 0;
    for turn in 0..kills {
        // From before the log is open to well within its work, however slow the machine is.
        let after = Duration::from_millis(20 + turn * 37 % 230);
        let kill = match turn % 3 {
            0 => Kill::AfterStart(after),
            _ => Kill::AfterFirst(after),
        };
        let path = dir.path().to_owned();
        let acked = tokio::task::spawn_blocking(move || run_and_kill(&path, kill)).await.unwrap();
        let log = Embedded::open(dir.path(), Options::default()).unwrap();
        for (producer, name) in TOPICS.into_iter().enumerate() {
            let from_start = ReadSpec::topics([topic(name)], Position::Start, false);
            let all = read_all(&log, from_start).await;
            let least = acked[producer].map_or(0, |last| last + 1);
            assert!(all.len() as u64 >= least, "turn {turn}: {} of {least} are left", all.len());
            for (sequence, stored) in all.iter().enumerate() {
                let sequence = sequence as u64;
                assert_eq!(stored.batch, batch(producer as u64, sequence..sequence + 1));
            }
            published = published.max(all.len());
        }
        log.close().await.unwrap();
    }
    assert!(published > 0, "the child never published");
    // All that was not acked is still delivered: the cursor is not ahead of the log.
    let log = Embedded::open(dir.path(), Options::default()).unwrap();
    let mut consumer = log.subscribe(spec("s", &TOPICS, Position::Start)).await.unwrap();
    log.publish(&topic("a"), batch(77, 0..1)).await.unwrap();
    loop {
        let delivered = next(&mut consumer).await;
        consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
        if delivered.batch == batch(77, 0..1) {
            break;
        }
    }
}
