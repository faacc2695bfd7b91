//! Flipped bits, torn tails and folds that do not fit, on copies of a log as a killed process
//! leaves it: what opens is what was written, or the error names what is damaged. Every bit and
//! every byte is tried on the journal alone (`journal::tests`); here some, through all of the log.
//!
//! What this cannot show: that the disk has what a sync promised. `WORLDBUS_TEST_FLIPS` sets how
//! many bits are tried; the default is for every run.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use worldbus_bus::{
    DeadEvent, DeadLetter, Error, Kind, Outcome, Position, ReadSpec, StoredBatch, SubscriptionName,
    Transport,
};
use worldbus_conformance::{DEADLINE, next, read_all, spec, topic, typed};
use worldbus_transport_embedded::{Embedded, Options, check as look, repair};

/// Small segments, so that there are several.
fn options() -> Options {
    Options { sync: false, segment_bytes_max: 64 << 10, ..Options::default() }
}

/// The files of a log.
#[derive(Clone)]
struct Image(BTreeMap<String, Vec<u8>>);

impl Image {
    fn of(dir: &Path) -> Self {
        let copy = crate::copy_of(dir);
        let entries = std::fs::read_dir(copy.path()).unwrap().map(Result::unwrap);
        let read = |entry: std::fs::DirEntry| {
            (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
        };
        Self(entries.map(read).collect())
    }

    fn write(&self) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in &self.0 {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        dir
    }

    /// Opens a copy and lists everything that is in it.
    async fn dump(&self, known: Option<&[Waiting]>) -> Result<Dump, Error> {
        let dir = self.write();
        let bus = Embedded::open(dir.path(), options())?;
        dump(&bus, known).await
    }

    fn flip(&self, name: &str, byte: usize, bit: u64) -> Self {
        let mut flipped = self.clone();
        flipped.0.get_mut(name).unwrap()[byte] ^= 1 << bit;
        flipped
    }

    /// With the fold of another one, or with none.
    fn with_fold(&self, of: Option<&Self>) -> Self {
        let mut other = self.clone();
        other.0.retain(|name, _| !name.starts_with("log.db"));
        let fold = of.into_iter().flat_map(|of| of.0.iter());
        let fold = fold.filter(|(name, _)| name.starts_with("log.db"));
        other.0.extend(fold.map(|(name, bytes)| (name.clone(), bytes.clone())));
        other
    }

    fn segments(&self) -> Vec<&String> {
        self.0.keys().filter(|name| name.ends_with(".seg")).collect()
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

/// A log of a few hundred kilobytes over several segments: the directory of a broker that is still
/// open, so that nothing is tidied up.
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

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_in_the_fold_is_refused_or_harmless() {
    let (dir, _bus) = build().await;
    let image = Image::of(dir.path());
    let expected = image.dump(None).await.unwrap();
    assert!(expected.batches.len() == 61 && expected.dead.len() == 3, "{expected:?}");
    assert!(!expected.waiting.is_empty());
    let mut seed = 1;
    // The header of the file byte by byte, the head of each page, and anywhere.
    let bytes_len = image.0["log.db"].len();
    let mut bytes: Vec<usize> = (0..100).collect();
    for page in 0..bytes_len / 4096 {
        bytes.push(page * 4096 + (random(&mut seed) % 12) as usize);
    }
    bytes.extend((0..flips()).map(|_| random(&mut seed) as usize % bytes_len));
    let mut refused = 0;
    for (turn, byte) in bytes.into_iter().enumerate() {
        let bit = random(&mut seed) % 8;
        let what = format!("{turn}: byte {byte} bit {bit}");
        check(&expected, &image.flip("log.db", byte, bit), &what, &mut refused).await;
    }
    assert!(refused > 30, "only {refused} were refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_in_a_segment_is_refused_or_harmless() {
    let (dir, _bus) = build().await;
    let image = Image::of(dir.path());
    let expected = image.dump(None).await.unwrap();
    assert!(image.segments().len() > 3, "{:?}", image.segments());
    let mut seed = 2;
    let mut refused = 0;
    for turn in 0..flips() {
        let segments = image.segments();
        let name = segments[random(&mut seed) as usize % segments.len()];
        let (byte, bit) = (random(&mut seed) as usize % image.0[name].len(), random(&mut seed) % 8);
        let what = format!("{turn}: {name} byte {byte} bit {bit}");
        check(&expected, &image.flip(name, byte, bit), &what, &mut refused).await;
    }
    assert!(refused > 30, "only {refused} were refused");
}

async fn check(expected: &Dump, image: &Image, what: &str, refused: &mut usize) {
    match image.dump(Some(&expected.waiting)).await {
        Ok(dump) => assert!(dump == *expected, "{what}: served what was not written"),
        Err(error) => {
            *refused += 1;
            let known = matches!(error.kind(), Kind::Damaged | Kind::Invalid);
            let text = error.to_string();
            assert!(known && (text.contains("log.db") || text.contains(".seg")), "{what}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fold_that_is_missing_or_older_is_made_again_and_another_is_refused() {
    let (dir, bus) = build().await;
    let older = Image::of(dir.path());
    let name = topic("t1");
    for sequence in 900..920 {
        bus.publish(&name, typed(1, sequence..sequence + 1, 6, None, 3_000)).await.unwrap();
    }
    assert!(bus.dead_letters(None, 1).await.is_ok(), "with it the fold is up to date");
    let image = Image::of(dir.path());
    let expected = image.dump(None).await.unwrap();
    let waiting = &expected.waiting;

    let missing = image.with_fold(None).dump(Some(waiting)).await.unwrap();
    assert!(missing == expected, "rebuilt: {missing:?}");
    let behind = image.with_fold(Some(&older)).dump(Some(waiting)).await.unwrap();
    assert!(behind == expected, "caught up: {behind:?}");

    // The log of the index is not there any more, or there is another one.
    let ahead = older.with_fold(Some(&image)).dump(None).await.unwrap_err();
    assert_eq!(ahead.kind(), Kind::Damaged);
    assert!(ahead.to_string().contains("acknowledged commits are lost"), "{ahead}");
    let (other, _other_bus) = build().await;
    let foreign = image.with_fold(Some(&Image::of(other.path()))).dump(None).await.unwrap_err();
    assert_eq!(foreign.kind(), Kind::Damaged);
    assert!(foreign.to_string().contains("move log.db away"), "{foreign}");
    let mut alone = image.clone();
    alone.0.retain(|name, _| name.starts_with("log.db"));
    let refused = alone.dump(None).await.unwrap_err();
    assert!(refused.to_string().contains("segments are missing"), "{refused}");
    for index in 0..image.segments().len() - 1 {
        let mut gap = image.clone();
        gap.0.remove(image.segments()[index]);
        // Without the oldest it is as if that had been removed: the index knows better.
        let refused = gap.dump(None).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Damaged, "{index}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fold_that_is_cut_or_foreign_is_refused() {
    let (dir, _bus) = build().await;
    let image = Image::of(dir.path());
    let db = &image.0["log.db"];
    for bytes in [db[..50].to_vec(), b"hello".repeat(100), Vec::new()] {
        let mut image = image.with_fold(None);
        image.0.insert("log.db".to_owned(), bytes);
        let refused = image.dump(None).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Damaged);
        assert!(refused.to_string().contains("move log.db away"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_tail_heals_to_whole_commits() {
    let dir = tempfile::tempdir().unwrap();
    // All in one, whether the next one is ready in time or not.
    let one_segment = Options { segment_bytes_max: 1 << 20, ..options() };
    let bus = Embedded::open(dir.path(), one_segment).unwrap();
    let begin = Image::of(dir.path());
    for sequence in 0..12u64 {
        let size = [10, 5_000, 400, 1_000][(sequence % 4) as usize];
        let name = topic(["a", "b"][(sequence % 2) as usize]);
        bus.publish(&name, typed(1, sequence..sequence + 1, 6, None, size)).await.unwrap();
    }
    let image = Image::of(dir.path()).with_fold(Some(&begin));
    let segment = image.segments()[0].clone();
    let used = image.0[&segment].iter().rposition(|&byte| byte != 0).unwrap() + 1;
    let mut found = Vec::new();
    for cut in (4096..=used).rev().step_by(997) {
        let mut torn = image.clone();
        torn.0.get_mut(&segment).unwrap()[cut..].fill(0);
        found.push(heals(&torn, cut).await);
    }
    assert_eq!(found[0], 12);
    assert!(found.is_sorted_by(|a, b| a >= b) && found.contains(&1), "{found:?}");
}

/// How many batches are left.
async fn heals(torn: &Image, cut: usize) -> usize {
    let dir = torn.write();
    let bus =
        Embedded::open(dir.path(), options()).unwrap_or_else(|error| panic!("{cut}: {error}"));
    let all = read_all(&bus, ReadSpec::all(Position::Start, false)).await;
    let found: Vec<u64> = all.iter().map(|stored| stored.batch.first_id().sequence).collect();
    assert_eq!(found, (0..found.len() as u64).collect::<Vec<_>>(), "cut at {cut}");
    // It goes on from there, and what it writes now is there next time.
    let next = found.len() as u64;
    let name = topic(["a", "b"][(next % 2) as usize]);
    bus.publish(&name, typed(1, next..next + 1, 6, None, 50)).await.unwrap();
    bus.close().await.unwrap();
    let bus = Embedded::open(dir.path(), options()).unwrap();
    let all = read_all(&bus, ReadSpec::all(Position::Start, false)).await;
    assert_eq!(all.len(), found.len() + 1, "cut at {cut}");
    found.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_names_the_damage_and_a_repair_keeps_all_before_it() {
    let (dir, bus) = build().await;
    assert_eq!(look(dir.path()).unwrap_err().kind(), Kind::InUse);
    let image = Image::of(dir.path());
    drop(bus);
    let whole = image.write();
    let found = look(whole.path()).unwrap();
    assert_eq!((found.damage.clone(), found.index.clone(), found.batches), (None, None, 62));
    assert_eq!(repair(whole.path()).unwrap(), found, "nothing to do");
    assert!(image.dump(None).await.is_ok());

    // In the third segment: what is before stays, what is behind is counted and put away.
    let name = image.segments()[2].clone();
    let damaged = image.flip(&name, 4096 + 40, 3).write();
    assert!(Embedded::open(damaged.path(), options()).is_ok() || image.segments().len() > 3);
    let damaged = image.with_fold(None).flip(&name, 4096 + 40, 3).write();
    assert!(Embedded::open(damaged.path(), options()).is_err());
    let found = look(damaged.path()).unwrap();
    assert!(found.damage.as_ref().is_some_and(|what| what.contains(&name)), "{found:?}");
    assert!(found.commits > 0 && found.commits_behind > 0 && found.batches_behind > 0, "{found:?}");
    assert_eq!(repair(damaged.path()).unwrap(), found);
    let bus = Embedded::open(damaged.path(), options()).unwrap();
    let left = read_all(&bus, ReadSpec::all(Position::Start, false)).await.len() as u64;
    assert!(left > 0 && left <= found.batches, "{left}: {found:?}");
    bus.publish(&topic("t0"), typed(5, 0..1, 6, None, 10)).await.unwrap();
    bus.close().await.unwrap();
    assert_eq!(look(damaged.path()).unwrap().damage, None);
    assert!(damaged.path().join(format!("lost-{name}")).exists());

    // An index of another log.
    let (other, _other_bus) = build().await;
    let foreign = image.with_fold(Some(&Image::of(other.path()))).write();
    assert!(look(foreign.path()).unwrap().index.is_some());
    repair(foreign.path()).unwrap();
    let bus = Embedded::open(foreign.path(), options()).unwrap();
    assert_eq!(read_all(&bus, ReadSpec::all(Position::Start, false)).await.len(), 61);
}

/// However much one look at the disk brings.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_before_damage_is_read_and_the_damage_reported_behind_it() {
    const DAMAGED: u64 = 10;
    let dir = tempfile::tempdir().unwrap();
    let bus = Embedded::open(dir.path(), Options { tail_bytes_max: 0, ..options() }).unwrap();
    for sequence in 0..20 {
        let name = format!("place-{sequence:02}");
        let batch = typed(1, sequence..sequence + 1, 6, Some(name.as_str()), 20);
        bus.publish(&topic("t"), batch).await.unwrap();
    }
    let image = Image::of(dir.path());
    let name = image.segments()[0].clone();
    let mut bytes = std::fs::read(dir.path().join(&name)).unwrap();
    let wanted = format!("place-{DAMAGED}");
    let at = bytes.windows(wanted.len()).position(|found| found == wanted.as_bytes()).unwrap();
    bytes[at] ^= 1;
    std::fs::write(dir.path().join(&name), bytes).unwrap();

    let mut reader = bus.read(ReadSpec::all(Position::Start, false)).await.unwrap();
    let mut consumer = bus.subscribe(spec("s", &["t"], Position::Start)).await.unwrap();
    for offset in 0..DAMAGED {
        assert_eq!(reader.next().await.unwrap().unwrap().offset, offset);
        assert_eq!(next(&mut consumer).await.lease.offset, offset);
    }
    assert_eq!(reader.next().await.unwrap_err().kind(), Kind::Damaged);
    assert_eq!(consumer.next().await.unwrap_err().kind(), Kind::Damaged);
}
