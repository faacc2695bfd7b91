//! A disk that is full for a while, and one that fails for good.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::journal::disk::{Disk, DiskFile, Real};
use crate::store::failure::Failure;
use crate::write::queue::Request;
use crate::{Embedded, Health, Options};
use worldbus_bus::{Appended, Fate, Kind, Outcome, Position, ReadSpec, Transport as _};
use worldbus_conformance::{batch, next, read_all, soon, spec, topic, typed};

fn open(dir: &std::path::Path) -> Embedded {
    Embedded::open(dir, Options { sync: false, ..Options::default() }).unwrap()
}

/// What goes wrong with a disk.
#[derive(Debug, Clone)]
struct Faults {
    /// No file may be longer, but for those that are.
    room: Arc<AtomicU64>,
    /// Syncs of files fail, those of the directory.
    files: Arc<AtomicBool>,
    directory: Arc<AtomicBool>,
}

impl Default for Faults {
    fn default() -> Self {
        let (files, directory) = Default::default();
        Self { room: Arc::new(AtomicU64::new(u64::MAX)), files, directory }
    }
}

impl Faults {
    fn sync(which: &AtomicBool) -> io::Result<()> {
        if which.load(Ordering::Relaxed) { Err(io::Error::other("a bad disk")) } else { Ok(()) }
    }
}

#[derive(Debug)]
struct Limited {
    real: Real,
    faults: Faults,
}

#[derive(Debug)]
struct LimitedFile {
    real: Arc<dyn DiskFile>,
    faults: Faults,
}

impl Disk for Limited {
    fn list(&self) -> io::Result<Vec<String>> {
        self.real.list()
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let (real, faults) = (self.real.create(name)?, self.faults.clone());
        Ok(Arc::new(LimitedFile { real, faults }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let (real, faults) = (self.real.open(name)?, self.faults.clone());
        Ok(Arc::new(LimitedFile { real, faults }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.real.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.real.remove(name)
    }

    fn sync(&self) -> io::Result<()> {
        Faults::sync(&self.faults.directory).and_then(|()| self.real.sync())
    }
}

impl DiskFile for LimitedFile {
    fn bytes(&self) -> io::Result<u64> {
        self.real.bytes()
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<()> {
        self.real.read_at(buffer, position)
    }

    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        let end = position + bytes.len() as u64;
        if end > self.real.bytes()? && end > self.faults.room.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.real.write_at(bytes, position)
    }

    fn reserve(&self, bytes: u64) -> io::Result<bool> {
        if bytes > self.faults.room.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.real.reserve(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        Faults::sync(&self.faults.files).and_then(|()| self.real.sync())
    }
}

/// A log whose disk fails as is set.
fn faulty(dir: &std::path::Path, options: Options) -> (Embedded, Faults) {
    let faults = Faults::default();
    let real = Real { dir: dir.to_owned(), sync: false };
    let disk = Limited { real, faults: faults.clone() };
    let options = Options { sync: false, segment_bytes_max: 128 << 10, ..options };
    (Embedded::open_on(dir, Arc::new(disk), options).unwrap(), faults)
}

/// A log whose disk has room for files of so many bytes as is set.
fn limited(dir: &std::path::Path) -> (Embedded, Arc<AtomicU64>) {
    let (bus, faults) = faulty(dir, Options::default());
    (bus, faults.room)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_takes_nothing_loses_nothing_and_goes_on_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let (bus, room) = limited(dir.path());
    let mut consumer = bus.subscribe(spec("s", &["t"], Position::Now)).await.unwrap();
    bus.publish(&topic("t"), batch(1, 0..3)).await.unwrap();
    let delivered = next(&mut consumer).await;
    room.store(0, Ordering::Relaxed);
    let large = |first| typed(1, first..first + 2, 6, None, 100_000);
    for _ in 0..3 {
        let full = bus.publish(&topic("t"), large(3)).await.unwrap_err();
        assert_eq!((full.kind(), full.fate()), (Kind::Full, Fate::Retry));
        assert!(full.to_string().contains("make room"), "{full}");
    }
    let new = bus.publish(&topic("new"), large(50)).await.unwrap_err();
    assert_eq!(new.kind(), Kind::Full);
    assert!(matches!(*bus.health().borrow(), Health::Full(_)) && !bus.writable());
    assert_eq!(bus.topics().await.unwrap().len(), 1, "what was rolled back is not there");
    consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();

    room.store(u64::MAX, Ordering::Relaxed);
    let mut health = bus.health();
    let writable = health.wait_for(|health| matches!(health, Health::Writable));
    drop(soon("space noticed without a publish", writable).await.unwrap());
    let appended = bus.publish(&topic("t"), large(3)).await.unwrap();
    assert_eq!(
        appended,
        Appended { offset: Some(1), duplicates: vec![] },
        "it was not seen before"
    );
    bus.close().await.unwrap();

    let bus = open(dir.path());
    let all = read_all(&bus, ReadSpec::all(Position::Start, false)).await;
    assert_eq!(all.iter().map(|stored| stored.batch.len()).collect::<Vec<_>>(), [3, 2]);
    let mut consumer = bus.subscribe(spec("s", &["t"], Position::Now)).await.unwrap();
    assert_eq!(next(&mut consumer).await.lease.offset, 1, "the ack outlived the full disk");
}

#[tokio::test(flavor = "multi_thread")]
async fn log_that_was_full_is_writable_when_there_is_space_for_a_large_batch_not_before() {
    let dir = tempfile::tempdir().unwrap();
    let (bus, room) = limited(dir.path());
    bus.publish(&topic("t"), batch(1, 0..3)).await.unwrap();
    room.store(0, Ordering::Relaxed);
    bus.publish(&topic("t"), typed(1, 3..5, 6, None, 100_000)).await.unwrap_err();
    let mut health = bus.health();
    assert!(matches!(*health.borrow_and_update(), Health::Full(_)));
    // Room for what is small, and none for what is large: as the last kilobytes of a disk.
    room.store(128 << 10, Ordering::Relaxed);
    bus.publish(&topic("t"), batch(2, 0..1)).await.unwrap();
    let changed = tokio::time::timeout(super::IDLE_MAX * 3, health.changed()).await;
    assert!(changed.is_err(), "it flaps: {:?}", *health.borrow());
    room.store(u64::MAX, Ordering::Relaxed);
    let writable = health.wait_for(|health| matches!(health, Health::Writable));
    drop(soon("space noticed without a publish", writable).await.unwrap());
    bus.publish(&topic("t"), typed(1, 3..5, 6, None, 100_000)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_log_acknowledges_nothing_and_reports_it() {
    let dir = tempfile::tempdir().unwrap();
    let bus = open(dir.path());
    let mut consumer = bus.subscribe(spec("s", &["t"], Position::Now)).await.unwrap();
    bus.publish(&topic("t"), batch(1, 0..3)).await.unwrap();
    let delivered = next(&mut consumer).await;
    let failure = Failure::Io("fsync: input/output error".to_owned());
    let error = failure.to_error(&bus.shared().file, Fate::Unknown);
    bus.shared().health.send_replace(Health::Failed(error));
    bus.shared().wake();
    let failed = tokio::time::timeout(Duration::from_secs(60), bus.failed()).await.unwrap();
    assert!(failed.to_string().contains("check the disk"), "{failed}");
    for error in [
        bus.publish(&topic("t"), batch(1, 3..4)).await.unwrap_err(),
        consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap_err(),
        consumer.next().await.unwrap_err(),
        bus.close().await.unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.fate()), (Kind::Unavailable, Fate::Unknown));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_of_file_or_directory_is_final_and_nothing_acknowledged_is_lost() {
    for of_directory in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let (bus, faults) = faulty(dir.path(), Options::default());
        bus.publish(&topic("t"), batch(1, 0..1)).await.unwrap();
        let broken = if of_directory { &faults.directory } else { &faults.files };
        broken.store(true, Ordering::Relaxed);
        // A new directory entry comes with the next segment.
        let mut acked = 1;
        let error = loop {
            let large = typed(1, acked..acked + 1, 6, None, 30_000);
            match soon("an answer", bus.publish(&topic("t"), large)).await {
                Ok(_) => acked += 1,
                Err(error) => break error,
            }
            assert!(acked < 20, "a directory that is not synced is not noticed");
        };
        assert_eq!((error.kind(), error.fate()), (Kind::Unavailable, Fate::Unknown));
        broken.store(false, Ordering::Relaxed);
        let again = bus.publish(&topic("t"), batch(9, 0..1)).await.unwrap_err();
        assert_eq!(again.kind(), Kind::Unavailable, "asking again would prove nothing");
        soon("the failure", bus.failed()).await;
        drop(bus);
        let bus = open(dir.path());
        let all = read_all(&bus, ReadSpec::all(Position::Start, false)).await;
        let found: Vec<u64> = all.iter().map(|stored| stored.batch.first_id().sequence).collect();
        assert!(found.len() as u64 >= acked, "{found:?} of {acked}");
        assert!(found.len() as u64 <= acked + 1, "{found:?} of {acked}");
    }
}

/// Readers that were shown a new head would skip what a crash brings back.
#[tokio::test(flavor = "multi_thread")]
async fn retention_that_cannot_commit_moves_no_head() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { retention_bytes: 1, unread_bytes: 0, ..Options::default() };
    let (bus, faults) = faulty(dir.path(), options);
    bus.publish(&topic("t"), batch(1, 0..1)).await.unwrap();
    bus.publish(&topic("t"), batch(1, 1..2)).await.unwrap();
    faults.files.store(true, Ordering::Relaxed);
    soon("retention tries to commit", bus.failed()).await;
    let topics = bus.topics().await.unwrap();
    assert_eq!(topics[0].first_offset, 0);
}

#[test]
fn failures_have_the_fate_that_follows_from_them() {
    let file = std::path::Path::new("log.db");
    let sqlite = |code| {
        Failure::from(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None))
            .to_error(file, Fate::Unknown)
    };
    let cases = [
        (rusqlite::ffi::SQLITE_FULL, Kind::Full, Fate::Retry),
        (rusqlite::ffi::SQLITE_IOERR_SHMSIZE, Kind::Full, Fate::Retry),
        (rusqlite::ffi::SQLITE_IOERR_FSYNC, Kind::Unavailable, Fate::Unknown),
        (rusqlite::ffi::SQLITE_BUSY, Kind::InUse, Fate::Retry),
        (rusqlite::ffi::SQLITE_CORRUPT, Kind::Damaged, Fate::Refused),
    ];
    for (code, kind, fate) in cases {
        assert_eq!((sqlite(code).kind(), sqlite(code).fate()), (kind, fate));
    }
    let no_space = Failure::from(std::io::Error::from(std::io::ErrorKind::StorageFull));
    assert_eq!(no_space.to_error(file, Fate::Unknown).kind(), Kind::Full);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_panics_leaves_no_one_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let bus = open(dir.path());
    drop(bus.shared().queue.submit(Request::Panic).unwrap());
    let error = soon("an answer", bus.publish(&topic("t"), batch(1, 0..1))).await.unwrap_err();
    assert!(matches!(error.kind(), Kind::Unavailable | Kind::Closed), "{error:?}");
    soon("the failure", bus.failed()).await;
}
