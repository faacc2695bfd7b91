//! A process that publishes, consumes and removes what is old is killed at random moments; an
//! outside ledger judges what is left: that no acknowledged batch is lost, that none is invented,
//! that retention removed only what was consumed, and that deliveries come in order.
//!
//! The child is this test program itself. It prints a line for each acknowledged batch and for each
//! delivery, which is the ledger. What SIGKILL cannot show: that fsync reached the
//! disk, since the system keeps what a killed process wrote. `WORLDBUS_TEST_KILLS` sets how often.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use worldbus_bus::{Outcome, Position, ReadSpec, Transport as _};
use worldbus_conformance::{DEADLINE, batch, next, read_all, spec, topic};
use worldbus_transport_embedded::{Embedded, Options};

const CHILD: &str = "WORLDBUS_KILL_TEST_DIR";
const TOPICS: [&str; 2] = ["a", "b"];
/// All that is kept is read again each so many kills, else what is new.
const TURNS_A_WHOLE_READ: u64 = 100;
/// Each so many kills the child lives until retention has looked, which it does each second.
const TURNS_A_RETENTION: u64 = 10;

/// Small segments and little history, so that files come and go.
fn options() -> Options {
    Options { segment_bytes_max: 256 << 10, retention_bytes: 64 << 10, ..Options::default() }
}

/// The child: not a test of its own, does nothing unless the parent asks.
#[tokio::test(flavor = "multi_thread")]
async fn child_publishes_until_it_is_killed() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let log = Embedded::open(&dir, options()).unwrap();
    let known = log.topics().await.unwrap();
    for (producer, name) in (1..).zip(TOPICS) {
        let log = log.clone();
        let first = known.iter().find(|status| status.topic == topic(name));
        let first = first.map_or(0, |status| status.next_offset);
        tokio::spawn(async move {
            for sequence in first.. {
                let batch = batch(producer, sequence..sequence + 1);
                log.publish(&topic(name), batch).await.unwrap();
                let _ = writeln!(std::io::stdout().lock(), "acked {name} {sequence}");
            }
        });
    }
    let mut consumer = log.subscribe(spec("s", &TOPICS, Position::Start)).await.unwrap();
    loop {
        let delivered = next(&mut consumer).await;
        let (name, offset) = (&delivered.lease.topic, delivered.lease.offset);
        let _ = writeln!(std::io::stdout().lock(), "delivered {name} {offset}");
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

impl Kill {
    /// From before the log is open to well within its work, however slow the machine is.
    fn of(turn: u64) -> Self {
        let after = Duration::from_millis(20 + turn * 37 % 230);
        match turn {
            _ if turn % TURNS_A_RETENTION == TURNS_A_RETENTION - 1 => {
                Self::AfterFirst(Duration::from_secs(1) + after)
            }
            _ if turn.is_multiple_of(3) => Self::AfterStart(after),
            _ => Self::AfterFirst(after),
        }
    }
}

/// What a child printed of one topic.
#[derive(Default)]
struct Printed {
    /// The last batch that was acknowledged.
    acked: Option<u64>,
    delivered: Vec<u64>,
}

/// Runs the child until it is killed; what it printed, by topic.
fn run_and_kill(dir: &Path, kill: Kill) -> [Printed; 2] {
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
        let mut printed = <[Printed; 2]>::default();
        for line in lines.map_while(Result::ok) {
            // The test harness may write before the first line of ours.
            let at = line.find("acked ").or_else(|| line.find("delivered "));
            let words: Vec<&str> = line[at.unwrap_or(line.len())..].split(' ').collect();
            let [what, name, number] = words[..] else { continue };
            let Some(index) = TOPICS.iter().position(|topic| *topic == name) else { continue };
            // The last line may be cut.
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "acked" => {
                    printed[index].acked = Some(number);
                    // Only the first is waited for.
                    let _ = first.try_send(());
                }
                _ => printed[index].delivered.push(number),
            }
        }
        printed
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

/// What the ledger knows of a topic.
#[derive(Default)]
struct Ledger {
    /// Offsets below it must be there, or have been removed by retention.
    least: u64,
    delivered: HashSet<u64>,
    /// What retention has removed so far.
    first_offset: u64,
    /// What was read up to here was as it was published.
    checked: u64,
}

impl Ledger {
    fn add(&mut self, printed: Printed) {
        self.least = self.least.max(printed.acked.map_or(0, |last| last + 1));
        // One consumer gets the batches of a topic in their order, but for those that come again:
        // they were delivered by a process before.
        let new = printed.delivered.iter().filter(|offset| !self.delivered.contains(offset));
        assert!(new.is_sorted_by(|a, b| a < b), "out of order: {:?}", printed.delivered);
        self.delivered.extend(printed.delivered);
    }

    async fn check(&mut self, log: &Embedded, producer: u64, name: &str, whole: bool) {
        let topics = log.topics().await.unwrap();
        let Some(status) = topics.iter().find(|status| status.topic == topic(name)) else {
            assert_eq!(self.least, 0, "topic {name} is lost");
            return;
        };
        let (first, end) = (status.first_offset, status.next_offset);
        assert!(end >= self.least, "topic {name}: {end} of {} are left", self.least);
        for removed in self.first_offset..first {
            assert!(self.delivered.contains(&removed), "{removed} was removed and not consumed");
        }
        self.first_offset = first;
        let from = if whole { first } else { self.checked.clamp(first, end) };
        let spec = [(topic(name), Position::Offset(from))];
        let spec = ReadSpec { topics: spec.into(), ..ReadSpec::topics([], Position::Start, false) };
        let read = read_all(log, spec).await;
        assert_eq!(read.len() as u64, end - from, "topic {name} from {from} on");
        for (sequence, stored) in (from..).zip(&read) {
            assert_eq!(stored.offset, sequence);
            assert_eq!(stored.batch, batch(producer, sequence..sequence + 1));
        }
        self.checked = end;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_by_a_kill() {
    let kills = std::env::var("WORLDBUS_TEST_KILLS").ok().and_then(|text| text.parse().ok());
    let kills = kills.unwrap_or(20_u64);
    let dir = tempfile::tempdir().unwrap();
    let mut ledgers = <[Ledger; 2]>::default();
    for turn in 1..=kills {
        let path = dir.path().to_owned();
        let run = move || run_and_kill(&path, Kill::of(turn));
        let printed = tokio::task::spawn_blocking(run).await.unwrap();
        // Nothing is removed while it is looked at.
        let keeping = Options { retention_bytes: u64::MAX, ..options() };
        let log = Embedded::open(dir.path(), keeping).unwrap();
        let whole = turn == kills || turn.is_multiple_of(TURNS_A_WHOLE_READ);
        for ((ledger, printed), (producer, name)) in
            ledgers.iter_mut().zip(printed).zip((1..).zip(TOPICS))
        {
            ledger.add(printed);
            ledger.check(&log, producer, name, whole).await;
        }
        log.close().await.unwrap();
    }
    assert!(ledgers.iter().all(|ledger| ledger.checked > 0), "the child never published");
    assert!(ledgers.iter().any(|ledger| ledger.first_offset > 0), "nothing was ever removed");
    // All that was not acked is still delivered: the cursor is not ahead of the log.
    let log = Embedded::open(dir.path(), options()).unwrap();
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
