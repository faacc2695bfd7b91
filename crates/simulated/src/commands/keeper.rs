//! What the instances of a service keep together in the state store: polled, changed by
//! compare-and-set. Not here: what it is ([`Log`]), and when a change takes effect (the service).

use std::fmt::{self, Debug};
use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard, watch};

use super::Passed;
use crate::lead::Lead;
use crate::wake::Wake;
use worldbus_bus::WallClock;
use worldbus_service::state::{Entry, Error, Kind, UPDATE_COUNT_MAX};
use worldbus_service::{Problem, StateStore};
use worldbus_world::WallTime;

/// A command that takes effect later than this after its lead is refused: this machine's clock, or
/// that of another instance, is wrong.
const WAIT_US_MAX: i64 = 5_000_000;

/// What is kept: as one value of the state store.
pub trait Log: Clone + Debug + Send + Sync + 'static {
    /// What it is where the store has none.
    ///
    /// # Errors
    /// `Damaged` if there must be one.
    fn absent() -> Result<Self, Error>;

    /// It from its stored form, in every form that it ever had.
    ///
    /// # Errors
    /// `Damaged`.
    fn decode(bytes: &[u8]) -> Result<Self, Error>;

    /// Its stored form.
    ///
    /// # Errors
    /// `Unencodable`.
    fn encode(&self) -> Result<Vec<u8>, Error>;

    /// It is what this instance shows from now on: the place for metrics.
    fn shown(&self) {}
}

/// What is kept as far as this instance knows it.
#[derive(Clone, Debug)]
pub struct View<L> {
    /// It.
    pub log: Arc<L>,
    revision: Option<u64>,
    /// No command that is not in `log` takes effect before this wall time.
    pub fence: WallTime,
}

/// What a change came to.
#[derive(Debug)]
pub struct Changed<L, T> {
    /// What is kept from then on.
    pub log: Arc<L>,
    /// The wall time at which it was read to be changed.
    pub read_at: WallTime,
    /// What the change gives back; none if there was nothing to write.
    pub outcome: Option<T>,
}

/// The keeper of one value that all instances of a service share.
pub struct Keeper<L> {
    store: Arc<dyn StateStore>,
    key: String,
    wall: Arc<dyn WallClock>,
    lead: Lead,
    view: watch::Sender<View<L>>,
    passed: Mutex<Passed>,
    wake: Wake,
}

impl<L: Debug> Debug for Keeper<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut keeper = f.debug_struct("Keeper");
        keeper.field("key", &self.key).field("view", &self.view).finish_non_exhaustive()
    }
}

impl<L: Log> Keeper<L> {
    /// Restores what is kept under `key`; where there is nothing writes what `begin` makes of the
    /// wall time, if it makes anything. A change that becomes known wakes.
    ///
    /// # Errors
    /// Those of the store, of [`Log`] and of `begin`.
    pub async fn open(
        (store, key): (Arc<dyn StateStore>, String),
        wall: Arc<dyn WallClock>,
        lead: Lead,
        wake: Wake,
        begin: impl FnOnce(WallTime) -> Result<Option<L>, Error>,
    ) -> Result<Self, Error> {
        let read_at = WallTime(wall.now_us());
        let mut entry = store.get(&key).await?;
        if entry.is_none()
            && let Some(log) = begin(read_at)?
        {
            entry = Some(write_first(&*store, &key, &log).await?);
        }
        let (log, revision) = read_entry::<L>(entry.as_ref())?;
        log.shown();
        let fence = WallTime(lead.fence_us(read_at.0));
        let view = watch::Sender::new(View { log: Arc::new(log), revision, fence });
        let passed = Mutex::default();
        Ok(Self { store, key, wall, lead, view, passed, wake })
    }

    /// The wall time.
    pub fn now(&self) -> WallTime {
        WallTime(self.wall.now_us())
    }

    /// The wall clock.
    pub fn wall(&self) -> &Arc<dyn WallClock> {
        &self.wall
    }

    /// How far ahead commands take effect.
    pub fn lead(&self) -> Lead {
        self.lead
    }

    /// What is kept as this instance knows it.
    pub fn view(&self) -> View<L> {
        self.view.borrow().clone()
    }

    /// Up to where this instance has published. Hold it while a command is taken, so that it takes
    /// effect behind what is out.
    pub async fn passed(&self) -> MutexGuard<'_, Passed> {
        self.passed.lock().await
    }

    /// When a command takes effect that is taken at `now`: behind what is published and behind the
    /// last command, if there is one. `what` is ahead where it would wait, `service` is to be
    /// restarted, as of [`check_wait`].
    ///
    /// # Errors
    /// 503, as of [`check_wait`].
    pub fn effective(
        &self,
        now: WallTime,
        (passed, last): (WallTime, Option<WallTime>),
        (what, service): (&str, &str),
    ) -> Result<WallTime, Problem> {
        let wanted = WallTime(self.lead.after_us(now.0));
        let at = last.into_iter().fold(wanted.max(passed.plus_us(1)), WallTime::max);
        check_wait((wanted, at), what, service)?;
        Ok(at)
    }

    /// Reads what other instances wrote; `read_at` is the wall time before this call.
    ///
    /// # Errors
    /// Those of the store and of [`Log`].
    pub async fn read(&self, read_at: WallTime) -> Result<(), Error> {
        let entry = self.store.get(&self.key).await?;
        let revision = entry.as_ref().map(|entry| entry.revision);
        if entry.is_some() && revision == self.view.borrow().revision {
            let fence = self.fence(read_at);
            self.view.send_modify(|view| view.fence = view.fence.max(fence));
            self.wake.wake();
            return Ok(());
        }
        let (log, revision) = read_entry(entry.as_ref())?;
        self.show(Arc::new(log), revision, read_at);
        Ok(())
    }

    /// Changes what is kept: `change` is given it as it is stored and the wall time before it was
    /// read, and may run several times; with `None` there is nothing to write. Dropped while it
    /// runs, the change may have happened.
    ///
    /// # Errors
    /// What `change` returns, then nothing was written; those of the store and of [`Log`]; `Busy`
    /// where others wrote before us too often.
    pub async fn change<T, E: From<Error>>(
        &self,
        mut change: impl FnMut(&mut L, WallTime) -> Result<Option<T>, E>,
    ) -> Result<Changed<L, T>, E> {
        for _ in 0..UPDATE_COUNT_MAX {
            let read_at = self.now();
            let entry = self.store.get(&self.key).await?;
            let (mut log, expected) = read_entry::<L>(entry.as_ref())?;
            let Some(outcome) = change(&mut log, read_at)? else {
                let log = Arc::new(log);
                self.show(Arc::clone(&log), expected, read_at);
                return Ok(Changed { log, read_at, outcome: None });
            };

            let bytes = log.encode()?;
            let set = self.store.compare_and_set(&self.key, expected, bytes).await?;
            if let Ok(revision) = set {
                if self.lead.is_missed(read_at.0, self.now().0) {
                    tracing::error!("a command took longer than half the lead; raise the lead");
                }
                let log = Arc::new(log);
                self.show(Arc::clone(&log), Some(revision), read_at);
                return Ok(Changed { log, read_at, outcome: Some(outcome) });
            }
        }
        let text = "other commands came between all the time; try again";
        Err(Error::new(Kind::Busy, text).into())
    }

    /// No command takes effect before that was not in the store at `read_at`.
    fn fence(&self, read_at: WallTime) -> WallTime {
        WallTime(self.lead.fence_us(read_at.0))
    }

    fn show(&self, log: Arc<L>, revision: Option<u64>, read_at: WallTime) {
        let fence = self.fence(read_at);
        self.view.send_modify(|view| {
            // Of two readings of the store, the later one has the higher revision.
            if revision > view.revision {
                log.shown();
                (view.log, view.revision) = (log, revision);
            }
            view.fence = view.fence.max(fence);
        });
        self.wake.wake();
    }
}

/// Refuses a command that would wait for a wall time which a wrong clock has set. `what` is ahead,
/// `service` is to be restarted: `the weather`, `weather-manager`.
///
/// # Errors
/// 503, saying which clock to correct.
pub fn check_wait(
    (wanted, effective): (WallTime, WallTime),
    what: &str,
    service: &str,
) -> Result<(), Problem> {
    let wait_us = effective.0.saturating_sub(wanted.0);
    if wait_us <= WAIT_US_MAX {
        return Ok(());
    }
    Err(Problem::unavailable(format!(
        "{what} is {} s ahead of this machine's wall clock: a command would wait so long; correct \
         the clock that is wrong, and restart the {service}",
        wait_us / 1_000_000
    )))
}

fn read_entry<L: Log>(entry: Option<&Entry>) -> Result<(L, Option<u64>), Error> {
    match entry {
        Some(entry) => Ok((L::decode(&entry.value)?, Some(entry.revision))),
        None => Ok((L::absent()?, None)),
    }
}

/// Writes the first value, unless another instance was faster.
async fn write_first<L: Log>(store: &dyn StateStore, key: &str, log: &L) -> Result<Entry, Error> {
    let value = log.encode()?;
    match store.compare_and_set(key, None, value.clone()).await? {
        Ok(revision) => Ok(Entry { value, revision }),
        Err(conflict) => {
            let text = format!("state key `{key}` comes and goes");
            conflict.current.ok_or_else(|| Error::new(Kind::Busy, text))
        }
    }
}

#[cfg(test)]
mod tests;
