//! Readers that come back: to another log, to one that was put back, or to a place that retention
//! has removed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use worldbus_bus::{
    Gap, GapReason, LogEnd, ManualClock, Notice, Position, RESUME_OVERLAP, ReadSpec, Reader,
    Resume, Transport, WallClock,
};
use worldbus_conformance::{batch, read_all, soon, topic, typed};
use worldbus_transport_embedded::{Embedded, Options};

/// Some wall time.
const BEGIN_MS: i64 = 1_800_000_000_000;

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(BEGIN_MS * 1000))
}

fn open(dir: &Path, clock: &Arc<ManualClock>) -> Embedded {
    open_with(dir, clock, Options::default())
}

fn open_with(dir: &Path, clock: &Arc<ManualClock>, options: Options) -> Embedded {
    let clock: Arc<dyn WallClock> = Arc::clone(clock) as _;
    Embedded::open(dir, Options { clock, sync: false, ..options }).unwrap()
}

async fn end(bus: &Embedded) -> LogEnd {
    bus.end().await.unwrap().unwrap()
}

/// A reader that goes on from a commit of a log.
async fn resumed(bus: &Embedded, commit: u64, resume: Resume) -> Box<dyn Reader> {
    let all = ReadSpec::all(Position::Commit(commit), true);
    bus.read(ReadSpec { resume: Some(resume), ..all }).await.unwrap()
}

fn notices(reader: &mut Box<dyn Reader>) -> Vec<Notice> {
    std::iter::from_fn(|| reader.notice()).collect()
}

async fn first_sequence(reader: &mut Box<dyn Reader>) -> u64 {
    let stored = soon("a batch", reader.next()).await.unwrap().unwrap();
    stored.batch.first_id().sequence
}

#[tokio::test(flavor = "multi_thread")]
async fn log_knows_its_names_and_no_other_has_them_and_one_of_a_version_before_gets_one() {
    let (dir, other, clock) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), clock());
    let bus = open(dir.path(), &clock);
    bus.publish(&topic("t"), batch(1, 0..1)).await.unwrap();
    let log = end(&bus).await.log.unwrap();
    drop(bus);
    let bus = open(dir.path(), &clock);
    let mut reader = resumed(&bus, 1, Resume { log, time_ms: BEGIN_MS }).await;
    assert_eq!(notices(&mut reader), []);
    drop((bus, reader));
    assert_ne!(end(&open(other.path(), &clock)).await.log, Some(log));
    let file = rusqlite::Connection::open(dir.path().join("log.db")).unwrap();
    // As a version before left it.
    assert_eq!(file.execute("DELETE FROM record WHERE kind IN (8, 9)", []).unwrap(), 3);
    file.close().unwrap();
    let bus = open(dir.path(), &clock);
    let named = end(&bus).await.log.unwrap();
    assert_ne!(named, log);
    assert_eq!(read_all(&bus, ReadSpec::all(Position::Start, false)).await.len(), 1);
    // When it began is unknown, so no gap is reported.
    let past = Resume { log, time_ms: 0 };
    let mut reader = resumed(&bus, 0, past).await;
    assert_eq!(notices(&mut reader), [Notice::Resumed { from_ms: past.from_ms() }]);
    drop((bus, reader));
    let bus = open(dir.path(), &clock);
    let mut reader = resumed(&bus, 1, Resume { log: named, time_ms: BEGIN_MS }).await;
    assert_eq!(notices(&mut reader), []);
}

/// Three batches, of which `lose` makes a copy next to the log before three more; then the copy in
/// place of the log, and others in it: the places from before are of another log.
async fn put_back(lose: impl AsyncFnOnce(&Path, Embedded, &Arc<ManualClock>) -> LogEnd) {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let log = dir.path().join("log");
    let bus = open(&log, &clock);
    for sequence in 0..3 {
        bus.publish(&topic("t"), batch(1, sequence..sequence + 1)).await.unwrap();
    }
    let LogEnd { log: name, next_commit, time_ms } = lose(&log, bus, &clock).await;
    assert_eq!(next_commit, 6);
    std::fs::remove_dir_all(&log).unwrap();
    std::fs::rename(log.with_file_name("copy"), &log).unwrap();
    let bus = open(&log, &clock);
    for sequence in 10..16 {
        bus.publish(&topic("t"), batch(1, sequence..sequence + 1)).await.unwrap();
    }
    let resume = Resume { log: name.unwrap(), time_ms };
    let mut reader = resumed(&bus, next_commit, resume).await;
    assert_eq!(notices(&mut reader), [Notice::Resumed { from_ms: resume.from_ms() }]);
    let spec = ReadSpec::topics([topic("t")], Position::Offset(next_commit), true);
    let spec = ReadSpec { resume: Some(resume), ..spec };
    let mut reader = bus.read(spec).await.unwrap();
    assert_eq!(notices(&mut reader), [Notice::Resumed { from_ms: resume.from_ms() }]);
}

async fn three_more(bus: Embedded) -> LogEnd {
    for sequence in 3..6 {
        bus.publish(&topic("t"), batch(1, sequence..sequence + 1)).await.unwrap();
    }
    end(&bus).await
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_of_before_a_restart_that_has_grown_past_a_place_is_another_log() {
    put_back(async |log, bus, clock| {
        drop(bus);
        copy(log, &log.with_file_name("copy"));
        three_more(open(log, clock)).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_of_a_running_log_that_has_grown_past_a_place_is_another_log() {
    put_back(async |log, bus, _| {
        copy(log, &log.with_file_name("copy"));
        three_more(bus).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn place_holds_over_many_restarts() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let mut places = Vec::new();
    for sequence in 0..8 {
        let bus = open(dir.path(), &clock);
        bus.publish(&topic("t"), batch(1, sequence..sequence + 1)).await.unwrap();
        let LogEnd { log, next_commit, time_ms } = end(&bus).await;
        places.push((next_commit, Resume { log: log.unwrap(), time_ms }));
    }
    let bus = open(dir.path(), &clock);
    for (commit, resume) in places {
        let mut reader = resumed(&bus, commit, resume).await;
        assert_eq!(notices(&mut reader), [], "from commit {commit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reader_of_another_log_goes_on_by_time_a_little_back() {
    let (dir, other, clock) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), clock());
    let foreign = end(&open(other.path(), &clock)).await.log.unwrap();
    let bus = open(dir.path(), &clock);
    for sequence in 0..10 {
        bus.publish(&topic("t"), batch(1, sequence..sequence + 1)).await.unwrap();
        clock.advance(RESUME_OVERLAP / 2);
    }
    // Batch 6 came 180 s after the first.
    let time_ms = BEGIN_MS + 180_000;
    let ours = end(&bus).await.log.unwrap();
    let mut reader = resumed(&bus, 6, Resume { log: ours, time_ms }).await;
    assert_eq!((notices(&mut reader).len(), first_sequence(&mut reader).await), (0, 6));
    for commit in [0, 6, u64::MAX] {
        let mut reader = resumed(&bus, commit, Resume { log: foreign, time_ms }).await;
        let from_ms = time_ms - RESUME_OVERLAP.as_millis() as i64;
        assert_eq!(notices(&mut reader), [Notice::Resumed { from_ms }]);
        assert_eq!(first_sequence(&mut reader).await, 4);
        assert_eq!(notices(&mut reader), []);
    }
    // By offsets as well, in the topics that have them alone.
    bus.publish(&topic("u"), batch(2, 0..1)).await.unwrap();
    let topics = vec![(topic("t"), Position::Offset(9)), (topic("u"), Position::Start)];
    let resume = Some(Resume { log: foreign, time_ms });
    let spec = ReadSpec { topics, resume, ..ReadSpec::all(Position::Now, false) };
    let found = read_all(&bus, ReadSpec { all_topics: false, ..spec }).await;
    let sequences: Vec<u64> = found.iter().map(|one| one.batch.first_id().sequence).collect();
    assert_eq!(sequences, [4, 5, 6, 7, 8, 9, 0]);
    // Times that a hostile cursor has.
    for time_ms in [i64::MIN, i64::MAX] {
        let mut reader = resumed(&bus, 0, Resume { log: foreign, time_ms }).await;
        assert!(matches!(notices(&mut reader)[0], Notice::Resumed { .. }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn log_that_was_put_back_is_another() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let bus = open(dir.path(), &clock);
    bus.publish(&topic("t"), batch(1, 0..1)).await.unwrap();
    let LogEnd { log, next_commit, time_ms } = end(&bus).await;
    let resume = Resume { log: log.unwrap(), time_ms };
    let mut reader = resumed(&bus, next_commit, resume).await;
    assert_eq!(notices(&mut reader), []);
    let mut reader = resumed(&bus, next_commit + 1, resume).await;
    assert_eq!(notices(&mut reader), [Notice::Resumed { from_ms: resume.from_ms() }]);
    assert_eq!(first_sequence(&mut reader).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn log_that_began_after_what_was_seen_reports_a_gap() {
    let (dir, other, clock) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), clock());
    let foreign = end(&open(other.path(), &clock)).await.log.unwrap();
    clock.advance(Duration::from_secs(10));
    let bus = open(dir.path(), &clock);
    let began_ms = BEGIN_MS + 10_000;
    let earlier = Resume { log: foreign, time_ms: BEGIN_MS };
    let mut reader = resumed(&bus, 5, earlier).await;
    let (reason, topic, batches) = (GapReason::LogBegan, None, None);
    let (from_ms, until_ms) = (Some(BEGIN_MS), Some(began_ms));
    let gap = Notice::Gap(Gap { reason, topic, batches, from_ms, until_ms });
    assert_eq!(notices(&mut reader), [Notice::Resumed { from_ms: earlier.from_ms() }, gap]);
    let same = Resume { log: foreign, time_ms: began_ms };
    let mut reader = resumed(&bus, 5, same).await;
    assert_eq!(notices(&mut reader), [Notice::Resumed { from_ms: same.from_ms() }]);
}

/// A log of which retention has removed the older half of topic `t`, and how many batches that is.
async fn half(dir: &Path, clock: &Arc<ManualClock>) -> (Embedded, u64) {
    let options = Options { retention_bytes: 20_000, unread_bytes: 0, ..Options::default() };
    let bus = open_with(dir, clock, options);
    bus.publish(&topic("small"), batch(2, 0..1)).await.unwrap();
    for sequence in 0..10 {
        bus.publish(&topic("t"), typed(1, sequence..sequence + 1, 6, None, 4_000)).await.unwrap();
        clock.advance(Duration::from_secs(1));
    }
    let removed = soon("retention", async {
        loop {
            let topics = bus.topics().await.unwrap();
            let status = topics.into_iter().find(|status| status.topic == topic("t")).unwrap();
            if status.bytes <= 20_000 {
                return status.first_offset;
            }
            tokio::task::yield_now().await;
        }
    });
    let removed = removed.await;
    (bus, removed)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_retention_removed_behind_a_place_is_reported() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let (bus, removed) = half(dir.path(), &clock).await;
    let until_ms = Some(BEGIN_MS + 1000 * (removed as i64 - 1));
    let missing = |batches, from_ms| {
        let (reason, topic) = (GapReason::Retention, Some(topic("t")));
        vec![Notice::Gap(Gap { reason, topic, batches, from_ms, until_ms })]
    };
    drop(bus);
    let options = Options { retention_bytes: 20_000, ..Options::default() };
    let bus = open_with(dir.path(), &clock, options);
    let by_offset = async |offset| {
        let spec = ReadSpec::topics([topic("t")], Position::Offset(offset), true);
        let mut reader = bus.read(spec).await.unwrap();
        notices(&mut reader)
    };
    assert_eq!(by_offset(2).await, missing(Some(removed - 2), None));
    assert_eq!(by_offset(removed).await, []);
    // The first commit was of the other topic.
    let log = end(&bus).await.log.unwrap();
    let resume = Resume { log, time_ms: BEGIN_MS };
    for commit in [0, 1, removed] {
        let mut reader = resumed(&bus, commit, resume).await;
        assert_eq!(notices(&mut reader), missing(None, Some(BEGIN_MS)), "from commit {commit}");
    }
    let mut reader = resumed(&bus, removed + 1, resume).await;
    assert_eq!((notices(&mut reader), first_sequence(&mut reader).await), (vec![], removed));
    // From the start, and from a time that was asked for as such, nothing is missing.
    for from in [Position::Start, Position::TimeMs(0), Position::Now] {
        let mut reader = bus.read(ReadSpec::all(from, true)).await.unwrap();
        assert_eq!(notices(&mut reader), []);
    }
    // By time, in another log.
    let foreign = worldbus_bus::LogId::from_random(log.bits() + 1);
    let mut reader = resumed(&bus, 0, Resume { log: foreign, time_ms: BEGIN_MS }).await;
    assert_eq!(notices(&mut reader)[1..], missing(None, Some(BEGIN_MS)));
    let mut reader = resumed(&bus, 0, Resume { log: foreign, time_ms: BEGIN_MS + 9_000 }).await;
    assert_eq!(notices(&mut reader).len(), 1, "what is missing was seen before");
}

#[tokio::test(flavor = "multi_thread")]
async fn reader_that_retention_overtakes_reports_how_many_batches_it_missed() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let options = Options {
        retention_bytes: 20_000,
        unread_bytes: 0,
        tail_bytes_max: 0,
        ..Options::default()
    };
    let bus = open_with(dir.path(), &clock, options);
    bus.publish(&topic("t"), typed(1, 0..1, 6, None, 4_000)).await.unwrap();
    let mut reader = bus.read(ReadSpec::all(Position::Start, true)).await.unwrap();
    assert_eq!(first_sequence(&mut reader).await, 0);
    for sequence in 1..40 {
        bus.publish(&topic("t"), typed(1, sequence..sequence + 1, 6, None, 4_000)).await.unwrap();
    }
    soon("retention", async {
        while bus.topics().await.unwrap()[0].bytes > 20_000 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let next = first_sequence(&mut reader).await;
    assert!(next > 1, "{next}");
    let (reason, topic, seen_ms) = (GapReason::Retention, Some(topic("t")), Some(BEGIN_MS));
    let gap = Gap { reason, topic, batches: Some(next - 1), from_ms: seen_ms, until_ms: seen_ms };
    assert_eq!(notices(&mut reader), [Notice::Gap(gap)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn topic_that_was_deleted_is_no_gap() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let bus = open(dir.path(), &clock);
    for sequence in 0..5 {
        bus.publish(&topic("t"), batch(1, sequence..sequence + 1)).await.unwrap();
    }
    let mut reader = bus.read(ReadSpec::all(Position::Start, true)).await.unwrap();
    bus.delete_topic(&topic("t"), true).await.unwrap();
    bus.publish(&topic("u"), batch(2, 7..8)).await.unwrap();
    assert_eq!((first_sequence(&mut reader).await, notices(&mut reader)), (7, vec![]));
}
