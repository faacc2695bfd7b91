//! The world's clock as all instances share it: in the state store, polled, changed by
//! compare-and-set. Not here: events (`ticker`), requests (`rest`).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard, watch};
use tokio_util::sync::CancellationToken;
use worldbus_bus::WallClock;
use worldbus_service::health::Condition;
use worldbus_service::state::{Entry, Error, Kind, UPDATE_COUNT_MAX};
use worldbus_service::trace::Causes;
use worldbus_service::{Lead, Problem, StateStore};
use worldbus_world::{Change, Clock, WallTime, World};

use crate::history::History;

/// How long the answer to a command waits for its announcement.
const ANNOUNCE_MAX: Duration = Duration::from_secs(1);

/// The clock as far as this instance knows it.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) history: Arc<History>,
    revision: u64,
    /// No segment that is not in `history` begins until this wall time.
    pub(crate) fence: WallTime,
}

/// A command's result.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) history: Arc<History>,
    pub(crate) effective: WallTime,
    /// Who asks the bus from now on hears of it.
    pub(crate) announced: bool,
}

pub(crate) struct Clockwork {
    store: Arc<dyn StateStore>,
    key: String,
    wall: Arc<dyn WallClock>,
    lead: Lead,
    view: watch::Sender<View>,
    /// Up to where this instance has published. Held while a command is taken, so that no
    /// segment begins where boundaries of the one before are out already.
    passed: Mutex<WallTime>,
    /// The newest epoch whose announcement is durable.
    announced: watch::Sender<Option<u32>>,
    /// What begins because of which command.
    pub(crate) causes: Causes,
}

impl Clockwork {
    /// Restores a world's clock, or begins it now.
    pub(crate) async fn open(
        store: Arc<dyn StateStore>,
        world: &World,
        wall: Arc<dyn WallClock>,
        lead: Lead,
    ) -> Result<Self, Error> {
        let key = format!("clock/{}", world.id);
        let read_at = WallTime(wall.now_us());
        let entry = match store.get(&key).await? {
            Some(entry) => entry,
            None => begin(&*store, &key, &History::new(world.scale, read_at)).await?,
        };
        let history = Arc::new(History::decode(&entry.value)?);
        let fence = WallTime(lead.fence_us(read_at.0));
        let view = watch::Sender::new(View { history, revision: entry.revision, fence });
        let (passed, announced) = (Mutex::new(WallTime(i64::MIN)), watch::Sender::new(None));
        let causes = Causes::default();
        Ok(Self { store, key, wall, lead, view, passed, announced, causes })
    }

    pub(crate) fn now(&self) -> WallTime {
        WallTime(self.wall.now_us())
    }

    pub(crate) fn view(&self) -> View {
        self.view.borrow().clone()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<View> {
        self.view.subscribe()
    }

    pub(crate) async fn passed(&self) -> MutexGuard<'_, WallTime> {
        self.passed.lock().await
    }

    /// Reads what other instances wrote, again and again.
    pub(crate) async fn poll(
        &self,
        condition: Condition,
        shutdown: CancellationToken,
    ) -> Result<(), Error> {
        let wall = Arc::clone(&self.wall);
        self.lead
            .poll(wall, condition, shutdown, |read_at_us| self.read(WallTime(read_at_us)))
            .await
    }

    /// Every epoch up to this one is announced, and that is durable.
    pub(crate) fn announced(&self, epoch: u32) {
        self.announced.send_if_modified(|announced| {
            let news = announced.is_none_or(|announced| announced < epoch);
            *announced = (*announced).max(Some(epoch));
            news
        });
    }

    /// Takes a command: `decide` says what it does to the clock at its effective time, or that
    /// the clock is so already. Waits for the announcement, within a bound: the command is taken
    /// and will be announced whatever the bus does.
    pub(crate) async fn command(
        &self,
        decide: impl Fn(&Clock, WallTime) -> Result<Option<(Change, &'static str)>, Problem>,
    ) -> Result<Taken, Problem> {
        let (history, effective) = self.take(decide).await?;
        let epoch = history.clock().last().epoch;
        let mut news = self.announced.subscribe();
        let announcement = news.wait_for(|announced| *announced >= Some(epoch));
        let announced = tokio::time::timeout(ANNOUNCE_MAX, announcement).await.is_ok();
        if !announced {
            tracing::warn!(epoch, "a command is not announced yet: the bus does not answer");
        }
        Ok(Taken { history, effective, announced })
    }

    async fn take(
        &self,
        decide: impl Fn(&Clock, WallTime) -> Result<Option<(Change, &'static str)>, Problem>,
    ) -> Result<(Arc<History>, WallTime), Problem> {
        let passed = self.passed.lock().await;
        for _ in 0..UPDATE_COUNT_MAX {
            let read_at = self.now();
            let entry = self.store.get(&self.key).await?;
            let entry = entry.ok_or_else(|| Problem::internal("the clock's state is gone"))?;
            let mut history = History::decode(&entry.value)?;
            let effective =
                effective(history.clock(), *passed, WallTime(self.lead.after_us(read_at.0)));
            let Some((change, reason)) = decide(history.clock(), effective)? else {
                return Ok((self.show(history, entry.revision, read_at), read_at));
            };
            history.push(history.clock().change(change, effective), reason)?;
            let bytes = history.encode();
            let set = self.store.compare_and_set(&self.key, Some(entry.revision), bytes).await?;
            if let Ok(revision) = set {
                if self.lead.is_missed(read_at.0, self.now().0) {
                    tracing::error!("a command took longer than half the lead; raise the lead");
                }
                self.causes.note(history.clock().last().anchor_wall.0);
                let history = self.show(history, revision, read_at);
                tracing::info!(reason, epoch = history.clock().last().epoch, "clock changed");
                return Ok((history, effective));
            }
        }
        Err(Problem::unavailable("other commands came between all the time; try again"))
    }

    async fn read(&self, read_at: WallTime) -> Result<(), Error> {
        let entry = self.store.get(&self.key).await?;
        let text = "the world's clock is gone from the state store; restore it from a copy";
        let entry = entry.ok_or_else(|| Error::new(Kind::Damaged, text))?;
        if entry.revision == self.view.borrow().revision {
            let until = self.fence(read_at);
            self.view.send_modify(|view| view.fence = view.fence.max(until));
            return Ok(());
        }
        self.show(History::decode(&entry.value)?, entry.revision, read_at);
        Ok(())
    }

    /// No segment begins before that was not in the store at `read_at`.
    fn fence(&self, read_at: WallTime) -> WallTime {
        WallTime(self.lead.fence_us(read_at.0))
    }

    fn show(&self, history: History, revision: u64, read_at: WallTime) -> Arc<History> {
        let history = Arc::new(history);
        self.view.send_modify(|view| {
            if revision > view.revision {
                metrics::gauge!("worldbus_time_segments")
                    .set(history.clock().segments().len() as f64);
                (view.history, view.revision) = (Arc::clone(&history), revision);
            }
            view.fence = view.fence.max(self.fence(read_at));
        });
        history
    }
}

async fn begin(store: &dyn StateStore, key: &str, history: &History) -> Result<Entry, Error> {
    let value = history.encode();
    match store.compare_and_set(key, None, value.clone()).await? {
        Ok(revision) => Ok(Entry { value, revision }),
        Err(conflict) => {
            let text = format!("state key `{key}` comes and goes");
            conflict.current.ok_or_else(|| Error::new(Kind::Busy, text))
        }
    }
}

/// When a command takes effect: when it is wanted, and where no boundary is out yet.
fn effective(clock: &Clock, passed: WallTime, wanted: WallTime) -> WallTime {
    let segment = clock.segment_at(passed);
    let later = segment.wall_at(segment.game_at(passed).plus_us(1)).unwrap_or(passed);
    let earliest = later.max(passed.plus_us(1)).max(clock.last().anchor_wall);
    wanted.max(earliest)
}
