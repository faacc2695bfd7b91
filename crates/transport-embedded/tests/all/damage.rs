//! Flipped bits and torn tails, on copies of a log as a killed process leaves it: what opens
//! is what was written, or the error names what is damaged.
//!
//! What this cannot show: that the disk has what fsync promised. `WORLDBUS_TEST_FLIPS` sets how
//! many bits are tried, `WORLDBUS_EVERY_BYTE` cuts at each byte; the default is for every run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use worldbus_bus::{
    DeadEvent, DeadLetter, Error, Kind, Outcome, Position, ReadSpec, StoredBatch, SubscriptionName,
    Transport,
};
use worldbus_conformance::{DEADLINE, next, read_all, spec, topic, typed};
use worldbus_transport_embedded::{Embedded, Options};

const FRAME_BYTES: usize = 24 + 4096;

fn options() -> Options {
    Options { sync: false, ..Options::default() }
}

/// The files of a log.
struct Image {
    db: Vec<u8>,
    wal: Vec<u8>,
}

impl Image {
    fn of(dir: &Path) -> Self {
        let read = |name| std::fs::read(dir.join(name)).unwrap();
        Self { db: read("log.db"), wal: read("log.db-wal") }
    }

    /// Opens a copy and lists everything that is in it.
    async fn dump(&self, known: Option<&[Waiting]>) -> Result<Dump, Error> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("log.db"), &self.db).unwrap();
        std::fs::write(dir.path().join("log.db-wal"), &self.wal).unwrap();
        let bus = Embedded::open(dir.path(), options())?;
        dump(&bus, known).await
    }
}

/// All that a log holds, as users see it.
#[derive(Debug, PartialEq)]
struct Dump {
    topics: Vec<worldbus_bus::TopicStatus>,
    batches: Vec<(String, u64, i64, Vec<u8>)>,
    dead: Vec<DeadLetter>,
    waiting: Vec<Waiting>,
}

/// Subscription, offset and attempt of what it still has to get.
type Waiting = (&'static str, u64, u32);

const SUBSCRIPTIONS: [(&str, &str); 2] = [("s-even", "t0"), ("s-all", "t1")];

async fn dump(bus: &Embedded, known: Option<&[Waiting]>) -> Result<Dump, Error> {
    let mut batches = Vec::new();
    let mut reader = bus.read(ReadSpec::all(Position::Start, false)).await?;
    while let Some(StoredBatch { topic, offset, appended_ms, batch, .. }) = reader.next().await? {
        batches.push((topic.as_str().to_owned(), offset, appended_ms, batch.bytes().to_vec()));
    }
    let dead = bus.dead_letters(None, 1000).await?;
    // How long nothing was used goes on while one looks.
    let topics = bus.topics().await?.into_iter();
    let topics = topics.map(|status| worldbus_bus::TopicStatus { idle: None, ..status }).collect();
    let mut waiting: Vec<Waiting> = Vec::new();
    for (name, on) in SUBSCRIPTIONS {
        let mut spec = spec(name, &[on], Position::Now);
        spec.in_flight_max = 4096;
        let mut consumer = bus.subscribe(spec).await?;
        // As many as are known to wait, and then nothing more.
        loop {
            let found = waiting.iter().filter(|(of, ..)| *of == name).count();
            let patience = match known {
                Some(known) if found < known.iter().filter(|(of, ..)| *of == name).count() => {
                    DEADLINE
                }
                Some(_) => Duration::from_millis(1),
                None => Duration::from_millis(300),
            };
            match tokio::time::timeout(patience, consumer.next()).await {
                Ok(delivered) => {
                    let lease = delivered?.lease;
                    waiting.push((name, lease.offset, lease.attempt));
                }
                Err(_) => break,
            }
        }
    }
    Ok(Dump { topics, batches, dead, waiting })
}

/// A log of a few hundred kilobytes, part of it in the database and part in the write-ahead
/// log: the directory of a broker that is still open, so that nothing is tidied up.
async fn build() -> (TempDir, Embedded) {
    let dir = tempfile::tempdir().unwrap();
    for part in 0..2u64 {
        let bus = Embedded::open(dir.path(), options()).unwrap();
        let mut consumers = Vec::new();
        for (name, on) in SUBSCRIPTIONS {
            consumers.push(bus.subscribe(spec(name, &[on], Position::Now)).await.unwrap());
        }
        for sequence in 0..30u64 {
            let name = topic(&format!("t{}", sequence % 3));
            let size = [20, 3_000, 9_000, 300][(sequence % 4) as usize];
            let sequence = (part * 30 + sequence) * 10;
            let batch = typed(1, sequence..sequence + 3, 6, Some("ghent"), size);
            bus.publish(&name, batch).await.unwrap();
        }
        for consumer in &mut consumers {
            for turn in 0..4 {
                let delivered = next(consumer).await;
                let settler = consumer.settler();
                if turn == 1 {
                    let event = DeadEvent {
                        index: 1,
                        reason: "cannot".to_owned(),
                        attempts: 2,
                        first_failed_ms: 1,
                        last_failed_ms: 2,
                    };
                    settler.dead_letter(&delivered.lease, vec![event]).await.unwrap();
                }
                let outcome = if turn == 2 { Outcome::Release } else { Outcome::Ack };
                settler.settle(&delivered.lease, outcome).await.unwrap();
            }
        }
        if part == 0 {
            // Between others, so that its place is kept.
            let name = SubscriptionName::new("s-all").unwrap();
            bus.replay_dead_letters(&name, &["1".to_owned()]).await.unwrap();
        }
        if part == 1 {
            // The last commit carries the cursors, so that no other one follows.
            bus.publish(&topic("t2"), typed(2, 0..1, 6, None, 100)).await.unwrap();
            tokio::time::timeout(Duration::from_millis(100), std::future::pending::<()>())
                .await
                .unwrap_err();
            return (dir, bus);
        }
        bus.close().await.unwrap();
    }
    unreachable!("the second part returns")
}

/// A small generator, so that a run can be repeated: SplitMix64.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn flips() -> usize {
    std::env::var("WORLDBUS_TEST_FLIPS").ok().and_then(|text| text.parse().ok()).unwrap_or(150)
}

async fn check(expected: &Dump, image: &Image, what: &str, refused: &mut usize) {
    match image.dump(Some(&expected.waiting)).await {
        Ok(dump) => assert!(dump == *expected, "{what}: served what was not written"),
        Err(error) => {
            *refused += 1;
            let known = matches!(error.kind(), Kind::Damaged | Kind::Invalid);
            assert!(known && error.to_string().contains("log.db"), "{what}: {error:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_in_the_database_is_refused_or_harmless() {
    let (dir, _bus) = build().await;
    let image = Image::of(dir.path());
    let expected = image.dump(None).await.unwrap();
    assert!(expected.batches.len() == 61 && expected.dead.len() == 3, "{expected:?}");
    assert!(!expected.waiting.is_empty());
    let mut seed = 1;
    // The header of the file byte by byte, the head of each page, and anywhere.
    let mut bytes: Vec<usize> = (0..100).collect();
    for page in 0..image.db.len() / 4096 {
        bytes.push(page * 4096 + (random(&mut seed) % 12) as usize);
    }
    bytes.extend((0..flips()).map(|_| random(&mut seed) as usize % image.db.len()));
    let mut refused = 0;
    for (turn, byte) in bytes.into_iter().enumerate() {
        let mut flipped = Image { db: image.db.clone(), wal: image.wal.clone() };
        let bit = random(&mut seed) % 8;
        flipped.db[byte] ^= 1 << bit;
        check(&expected, &flipped, &format!("{turn}: byte {byte} bit {bit}"), &mut refused).await;
    }
    assert!(refused > 50, "only {refused} were refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_within_the_write_ahead_log_is_refused() {
    let (dir, _bus) = build().await;
    let image = Image::of(dir.path());
    let expected = image.dump(None).await.unwrap();
    let frames = (image.wal.len() - 32) / FRAME_BYTES;
    let interior = 32 + (frames - 1) * FRAME_BYTES;
    let mut seed = 2;
    let mut bytes: Vec<usize> = (0..32).collect();
    for frame in 0..frames - 1 {
        bytes.push(32 + frame * FRAME_BYTES + (random(&mut seed) % 24) as usize);
    }
    bytes.extend((0..flips()).map(|_| random(&mut seed) as usize % interior));
    let tried = bytes.len();
    let mut refused = 0;
    for byte in bytes {
        let mut flipped = Image { db: image.db.clone(), wal: image.wal.clone() };
        flipped.wal[byte] ^= 1 << (random(&mut seed) % 8);
        check(&expected, &flipped, &format!("byte {byte}"), &mut refused).await;
    }
    assert_eq!(refused, tried);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_tail_heals_to_whole_commits() {
    let dir = tempfile::tempdir().unwrap();
    let bus = Embedded::open(dir.path(), options()).unwrap();
    let wal: PathBuf = dir.path().join("log.db-wal");
    // What was acknowledged when the log had which length.
    let mut acked = Vec::new();
    for sequence in 0..24u64 {
        let size = [10, 5_000, 400, 12_000][(sequence % 4) as usize];
        let name = topic(["a", "b"][(sequence % 2) as usize]);
        bus.publish(&name, typed(1, sequence..sequence + 1, 6, None, size)).await.unwrap();
        acked.push(std::fs::metadata(&wal).unwrap().len() as usize);
    }
    let image = Image::of(dir.path());
    assert!(image.wal.len() > 64 << 10);
    let tail = image.wal.len() - (64 << 10);
    // Every byte by the scan alone is a test of `wal_scan`; here those where it changes, and
    // one in a while, through SQLite.
    let every = std::env::var_os("WORLDBUS_EVERY_BYTE").is_some();
    let step = if every { 1 } else { 3989 };
    let mut cuts: Vec<usize> = (tail..image.wal.len()).step_by(step).collect();
    for frame in 0..=(image.wal.len() - 32) / FRAME_BYTES {
        let edge = 32 + frame * FRAME_BYTES;
        cuts.extend([edge.saturating_sub(1), edge, edge + 1, edge + 24]);
    }
    cuts.retain(|&cut| cut >= tail && cut < image.wal.len());
    for (turn, cut) in cuts.into_iter().enumerate() {
        let mut torn = Image { db: image.db.clone(), wal: image.wal[..cut].to_vec() };
        match turn % 3 {
            0 => {}
            1 => torn.wal.resize(image.wal.len(), 0),
            _ => torn.wal.resize(image.wal.len(), 0x5a),
        }
        let least = acked.iter().filter(|&&length| length <= cut).count();
        heals(&torn, least, cut).await;
    }
}

async fn heals(torn: &Image, least: usize, cut: usize) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("log.db"), &torn.db).unwrap();
    std::fs::write(dir.path().join("log.db-wal"), &torn.wal).unwrap();
    let bus =
        Embedded::open(dir.path(), options()).unwrap_or_else(|error| panic!("{cut}: {error}"));
    let all = read_all(&bus, ReadSpec::all(Position::Start, false)).await;
    let found: Vec<u64> = all.iter().map(|stored| stored.batch.first_id().sequence).collect();
    assert_eq!(found, (0..found.len() as u64).collect::<Vec<_>>(), "cut at {cut}");
    assert_eq!(found.len(), least, "cut at {cut}");
    // It goes on from there, and what it writes now is there next time.
    let next = found.len() as u64;
    let name = topic(["a", "b"][(next % 2) as usize]);
    bus.publish(&name, typed(1, next..next + 1, 6, None, 50)).await.unwrap();
    bus.close().await.unwrap();
    let bus = Embedded::open(dir.path(), options()).unwrap();
    let all = read_all(&bus, ReadSpec::all(Position::Start, false)).await;
    assert_eq!(all.len(), found.len() + 1, "cut at {cut}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_missing_cut_or_foreign_is_refused() {
    let (dir, _bus) = build().await;
    let image = Image::of(dir.path());
    let cut = Image { db: image.db[..50].to_vec(), wal: Vec::new() };
    let half = Image { db: image.db[..image.db.len() / 2].to_vec(), wal: Vec::new() };
    let text = Image { db: b"hello".repeat(100), wal: Vec::new() };
    for image in [cut, half, text] {
        assert_eq!(image.dump(None).await.unwrap_err().kind(), Kind::Damaged);
    }
    let alone = tempfile::tempdir().unwrap();
    std::fs::write(alone.path().join("log.db-wal"), &image.wal).unwrap();
    let refused = Embedded::open(alone.path(), options()).err().unwrap();
    assert!(refused.to_string().contains("missing"), "{refused}");
}
