//! Writing the chronicle: what events mean into the ledger, and what the ledger makes of it into
//! the store. Not here: what that is (`ledger`), publishing it (`publish`).

mod receive;
mod traces;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Notify, mpsc};

use crate::ledger::{Changes, Entry, Ledger, News};
use crate::observe::Observation;
use crate::rules::Rules;
use crate::store::{Committed, Store};
use worldbus_service::health::Condition;
use worldbus_service::state::Error;
use worldbus_simulated::SharedClock;
use worldbus_simulated::follow::Follower;
use worldbus_world::World;

pub(crate) use receive::Receiver;
pub(crate) use traces::Traces;

/// How often changes are computed again because another instance wrote in between.
const CONFLICT_COUNT_MAX: u32 = 64;
/// How long a store that fails is left alone.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// What writes the chronicle.
#[derive(Debug)]
pub(crate) struct Chronicler {
    pub(crate) world: Arc<World>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<SharedClock>,
    pub(crate) follower: Arc<Follower<SharedClock>>,
    /// The ledger and its revision; none before it was read, and after the store failed.
    ledger: Mutex<Option<(u64, Ledger)>>,
    /// Whether the store works.
    stored: Condition,
    /// There is something to publish.
    news: Notify,
    /// What it is published within.
    pub(crate) traces: Traces,
    /// Where entries go that a language model may rewrite, from this significance on.
    rewritten: Option<(mpsc::Sender<Entry>, u16)>,
}

/// What the ledger is given.
#[derive(Debug, Default)]
pub(crate) struct Given {
    /// What events mean, in the order of the events.
    pub(crate) observations: Vec<Observation>,
    /// The latest announcement of the clock: what waits for its turn goes on by its time.
    pub(crate) announced_ms: Option<i64>,
}

impl FromIterator<Given> for Given {
    fn from_iter<T: IntoIterator<Item = Given>>(all: T) -> Self {
        let mut this = Self::default();
        for given in all {
            this.observations.extend(given.observations);
            this.announced_ms = this.announced_ms.max(given.announced_ms);
        }
        this
    }
}

impl Chronicler {
    pub(crate) fn new(
        world: Arc<World>,
        rules: Arc<Rules>,
        store: Arc<dyn Store>,
        clock: Arc<SharedClock>,
        follower: Arc<Follower<SharedClock>>,
        stored: Condition,
    ) -> Self {
        let (ledger, news, traces) = (Mutex::new(None), Notify::new(), Traces::default());
        Self { world, rules, store, clock, follower, ledger, stored, news, traces, rewritten: None }
    }

    /// The same, where entries of such a significance are given to `entries` as well.
    pub(crate) fn with_rewriter(self, entries: mpsc::Sender<Entry>, least: u16) -> Self {
        Self { rewritten: Some((entries, least)), ..self }
    }

    /// Writes what the ledger makes of it; retries as long as the store fails, so that nothing is
    /// set aside for a full disk.
    pub(crate) async fn write(&self, given: &Given) {
        loop {
            match self.try_write(given).await {
                Ok(()) => return self.stored.met(),
                Err(error) => {
                    tracing::warn!(%error, "the chronicle was not written; retrying");
                    self.stored.failed(error.to_string());
                    tokio::time::sleep(RETRY_DELAY).await;
                }
            }
        }
    }

    async fn try_write(&self, given: &Given) -> Result<(), Error> {
        let mut held = self.ledger.lock().await;
        for _ in 0..CONFLICT_COUNT_MAX {
            // Taken out: if this ends in between, the next one reads it again.
            let (revision, mut ledger) = match held.take() {
                Some(known) => known,
                None => self.load().await?,
            };
            // What another instance left is not found by a conflict: there may be none.
            if given.announced_ms.is_some() && self.store.revision().await? != revision {
                continue;
            }
            let changes = ledger.take(given.observations.clone(), given.announced_ms);
            if changes.is_empty() {
                *held = Some((revision, ledger));
                return Ok(());
            }
            let of_ledger = changes.is_of_ledger().then_some(revision);
            let has_news = !changes.news.is_empty();
            let rewritable = self.rewritable(&changes);
            count(&changes);
            // Before they are stored: from then on they may be published.
            self.traces.follow(&changes.news);
            match self.store.commit(of_ledger, changes).await? {
                Committed::Done(now) => {
                    let revision = of_ledger.map_or(revision, |_| now);
                    *held = Some((revision, ledger));
                    if has_news {
                        self.news.notify_one();
                    }
                    self.offer(rewritable);
                    return Ok(());
                }
                Committed::Conflict => {}
            }
        }
        let text = "other instances write the chronicle all the time; retrying";
        Err(Error::new(worldbus_service::state::Kind::Busy, text))
    }

    async fn load(&self) -> Result<(u64, Ledger), Error> {
        let (revision, saved) = self.store.load().await?;
        let ledger = Ledger::new(Arc::clone(&self.rules), Arc::clone(&self.world), saved);
        Ok((revision, ledger))
    }

    /// The entries that a language model may rewrite.
    fn rewritable(&self, changes: &Changes) -> Vec<Entry> {
        let Some((_, least)) = &self.rewritten else { return Vec::new() };
        let entries = changes.news.iter().filter_map(|news| match news {
            News::Entry(entry) if entry.significance >= *least => Some(entry.clone()),
            News::Entry(_) | News::Advance(_) => None,
        });
        entries.collect()
    }

    /// Offers entries for rewriting; those that find no room keep their own texts.
    fn offer(&self, entries: Vec<Entry>) {
        let Some((sender, _)) = &self.rewritten else { return };
        for entry in entries {
            if sender.try_send(entry).is_err() {
                metrics::counter!("worldbus_chronicle_rewrites_skipped_total").increment(1);
            }
        }
    }

    /// Waits until there is something to publish.
    pub(crate) async fn has_news(&self) {
        self.news.notified().await;
    }

    /// There is something to publish.
    pub(crate) fn notify(&self) {
        self.news.notify_one();
    }
}

fn count(changes: &Changes) {
    let entries = changes.news.iter().filter(|news| matches!(news, News::Entry(_))).count();
    metrics::counter!("worldbus_chronicle_entries_total").increment(entries as u64);
}
