//! The spool: events that the engine could not take wait on this machine's disk, in order, until
//! it can. Opt-in, by [`Bus::with_spool`](crate::Bus::with_spool).
//!
//! ```text
//! lane ──▶ engine                                the engine is there, nothing waits
//!   └────▶ spool: a log, a line for each topic ──▶ drain ──▶ engine, then ack
//! ```
//!
//! The log is a transport of its own, so nothing here touches a disk. Here is only who goes where:
//! what may be spooled queues behind what waits, what may not waits until the line is empty, so
//! each publisher's order holds whichever way its events took.

mod drain;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::{Error, Fate, Kind};
use crate::names::Topic;
use crate::transport::{TopicStatus, Transport};
use crate::wall::WallClock;
use worldbus_events::Batch;

/// While the engine takes what waits, new events wait this long to follow directly; then they
/// queue in the spool as well. Without it a line whose end moves might never be over.
const HAND_OVER: Duration = Duration::from_secs(1);
/// How often a full spool is looked at for room.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The spool of a bus. Dropping it ends its drains; what is left waits for the next start.
pub(crate) struct Spool {
    shared: Arc<Shared>,
    drains: TaskTracker,
    /// One batch at a time finds room and is appended, so that the bound holds.
    appending: Mutex<()>,
    bytes_max: u64,
}

/// What the spool and its drains share.
struct Shared {
    engine: Arc<dyn Transport>,
    log: Arc<dyn Transport>,
    wall: Arc<dyn WallClock>,
    state: watch::Sender<State>,
    closing: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    lines: BTreeMap<Topic, Line>,
    /// The engine did not take the last batch that was offered to it.
    away: bool,
    /// Why nothing is drained any more.
    failed: Option<Error>,
}

/// The batches of a topic that wait, by offset in the log.
#[derive(Debug, Default, Clone, Copy)]
struct Line {
    /// Everything below it is in the engine, or set aside.
    done: u64,
    /// The offset behind the last.
    end: u64,
}

/// Where the next batch of a topic goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Engine,
    Spool,
}

impl State {
    fn waits(&self, topic: &Topic) -> bool {
        self.lines.get(topic).is_some_and(|line| line.batches() > 0)
    }

    fn batches(&self) -> u64 {
        self.lines.values().map(Line::batches).sum()
    }

    /// Whether the engine is known to be away. Batches must be waiting for it: else nothing
    /// would find out that it is back.
    fn away(&self) -> bool {
        self.away && self.batches() > 0
    }
}

impl Line {
    fn batches(&self) -> u64 {
        self.end.saturating_sub(self.done)
    }
}

impl Spool {
    /// Takes up what an earlier process left in the log, and drains it into the engine.
    pub(crate) async fn open(
        engine: Arc<dyn Transport>,
        log: Arc<dyn Transport>,
        wall: Arc<dyn WallClock>,
        bytes_max: u64,
    ) -> Result<Self, Error> {
        let least = log.capabilities().batch_bytes_max as u64;
        if bytes_max < least {
            let context = format!("a spool of {bytes_max} bytes: it needs room for {least}");
            return Err(Error::refused(Kind::Invalid, context));
        }
        let (state, closing) = (watch::Sender::default(), CancellationToken::new());
        let shared = Arc::new(Shared { engine, log, wall, state, closing });
        let appending = Mutex::default();
        let spool = Self { shared, drains: TaskTracker::new(), appending, bytes_max };
        for status in spool.shared.log.topics().await? {
            spool.start(&status).await?;
        }
        let batches = spool.shared.state.borrow().batches();
        if batches > 0 {
            tracing::info!(batches, "events of an earlier run wait in the spool");
        }
        spool.shared.report().await;
        Ok(spool)
    }

    /// What the log takes at once; the engine may take more.
    pub(crate) fn batch_bytes_max(&self) -> usize {
        self.shared.log.capabilities().batch_bytes_max
    }

    /// Where a batch that may be spooled goes. Waits a moment for the line before it to end.
    pub(crate) async fn way(&self, topic: &Topic) -> Way {
        let mut state = self.shared.state.subscribe();
        let end = |state: &State| !state.waits(topic) || state.away() || state.failed.is_some();
        let clear = state.wait_for(end);
        // The sender is in `self`: waiting fails by time only.
        let _ = tokio::time::timeout(HAND_OVER, clear).await;
        let state = self.shared.state.borrow();
        if state.waits(topic) || state.away() { Way::Spool } else { Way::Engine }
    }

    /// Waits until nothing of the topic waits: what may not be spooled goes behind it all the
    /// same.
    ///
    /// # Errors
    /// `Unavailable` (retry) at the deadline; why the spool is not drained any more, if so.
    pub(crate) async fn pass(&self, topic: &Topic, deadline: Instant) -> Result<(), Error> {
        let mut state = self.shared.state.subscribe();
        let clear = state.wait_for(|state| !state.waits(topic) || state.failed.is_some());
        let _ = tokio::time::timeout_at(deadline, clear).await;
        let state = self.shared.state.borrow();
        if !state.waits(topic) {
            return Ok(());
        }
        Err(match &state.failed {
            Some(error) => error.clone().with_fate(Fate::Retry),
            None => Error::retry(
                Kind::Unavailable,
                format!("older events of topic {topic} wait in the spool for the engine"),
            ),
        })
    }

    /// Notes whether the engine was away for a batch that did not go through the spool.
    pub(crate) fn engine_is(&self, away: bool) {
        self.shared.set_away(away);
    }

    /// Appends a batch, waiting for room until `give_up`. Durable on this machine when it
    /// returns.
    ///
    /// # Errors
    /// `Full` (retry) without room on the disk, or in the spool when the wait is given up;
    /// others of the log.
    pub(crate) async fn append(
        &self,
        topic: &Topic,
        batch: Batch,
        give_up: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let _turn = self.appending.lock().await;
        let (events, bytes) = (batch.len() as u64, batch.bytes().len() as u64);
        if !self.shared.state.borrow().lines.contains_key(topic) {
            let topic = topic.clone();
            let new = TopicStatus {
                topic,
                first_offset: 0,
                next_offset: 0,
                events_total: 0,
                bytes: 0,
                idle: None,
            };
            self.start(&new).await?;
        }
        self.room(bytes, give_up).await?;
        let appended = self.shared.log.publish(topic, batch).await?;
        self.shared.state.send_modify(|state| {
            if let (Some(offset), Some(line)) = (appended.offset, state.lines.get_mut(topic)) {
                line.end = line.end.max(offset + 1);
            }
        });
        let name = || topic.to_string();
        metrics::counter!("worldbus_spooled_events_total", "topic" => name()).increment(events);
        metrics::counter!("worldbus_spooled_bytes_total", "topic" => name()).increment(bytes);
        self.shared.report().await;
        Ok(())
    }

    /// Waits while the engine takes what waits; how many batches are left when it is away, or
    /// 0.
    ///
    /// # Errors
    /// Why the spool is not drained any more, if so.
    pub(crate) async fn drained(&self) -> Result<u64, Error> {
        let mut state = self.shared.state.subscribe();
        let end = |state: &State| state.batches() == 0 || state.away() || state.failed.is_some();
        let state = state.wait_for(end).await;
        state.map_or(Ok(0), |state| state.failed.clone().map_or(Ok(state.batches()), Err))
    }

    /// Ends the drains and closes the log.
    pub(crate) async fn close(&self) -> Result<(), Error> {
        self.shared.closing.cancel();
        self.drains.close();
        self.drains.wait().await;
        self.shared.log.close().await
    }

    async fn start(&self, status: &TopicStatus) -> Result<(), Error> {
        let consumer = drain::subscribe(&*self.shared.log, &status.topic).await?;
        let line = Line { done: status.first_offset, end: status.next_offset };
        self.shared.state.send_modify(|state| {
            state.lines.insert(status.topic.clone(), line);
        });
        let drain = drain::run(Arc::clone(&self.shared), status.topic.clone(), consumer);
        let draining = Draining(Arc::clone(&self.shared));
        self.drains.spawn(async move {
            drain.await;
            drop(draining);
        });
        Ok(())
    }

    async fn room(&self, bytes: u64, give_up: impl Future<Output = ()>) -> Result<(), Error> {
        tokio::pin!(give_up);
        let mut reported = false;
        loop {
            let held = self.shared.held_bytes().await?;
            if held + bytes <= self.bytes_max {
                return Ok(());
            }
            if !std::mem::replace(&mut reported, true) {
                tracing::warn!(held, max = self.bytes_max, "the spool is full; publishers wait");
                metrics::counter!("worldbus_spool_full_total").increment(1);
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = &mut give_up => {
                    let max = self.bytes_max;
                    let context = format!(
                        "the spool is full ({held} of {max} bytes); bring the engine back, or \
                         allow the spool more"
                    );
                    return Err(Error::retry(Kind::Full, context));
                }
            }
        }
    }
}

impl Shared {
    fn set_away(&self, away: bool) {
        self.state.send_if_modified(|state| std::mem::replace(&mut state.away, away) != away);
    }

    /// Everything of a topic below an offset is done.
    fn advance(&self, topic: &Topic, done: u64) {
        self.state.send_if_modified(|state| {
            let Some(line) = state.lines.get_mut(topic) else { return false };
            let later = done > line.done;
            line.done = line.done.max(done);
            later
        });
    }

    fn fail(&self, error: Error) {
        tracing::error!(%error, "the spool failed: nothing of it is drained any more");
        self.state.send_modify(|state| state.failed = Some(error));
    }

    async fn held_bytes(&self) -> Result<u64, Error> {
        Ok(self.log.topics().await?.iter().map(|status| status.bytes).sum())
    }

    /// Sets the gauges.
    async fn report(&self) {
        if let Ok(bytes) = self.held_bytes().await {
            metrics::gauge!("worldbus_spool_bytes").set(bytes as f64);
        }
        metrics::gauge!("worldbus_spool_batches").set(self.state.borrow().batches() as f64);
    }
}

/// Held by the task that drains a topic: if that panics, no one waits for the topic to be drained.
struct Draining(Arc<Shared>);

impl Drop for Draining {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let context = "draining the spool ended by a panic; start again";
            self.0.fail(Error::unknown(Kind::Unavailable, context));
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.shared.closing.cancel();
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool").field("state", &*self.shared.state.borrow()).finish_non_exhaustive()
    }
}
