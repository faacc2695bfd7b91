//! The transport: opening a log, and the calls that reach its writer and its readers.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::{oneshot, watch};

use crate::dead_letters::admin;
use crate::dead_letters::replay;
use crate::format::record::Head;
use crate::journal::disk::{Disk, Real};
use crate::journal::heal::is_copy;
use crate::journal::segments::is_segment;
use crate::options::Options;
use crate::read::pool::Reads;
use crate::read::reader::{LogReader, resolve};
use crate::read::tail::Tail;
use crate::shared::{Health, Shared};
use crate::store::failure::space::SPACE_BYTES_MIN;
use crate::store::failure::{Failure, closed};
use crate::store::lock::{self, Lock};
use crate::store::open::{self, Opened};
use crate::store::path::with_suffix;
use crate::store::private;
use crate::store::{DeadPlace, Loaded};
use crate::subscription::consumer::LogConsumer;
use crate::subscription::runtime::Live;
use crate::subscription::state::Subscription;
use crate::usage::Use;
use crate::write::plan::Ledger;
use crate::write::queue::{Deletion, Request};
use crate::write::writer::{Retention, Writer};
use worldbus_bus::{
    Appended, Capabilities, Capability, Consumer, DeadLetter, Error, Fate, Kind, LogEnd, Position,
    ReadSpec, Reader, SubscriptionName, SubscriptionSpec, SubscriptionStatus, Topic, TopicStatus,
    Transport,
};
use worldbus_events::limits::BATCH_BYTES_MAX;
use worldbus_events::{Batch, limits};

/// The file of the log in its directory.
const FILE: &str = "log.db";
/// Marks the directory of a queue, so that it is never opened as a history.
const QUEUE_MARK: &str = "queue";
/// A last append that is further ahead of the wall clock than this is warned of.
const AHEAD_S_MIN: i64 = 10;

/// A durable broker in this process. Cheap to clone; the log is closed when the last clone is
/// dropped, or by [`Transport::close`].
#[derive(Clone)]
pub struct Embedded {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Embedded {
    /// Opens the log in a directory, creating both if need be. Blocks for as long as it takes
    /// to scan and recover what the last process left behind.
    ///
    /// # Errors
    /// `InUse` if another process has the directory, `Damaged` if what is stored is not what
    /// was written, `Invalid` if it was written by a newer version, cannot be opened, or is no
    /// queue although [`Options::queue`] asks for one, `Full` if there is no space to create
    /// it. Each names the file and what to do.
    pub fn open(dir: impl AsRef<Path>, options: Options) -> Result<Self, Error> {
        let dir = dir.as_ref();
        let disk = Real { dir: dir.to_owned(), sync: options.sync };
        Self::open_on(dir, Arc::new(disk), options)
    }

    /// Opens it over another disk: for tests with one that fails.
    pub(crate) fn open_on(
        dir: &Path,
        disk: Arc<dyn Disk>,
        mut options: Options,
    ) -> Result<Self, Error> {
        worldbus_files::create_dir(dir).map_err(|error| {
            let dir = dir.display();
            let context = format!("cannot create the directory {dir}: {error}; check the path");
            Error::refused(Kind::Invalid, context)
        })?;

        // A directory of an earlier start that ended before it was synced is made to last, too.
        let cannot = |error: std::io::Error| Failure::from(error).to_error(dir, Fate::Refused);
        if options.sync && !Self::is_in(dir) {
            worldbus_files::sync_above(dir).map_err(cannot)?;
        }

        // Refuse links, FIFOs and devices, and a directory that is in use, before anything changes.
        let file = dir.join(FILE);
        let ours = files(dir, &file).map_err(cannot)?;
        ours.iter().try_for_each(|path| check_file(path))?;
        let lock = lock::take(dir)?;
        // The rights of others to what versions before this one created.
        private::tighten_all(dir, &ours.iter().map(PathBuf::as_path).collect::<Vec<_>>());

        // A queue is one for ever.
        options.queue = mark_queue(dir, &file, options.queue)?;
        if options.queue {
            // What is published again after it was settled is wanted again.
            options.seen.ranges_per_producer_max = 0;
        }

        // Scan, recover and load.
        let opened = open::open(&disk, &file, &options).map_err(|failure| {
            failure.sorted(&file, SPACE_BYTES_MIN).to_error(dir, Fate::Refused)
        })?;
        Self::start(opened, lock, &file, options)
    }

    /// Whether there is a log in `dir`, which [`Embedded::open`] would otherwise make.
    pub fn is_in(dir: impl AsRef<Path>) -> bool {
        open::is_in(dir.as_ref(), FILE)
    }

    fn start(opened: Opened, lock: Lock, file: &Path, options: Options) -> Result<Self, Error> {
        let Opened { journal, fold, connection, records, loaded, seen, names } = opened;
        let Loaded { tally, mut heads, mut subscriptions, mut dead, ages, idle } = loaded;
        let reads = Reads::open(file.to_owned(), records, Arc::clone(&fold.progress))
            .map_err(|failure| failure.to_error(file, Fate::Refused))?;

        // What versions before this one left of what was deleted.
        replay::delete_orphans(&mut heads)?;
        forget_deleted(&heads, &mut subscriptions, &mut dead);

        // Subscriptions get their run time; numbers of deleted ones are free.
        let now_ms = options.clock.steady_us().div_euclid(1000);
        let usage = |idle_ms: Option<&i64>| Use::new(now_ms, idle_ms.copied().unwrap_or(0));
        let live = subscriptions.into_iter().enumerate().map(|(id, mut subscription)| {
            subscription.confine(&heads);
            if !tally.closed {
                // Whoever held a lease in the process that crashed is gone with it.
                subscription
                    .cursors
                    .values_mut()
                    .for_each(crate::subscription::cursor::Cursor::end_leases);
            }
            let id = id as u32;
            Arc::new(Live::new(id, subscription, usage(idle.subscriptions.get(&id))))
        });
        let (free, live): (Vec<Arc<Live>>, Vec<_>) = live.partition(|live| {
            replay::deleted_subscription(live.id).is_ok_and(|deleted| deleted == live.name)
        });
        let free = free.iter().map(|live| live.id).collect();

        // What the writer, the consumers and the readers share.
        warn_if_ahead(tally.appended_ms, &options);
        let topics = (0..).zip(&heads).filter(|(_, head)| !replay::is_deleted(&head.name));
        let topic_uses =
            topics.map(|(number, _)| (number, Arc::new(usage(idle.topics.get(&number)))));
        let topic_uses = topic_uses.collect();
        let tail = Tail::new(heads.clone(), tally.next_group, options.tail_bytes_max);
        let ledger = Ledger::new(tally, heads, seen, dead, free);
        let file = file.to_path_buf();
        let can = capabilities(options.queue);
        let reads = Arc::new(reads);
        let mut shared = Shared::new(file, options, can, tail, live, topic_uses, reads);
        shared.names = names;
        let shared = Arc::new(shared);
        shared.dead_letters.store(ledger.dead_count(), Ordering::Relaxed);

        // The writer, on a thread of its own.
        let writer = Writer {
            shared: Arc::clone(&shared),
            journal,
            fold,
            connection,
            ledger,
            lock,
            maintained: Instant::now(),
            retention: Retention::new(ages),
        };
        let thread = std::thread::Builder::new().name("worldbus-log".to_owned());
        let thread = thread.spawn(move || writer.run()).map_err(|error| {
            let failure = Failure::from(error);
            failure.to_error(&shared.file, Fate::Refused)
        })?;
        let handle = Handle { shared, writer: Mutex::new(Some(thread)) };
        Ok(Self { handle: Arc::new(handle) })
    }

    /// Whether the log takes batches now, and every change of that.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.handle.shared.health.subscribe()
    }

    /// Whether the log takes batches now: if not, `/readyz` should fail.
    pub fn writable(&self) -> bool {
        matches!(*self.handle.shared.health.borrow(), Health::Writable)
    }

    /// Waits until the log has failed for good, if it ever does: then the process should exit.
    pub async fn failed(&self) -> Error {
        let mut health = self.health();
        let failed = health.wait_for(|health| matches!(health, Health::Failed(_))).await;
        match failed.as_deref() {
            Ok(Health::Failed(error)) => error.clone(),
            // The sender lives as long as `self`.
            _ => closed(),
        }
    }

    async fn delete(&self, deletion: Deletion) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        let _place = self.shared().queue.submit(Request::Delete(deletion, reply))?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }
}

/// The files of a log that stay, those that may be there and those that are.
fn files(dir: &Path, file: &Path) -> std::io::Result<Vec<PathBuf>> {
    let (wal, shm) = (with_suffix(file, "-wal"), with_suffix(file, "-shm"));
    let mut files = vec![file.to_owned(), wal, shm, dir.join(lock::FILE), dir.join(QUEUE_MARK)];
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| is_segment(name) || is_copy(name)) {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// Refuses what is there and no file of ours, before anything of it is opened or changed.
fn check_file(path: &Path) -> Result<(), Error> {
    worldbus_files::check_file(path).map_err(|error| {
        let path = path.display();
        let context = format!(
            "cannot use {path}: {error}; put the file itself there, or choose another --data-dir"
        );
        Error::refused(Kind::Invalid, context)
    })
}

/// Whether the directory holds a queue; marks a new one before there is anything in it.
fn mark_queue(dir: &Path, file: &Path, asked: bool) -> Result<bool, Error> {
    let mark = dir.join(QUEUE_MARK);
    let cannot = |error: std::io::Error| Failure::from(error).to_error(&mark, Fate::Refused);
    if mark.try_exists().map_err(cannot)? {
        return Ok(true);
    }
    if !asked {
        return Ok(false);
    }
    if file.try_exists().map_err(cannot)? {
        let dir = dir.display();
        let context = format!("{dir} holds the log of a bus, not a queue; choose another folder");
        return Err(Error::refused(Kind::Invalid, context));
    }
    private::create_file(&mark).and_then(|created| created.sync_all()).map_err(cannot)?;
    worldbus_files::sync_dir(dir).map_err(cannot)?;
    Ok(true)
}

/// Leaves out what an earlier version kept of topics that were deleted: cursors, and dead letters.
fn forget_deleted(
    heads: &[Head],
    subscriptions: &mut [Subscription],
    dead: &mut VecDeque<DeadPlace>,
) {
    let deleted =
        |topic: u32| heads.get(topic as usize).is_some_and(|head| replay::is_deleted(&head.name));
    for subscription in subscriptions {
        subscription.cursors.retain(|&topic, _| !deleted(topic));
    }
    for place in dead.iter_mut().filter(|place| deleted(place.key.topic)) {
        place.removed = true;
    }
}

/// Append times never step back, so that a time can be looked up.
fn warn_if_ahead(appended_ms: i64, options: &Options) {
    let ahead_s = (appended_ms - options.clock.now_us().div_euclid(1000)) / 1000;
    if ahead_s >= AHEAD_S_MIN {
        tracing::warn!(
            ahead_s,
            "the log was written last by a wall clock that was ahead: append times stand until \
             the clock has caught up, so reading from a time on brings more than asked for"
        );
    }
}

fn capabilities(queue: bool) -> Capabilities {
    let mut has = Capability::ALL.to_vec();
    has.retain(|&capability| !queue || capability != Capability::DropDuplicates);
    Capabilities {
        transport: "embedded",
        has,
        payload_bytes_max: limits::PAYLOAD_BYTES_MAX,
        batch_bytes_max: BATCH_BYTES_MAX,
        linger: Duration::ZERO,
    }
}

#[async_trait]
impl Transport for Embedded {
    fn capabilities(&self) -> &Capabilities {
        &self.shared().capabilities
    }

    async fn publish(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error> {
        replay::check_names([topic])?;
        let bytes = batch.bytes().len();
        if bytes > BATCH_BYTES_MAX {
            let context = format!(
                "a batch of {bytes} bytes; at most {BATCH_BYTES_MAX} fit: send less at once"
            );
            return Err(Error::refused(Kind::TooLarge, context));
        }
        let (reply, answer) = oneshot::channel();
        // Before the first await: the order of first polls is the order of the log.
        let request = Request::Publish { topic: topic.clone(), batch, reply };
        let _place = self.shared().queue.submit(request)?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    async fn subscribe(&self, spec: SubscriptionSpec) -> Result<Box<dyn Consumer>, Error> {
        spec.check()?;
        replay::check_names(&spec.topics)?;
        replay::check_subscription(&spec.name)?;

        // Positions that only the index knows become offsets here, off the writer's thread.
        let mut starts = Vec::with_capacity(spec.topics.len());
        for topic in &spec.topics {
            let number = self.shared().tail().number(topic);
            starts.push(match (spec.start, number) {
                (Position::TimeMs(_) | Position::Commit(_), Some(number)) => {
                    Position::Offset(resolve(self.shared(), number, spec.start).await?)
                }
                (start, _) => start,
            });
        }

        // The writer binds the subscription, durably, and answers with its run time.
        let (reply, answer) = oneshot::channel();
        let request = Request::Subscribe { spec: Box::new(spec.clone()), starts, reply };
        let _place = self.shared().queue.submit(request)?;
        let live = answer.await.unwrap_or_else(|_| Err(stopped()))?;
        Ok(Box::new(LogConsumer::new(Arc::clone(self.shared()), live, spec)))
    }

    async fn read(&self, spec: ReadSpec) -> Result<Box<dyn Reader>, Error> {
        replay::check_names(spec.topics.iter().map(|(topic, _)| topic))?;
        spec.check()?;
        Ok(Box::new(LogReader::open(Arc::clone(self.shared()), spec).await?))
    }

    async fn topics(&self) -> Result<Vec<TopicStatus>, Error> {
        let idle = |number| self.shared().idle_time(&self.shared().topic_use(number));
        let status = |(number, head): (u32, &crate::format::record::Head)| TopicStatus {
            topic: head.name.clone(),
            first_offset: head.first_offset,
            next_offset: head.next_offset,
            events_total: head.events_total,
            bytes: head.bytes,
            idle: idle(number),
        };
        let mut topics: Vec<_> = {
            let tail = self.shared().tail();
            let heads = (0..).zip(tail.heads());
            let published = heads.filter(|(_, head)| replay::is_public(&head.name));
            published.map(status).collect()
        };
        topics.sort_by(|a, b| a.topic.cmp(&b.topic));
        Ok(topics)
    }

    async fn end(&self) -> Result<Option<LogEnd>, Error> {
        let shared = self.shared();
        // First the time: what is appended from the commit on is not before it.
        let time_ms = shared.now_ms();
        let (log, next_commit) = (shared.log(), shared.tail().next_group());
        Ok(Some(LogEnd { log, next_commit, time_ms }))
    }

    async fn subscriptions(&self) -> Result<Vec<SubscriptionStatus>, Error> {
        let all: Vec<_> = self.shared().subscriptions().values().cloned().collect();
        let mut subscriptions: Vec<_> = all.iter().map(|live| self.shared().status(live)).collect();
        subscriptions.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(subscriptions)
    }

    async fn delete_topic(&self, name: &Topic, force: bool) -> Result<(), Error> {
        self.delete(Deletion::Topic { name: name.clone(), force }).await
    }

    async fn delete_subscription(&self, name: &SubscriptionName, force: bool) -> Result<(), Error> {
        self.delete(Deletion::Subscription { name: name.clone(), force }).await
    }

    async fn dead_letters(
        &self,
        subscription: Option<&SubscriptionName>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        admin::list(self.shared(), subscription, limit).await
    }

    async fn dead_letter_page(
        &self,
        subscription: Option<&SubscriptionName>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        admin::page(self.shared(), subscription, after, limit).await
    }

    async fn dead_letter_count(&self) -> Result<Option<u64>, Error> {
        Ok(Some(self.shared().dead_letters.load(Ordering::Relaxed)))
    }

    async fn replay_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        admin::take_out(self.shared(), subscription, ids, true).await
    }

    async fn discard_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        admin::take_out(self.shared(), subscription, ids, false).await
    }

    async fn close(&self) -> Result<(), Error> {
        self.shared().queue.close();
        let writer = self.handle.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // The writer ends after what is in line; a panic in it was logged already.
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
        self.shared().failed().map_or(Ok(()), Err)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.queue.close();
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // So that the directory is free again when the last clone is gone.
            let _ = writer.join();
        }
    }
}

/// The writer went away without an answer: the request may have been done.
fn stopped() -> Error {
    closed().with_fate(Fate::Unknown)
}
