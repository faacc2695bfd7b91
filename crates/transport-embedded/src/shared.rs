//! What the writer, the consumers and the readers of one log share.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use crate::dead_letters::replay;
use crate::journal::read::RecordReader;
use crate::options::Options;
use crate::read::pool::Reads;
use crate::read::tail::Tail;
use crate::store::Names;
use crate::store::failure::Failure;
use crate::store::fold::Progress;
use crate::subscription::runtime::Live;
use crate::usage::{Idle, Use};
use crate::write::queue::Queue;
use worldbus_bus::{Capabilities, Error, Fate, LogId, SubscriptionName, SubscriptionStatus, Topic};

/// How long a changed cursor waits for others to be written together with it.
pub(crate) const CURSOR_DELAY: Duration = Duration::from_millis(20);

/// Calls that set events aside at once; more wait in line.
pub(crate) const DEAD_LETTER_CALLS_MAX: usize = 2;

/// Whether the log takes batches.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Health {
    /// It does.
    Writable,
    /// Not now: no space is left. Writes resume automatically when there is.
    Full(Error),
    /// Never again in this process: the disk failed or what is stored is damaged. Exit.
    Failed(Error),
}

/// The state of one open log.
pub(crate) struct Shared {
    /// The fold; its directory is that of the log.
    pub(crate) file: PathBuf,
    pub(crate) options: Options,
    pub(crate) capabilities: Capabilities,
    /// Which log this is.
    pub(crate) names: Names,
    pub(crate) queue: Queue,
    tail: Mutex<Tail>,
    subscriptions: Mutex<HashMap<SubscriptionName, Arc<Live>>>,
    /// Of the topics that exist, by number.
    topic_uses: Mutex<HashMap<u32, Arc<Use>>>,
    /// Whether something was used that is written as not used for a while.
    pub(crate) uses_changed: AtomicBool,
    /// Counts commits; wakes all who wait for batches.
    pub(crate) commits: watch::Sender<u64>,
    pub(crate) health: watch::Sender<Health>,
    pub(crate) reads: Arc<Reads>,
    pub(crate) records: Arc<RecordReader>,
    /// How far the fold is.
    pub(crate) progress: Arc<Progress>,
    /// Turns of the calls that set events aside.
    pub(crate) setting_aside: Arc<Semaphore>,
    /// Dead letters that are there, as of the last commit.
    pub(crate) dead_letters: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        file: PathBuf,
        options: Options,
        capabilities: Capabilities,
        tail: Tail,
        subscriptions: Vec<Arc<Live>>,
        topic_uses: HashMap<u32, Arc<Use>>,
        reads: Arc<Reads>,
    ) -> Self {
        let (records, progress) = (Arc::clone(&reads.records), Arc::clone(&reads.progress));
        let by_name = subscriptions.into_iter().map(|live| (live.name.clone(), live));
        Self {
            file,
            queue: Queue::new(options.queue_bytes_max),
            options,
            capabilities,
            names: Names::default(),
            tail: Mutex::new(tail),
            subscriptions: Mutex::new(by_name.collect()),
            topic_uses: Mutex::new(topic_uses),
            uses_changed: AtomicBool::new(false),
            commits: watch::Sender::new(0),
            health: watch::Sender::new(Health::Writable),
            reads,
            records,
            progress,
            setting_aside: Arc::new(Semaphore::new(DEAD_LETTER_CALLS_MAX)),
            dead_letters: AtomicU64::new(0),
        }
    }

    pub(crate) fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscriptions(&self) -> MutexGuard<'_, HashMap<SubscriptionName, Arc<Live>>> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn topic_uses(&self) -> MutexGuard<'_, HashMap<u32, Arc<Use>>> {
        self.topic_uses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last use of a topic; of one that is new, now.
    pub(crate) fn topic_use(&self, number: u32) -> Arc<Use> {
        let now_ms = self.steady_ms();
        let mut uses = self.topic_uses();
        Arc::clone(uses.entry(number).or_insert_with(|| Arc::new(Use::new(now_ms, 0))))
    }

    /// How long it has been unused.
    pub(crate) fn idle_time(&self, what: &Use) -> Option<Duration> {
        u64::try_from(what.idle_ms(self.steady_ms())).ok().map(Duration::from_millis)
    }

    /// The name of the log, if it has one.
    pub(crate) fn log(&self) -> Option<LogId> {
        self.names.last()
    }

    /// The wall time, for what people read.
    pub(crate) fn now_ms(&self) -> i64 {
        self.options.clock.now_us().div_euclid(1000)
    }

    /// The time that passes in this process, for leases, delays and ages.
    pub(crate) fn steady_ms(&self) -> i64 {
        self.options.clock.steady_us().div_euclid(1000)
    }

    /// Wakes all who wait for batches.
    pub(crate) fn wake(&self) {
        self.commits.send_modify(|commits| *commits += 1);
    }

    /// The error to answer with once the log has failed.
    pub(crate) fn failed(&self) -> Option<Error> {
        match &*self.health.borrow() {
            Health::Failed(error) => Some(error.clone()),
            Health::Writable | Health::Full(_) => None,
        }
    }

    /// Has a subscription written soon.
    pub(crate) fn moved(&self, live: &Live) {
        live.set_dirty();
        self.queue.cursors_changed(CURSOR_DELAY);
    }

    /// The same, and lets its consumers look again.
    pub(crate) fn changed(&self, live: &Live) {
        live.changed.notify_waiters();
        self.moved(live);
    }

    /// What is known of a subscription.
    pub(crate) fn status(&self, live: &Live) -> SubscriptionStatus {
        let batches = self.lag(live);
        let numbers: Vec<u32> = live.lock().subscription.cursors.keys().copied().collect();
        let tail = self.tail();
        let names = numbers.iter().filter_map(|&number| Some(tail.head(number)?.name.clone()));
        let topics = names.filter(replay::is_public).collect();
        let (name, consumers) = (live.name.clone(), live.consumers());
        let idle = self.idle_time(&live.usage);
        SubscriptionStatus { name, topics, batches, consumers, idle }
    }

    /// Batches that wait for a subscription or are under way.
    pub(crate) fn lag(&self, live: &Live) -> u64 {
        let state = live.lock();
        let tail = self.tail();
        let cursors = state.subscription.cursors.iter();
        let lag = cursors.filter_map(|(&topic, cursor)| {
            tail.head(topic).map(|head| head.next_offset.saturating_sub(cursor.floor()))
        });
        lag.sum()
    }

    /// Notes a use.
    pub(crate) fn used(&self, what: &Use) {
        if what.touch(self.steady_ms()) {
            self.uses_changed.store(true, Ordering::Release);
            if self.options.expires() {
                self.queue.cursors_changed(CURSOR_DELAY);
            }
        }
    }

    /// Notes that one more has it open.
    pub(crate) fn opened(&self, what: &Use) {
        self.used(what);
        what.open();
    }

    /// Notes that one less has it open; whether that was the last.
    pub(crate) fn closed(&self, what: &Use) -> bool {
        // First the time, so that it is not idle for a moment.
        what.touch(self.steady_ms());
        what.close()
    }

    /// How long which are idle.
    pub(crate) fn idle(&self) -> Idle {
        let now_ms = self.steady_ms();
        let subscriptions = self.subscriptions();
        let subscriptions =
            subscriptions.values().map(|live| (live.id, live.usage.idle_ms(now_ms)));
        let topics = self.topic_uses();
        let topics = topics.iter().map(|(&number, usage)| (number, usage.idle_ms(now_ms)));
        Idle { subscriptions: subscriptions.collect(), topics: topics.collect() }
    }

    /// The name of a topic.
    pub(crate) fn topic_name(&self, number: u32) -> Result<Topic, Error> {
        let name = self.tail().head(number).map(|head| head.name.clone());
        name.ok_or_else(|| self.unknown(number))
    }

    /// Nothing covers an offset: fine if retention has removed it by now, else damage.
    pub(crate) fn missing(&self, number: u32, offset: u64) -> Result<(), Error> {
        let head = self.tail().head(number).cloned();
        match head {
            Some(head) if offset < head.first_offset => Ok(()),
            Some(head) => {
                Err(self.damaged(format!("batch {offset} of topic {} is missing", head.name)))
            }
            None => Err(self.unknown(number)),
        }
    }

    fn unknown(&self, number: u32) -> Error {
        self.damaged(format!("topic {number} is unknown"))
    }

    /// The directory of the log.
    pub(crate) fn dir(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("."))
    }

    fn damaged(&self, what: String) -> Error {
        Failure::Damaged(what).to_error(&self.file, Fate::Refused)
    }
}
