//! What may be chosen about an embedded log, each with a safe default.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use worldbus_bus::{SeenLimits, SubscriptionName, SystemClock, Topic, WallClock};

/// Bounds and clock of an embedded log.
#[derive(Clone)]
pub struct Options {
    /// Batches older than this are removed, by the time that the log was open since they came.
    pub retention_age: Duration,
    /// The oldest batches of a topic are removed while it holds more bytes than this.
    pub retention_bytes: u64,
    /// Batches that some subscription of their topic has not settled are kept for so long,
    /// however many: [`Options::retention_age`] counts for them only if it is longer.
    pub unread_age: Duration,
    /// And until their topic holds more bytes than this, if it is more than
    /// [`Options::retention_bytes`].
    pub unread_bytes: u64,
    /// The log is a queue, not a history: a batch is kept, however old, until every
    /// subscription of its topic has settled it, and is removed soon after. Retention by age
    /// and bytes does not apply, and no duplicates are dropped. The directory remembers it: who
    /// opens it later gets a queue, whatever these options are.
    pub queue: bool,
    /// Bytes of batches in one commit. One batch more may go in.
    pub group_bytes_max: usize,
    /// Bytes of batches that wait for the writer; beyond them publishers wait in line.
    pub queue_bytes_max: usize,
    /// Bytes of a file of the log at the most; those of a small log are smaller. What retention
    /// removes is given back to the disk a file at a time.
    pub segment_bytes_max: u64,
    /// Bytes of recent batches kept in memory for those who consume them as they come.
    pub tail_bytes_max: usize,
    /// How many event ids are remembered to drop duplicates.
    pub seen: SeenLimits,
    /// Bytes at the end of the log that are read at open to remember their event ids again.
    pub seen_rebuild_bytes_max: u64,
    /// Topics that are published to. Those of replayed events are as many again.
    pub topics_max: u32,
    /// Topics whose places are reserved, as they are when it is asked.
    pub topics_kept: Arc<dyn Fn() -> Vec<Topic> + Send + Sync>,
    /// Subscriptions.
    pub subscriptions_max: u32,
    /// Subscriptions whose places are reserved.
    pub subscriptions_kept: Vec<SubscriptionName>,
    /// A subscription that is unused for so long is deleted, with what it has not read: no
    /// consumer has it open, and nothing of it is settled, by the time that passes while the log
    /// is open. One that has dead letters stays, and so do [`Options::subscriptions_kept`].
    /// `None`: all stay.
    pub subscription_expiry: Option<Duration>,
    /// A topic that is empty and unused for so long is deleted: nothing is published to
    /// it, no reader names it, and no subscription is bound to it.
    /// [`Options::topics_kept`] stay. `None`: all stay.
    pub topic_expiry: Option<Duration>,
    /// Dead letters; beyond them the oldest are removed.
    pub dead_letters_max: u64,
    /// Bytes of dead letters; beyond them the oldest are removed.
    pub dead_letter_bytes_max: u64,
    /// The wall clock.
    pub clock: Arc<dyn WallClock>,
    /// Without it nothing is durable and acks mean little: for tests on copies of a log.
    #[doc(hidden)]
    pub sync: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            retention_age: Duration::from_secs(7 * 24 * 3600),
            retention_bytes: 1 << 30,
            unread_age: Duration::from_secs(30 * 24 * 3600),
            unread_bytes: 4 << 30,
            queue: false,
            group_bytes_max: 4 << 20,
            queue_bytes_max: 16 << 20,
            segment_bytes_max: 64 << 20,
            tail_bytes_max: 16 << 20,
            seen: SeenLimits::default(),
            seen_rebuild_bytes_max: 16 << 20,
            topics_max: 1024,
            topics_kept: Arc::new(Vec::new),
            subscriptions_max: 1024,
            subscriptions_kept: Vec::new(),
            subscription_expiry: None,
            topic_expiry: None,
            dead_letters_max: 10_000,
            dead_letter_bytes_max: 256 << 20,
            clock: Arc::new(SystemClock::default()),
            sync: true,
        }
    }
}

impl Options {
    /// Whether anything is deleted because it is unused.
    pub(crate) fn expires(&self) -> bool {
        !self.queue && (self.subscription_expiry.is_some() || self.topic_expiry.is_some())
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("retention_age", &self.retention_age)
            .field("retention_bytes", &self.retention_bytes)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
