//! The world's clock as all instances share it: in the state store, polled, changed by
//! compare-and-set. Not here: events (`ticker`), requests (`rest`).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard, watch};
use tokio_util::sync::CancellationToken;
use worldbus_bus::WallClock;
use worldbus_service::health::Condition;
use worldbus_service::state::{Entry, Error, Kind, UPDATE_COUNT_MAX};
use worldbus_service::{Problem, StateStore};
use worldbus_simulated::{Causes, Checkpoint, Lead};
use worldbus_world::{Calendar, Clock, WallTime, World};

use crate::agenda::REPEAT_US;
use crate::command::{Command, Decision};
use crate::history::{By, CONTINUED, History, Made, Record};
use crate::requests::Request;

/// A world that was told further ahead of this machine's clock than this is continued from there:
/// the clock was ahead. Less is waited for.
const AHEAD_US_MIN: i64 = 10_000_000;
/// What was told may be further ahead than its checkpoint by this much: a checkpoint is written
/// each second, and a step takes up to one repetition of the clock.
const UNSAVED_US_MAX: i64 = 1_000_000 + REPEAT_US;
/// A command that takes effect later than this after its lead is refused: this machine's clock, or
/// that of another instance, is wrong.
const WAIT_US_MAX: i64 = 5_000_000;
/// What was due longer ago takes effect now, as what was due while no instance ran: others may
/// have computed with the clock as it was.
const EXACT_US_MAX: i64 = 1_000_000;
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
    /// Nothing was to be done.
    pub(crate) idle: bool,
    /// Who asks the bus from now on hears of it.
    pub(crate) announced: bool,
}

/// What a command did to a history: its name, and of what, for people.
pub(crate) type Done = (&'static str, String);

pub(crate) struct Clockwork {
    store: Arc<dyn StateStore>,
    key: String,
    wall: Arc<dyn WallClock>,
    lead: Lead,
    view: watch::Sender<View>,
    /// Up to where this instance has published. Held while a command is taken, so that no
    /// segment begins where boundaries of the one before are out already.
    passed: Mutex<WallTime>,
    /// The newest epoch whose announcement is durable, and up to where all is.
    announced: watch::Sender<Option<(u32, WallTime)>>,
    pub(crate) calendar: Calendar,
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
            None => begin(&*store, &key, &beginning(world, read_at)?).await?,
        };
        let history = Arc::new(History::decode(&entry.value)?);
        let fence = WallTime(lead.fence_us(read_at.0));
        let view = watch::Sender::new(View { history, revision: entry.revision, fence });
        let (passed, announced) = (Mutex::new(WallTime(i64::MIN)), watch::Sender::new(None));
        let (causes, calendar) = (Causes::default(), world.calendar());
        Ok(Self { store, key, wall, lead, view, passed, announced, calendar, causes })
    }

    /// Goes on from where the world was told last if that is a wall time which has not come: a
    /// machine's clock was ahead, and it would stand until then. `durable` is up to where it was
    /// told. Call it before anything is told.
    pub(crate) async fn resume(&self, durable: Option<Checkpoint>) -> Result<(), Error> {
        let told = durable.map_or(i64::MIN, |durable| durable.wall_us);
        for _ in 0..UPDATE_COUNT_MAX {
            let read_at = self.now();
            let entry = self.store.get(&self.key).await?;
            let Some(entry) = entry else { return Ok(()) };
            let mut history = History::decode(&entry.value)?;
            let reached = told.max(history.clock().last().anchor_wall.0);
            let ahead_us = reached.saturating_sub(read_at.0);
            // Another instance may have continued it.
            let clock = history.clock();
            let done = durable.is_some_and(|durable| clock.is_resumed_after(durable.epoch));
            if ahead_us < AHEAD_US_MIN || done {
                return Ok(());
            }
            let effective = WallTime(self.lead.after_us(read_at.0));
            history.resume(WallTime(reached.saturating_add(UNSAVED_US_MAX)), effective)?;
            let ahead_s = ahead_us / 1_000_000;
            let by = By::default();
            let detail = format!("the wall clock was {ahead_s} s ahead");
            record(&mut history, CONTINUED, detail, &by, (read_at, effective));
            let bytes = history.encode()?;
            let set = self.store.compare_and_set(&self.key, Some(entry.revision), bytes).await?;
            if let Ok(revision) = set {
                tracing::warn!(
                    ahead_s,
                    "the wall clock was ahead when this world ran last; game time goes on from \
                     the last point that was told"
                );
                self.show(history, revision, read_at);
                return Ok(());
            }
        }
        let text = "the world's clock changes all the time; start again";
        Err(Error::new(Kind::Busy, text))
    }

    pub(crate) fn now(&self) -> WallTime {
        WallTime(self.wall.now_us())
    }

    /// How often the wall clock was set ahead.
    pub(crate) fn jumps(&self) -> u64 {
        self.wall.jumps()
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

    /// Every epoch up to this one is announced and everything until then is told, and durable.
    pub(crate) fn announced(&self, epoch: u32, until: WallTime) {
        self.announced.send_if_modified(|announced| {
            let news = announced.is_none_or(|(announced, _)| announced < epoch);
            *announced = (*announced).max(Some((epoch, until)));
            news
        });
    }

    /// Takes a command on the clock. Waits for the announcement, within a bound: the command is
    /// taken and will be announced whatever the bus does.
    pub(crate) async fn command(&self, by: &By, command: &Command) -> Result<Taken, Problem> {
        let change =
            |history: &mut History, effective| self.change(history, effective, command, by);
        let mut taken = self.take(by, change).await?;
        if !taken.idle {
            self.causes.note(taken.history.clock().last().anchor_wall.0);
        }
        let epoch = taken.history.clock().last().epoch;
        let mut news = self.announced.subscribe();
        let announcement =
            news.wait_for(|announced| announced.is_some_and(|(announced, _)| announced >= epoch));
        taken.announced = tokio::time::timeout(ANNOUNCE_MAX, announcement).await.is_ok();
        if !taken.announced {
            tracing::warn!(epoch, "a command is not announced yet: the bus does not answer");
        }
        Ok(taken)
    }

    /// Carries out a request, unless that was done.
    pub(crate) async fn request(&self, request: &Request) -> Result<(), Problem> {
        let passed = self.passed.lock().await;
        self.carry_out(request, *passed).await
    }

    /// The same while the caller holds what this instance has published up to.
    pub(crate) async fn carry_out(
        &self,
        request: &Request,
        passed: WallTime,
    ) -> Result<(), Problem> {
        let (by, due) = (&request.by, request.scheduled.map(|scheduled| scheduled.due));
        let change = |history: &mut History, effective: WallTime| {
            if history.requests.has(&request.id) {
                return Ok(None);
            }
            let (done, none) = if history.requests.is_too_soon(request, effective) {
                (None, "left out: it comes too soon after its schedule's last one")
            } else {
                let done = self.change(history, effective, &request.command, by)?;
                (done, "nothing to do: the clock is so")
            };
            let at = done.is_some().then(|| history.clock().last().anchor_wall);
            history.requests.note(request, at);
            Ok(Some(done.unwrap_or(("request", none.to_owned()))))
        };
        let taken = self.write((passed, due), by, change).await?;
        if !taken.idle {
            self.causes.note(taken.history.clock().last().anchor_wall.0);
        }
        Ok(())
    }

    /// Takes a command: `change` does it to the history as from its effective time, or says that
    /// there is nothing to do.
    pub(crate) async fn take(
        &self,
        by: &By,
        change: impl Fn(&mut History, WallTime) -> Result<Option<Done>, Problem>,
    ) -> Result<Taken, Problem> {
        let passed = self.passed.lock().await;
        self.write((*passed, None), by, change).await
    }

    /// Does a command to a history as from its effective time; none if the clock is so already.
    fn change(
        &self,
        history: &mut History,
        effective: WallTime,
        command: &Command,
        by: &By,
    ) -> Result<Option<Done>, Problem> {
        let decision = command.decide(&self.calendar, history.clock(), effective)?;
        let Some(Decision { change, command, detail }) = decision else { return Ok(None) };
        let segment = history.clock().change(change, effective);
        segment.check().map_err(|e| Problem::unprocessable(e.to_string()))?;
        let made = Made { command: command.to_owned(), by: by.clone() };
        history.push(segment, made)?;
        Ok(Some((command, detail)))
    }

    /// Writes a change of the history that takes effect behind what this instance has `passed`,
    /// and behind an instant at which it is `due`.
    async fn write(
        &self,
        (passed, due): (WallTime, Option<WallTime>),
        by: &By,
        change: impl Fn(&mut History, WallTime) -> Result<Option<Done>, Problem>,
    ) -> Result<Taken, Problem> {
        let passed = due.map_or(passed, |due| due.max(passed));
        for _ in 0..UPDATE_COUNT_MAX {
            let read_at = self.now();
            let entry = self.store.get(&self.key).await?;
            let entry = entry.ok_or_else(|| Problem::internal("the clock's state is gone"))?;
            let mut history = History::decode(&entry.value)?;
            let wanted = self.wanted(read_at, due);
            let effective = effective(history.clock(), passed, wanted);
            check_wait(wanted, effective)?;
            let Some((command, detail)) = change(&mut history, effective)? else {
                let history = self.show(history, entry.revision, read_at);
                return Ok(Taken { history, effective: read_at, idle: true, announced: false });
            };
            self.tidy(&mut history);
            record(&mut history, command, detail, by, (read_at, effective));
            let bytes = history.encode()?;
            let set = self.store.compare_and_set(&self.key, Some(entry.revision), bytes).await?;
            if let Ok(revision) = set {
                if self.lead.is_missed(read_at.0, self.now().0) {
                    tracing::error!("a command took longer than half the lead; raise the lead");
                }
                let history = self.show(history, revision, read_at);
                let epoch = history.clock().last().epoch;
                tracing::info!(command, epoch, actor = by.actor, "command taken");
                return Ok(Taken { history, effective, idle: false, announced: false });
            }
        }
        Err(Problem::unavailable("other commands came between all the time; try again"))
    }

    /// When a command shall take effect that is taken now: after the lead. Without one, what was
    /// due just now takes effect where it was due.
    fn wanted(&self, now: WallTime, due: Option<WallTime>) -> WallTime {
        let after_lead = WallTime(self.lead.after_us(now.0));
        let late_us = |due: WallTime| now.0.saturating_sub(due.0);
        let exact = due.filter(|due| after_lead == now && late_us(*due) <= EXACT_US_MAX);
        exact.unwrap_or(after_lead)
    }

    /// Forgets schedules that are over and told.
    fn tidy(&self, history: &mut History) {
        let Some((_, told)) = *self.announced.borrow() else { return };
        let clock = history.clock().clone();
        history.schedules.prune(&clock, told.min(self.now()));
    }

    async fn read(&self, read_at: WallTime) -> Result<(), Error> {
        let entry = self.store.get(&self.key).await?;
        let text = "the world's clock is gone from the state store; restore it from a copy";
        let entry = entry.ok_or_else(|| Error::new(Kind::Damaged, text))?;
        let last = self.view.borrow().history.clock().last().anchor_wall;
        if last.0.saturating_sub(self.lead.after_us(read_at.0)) >= AHEAD_US_MIN {
            let ahead_s = last.0.saturating_sub(read_at.0) / 1_000_000;
            let text = format!(
                "the world's clock was changed by a machine whose wall clock is {ahead_s} s ahead \
                 of this one's; correct the wrong one and restart its instance"
            );
            return Err(Error::new(Kind::Busy, text));
        }
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

/// A new world's history, which begins now.
fn beginning(world: &World, now: WallTime) -> Result<History, Error> {
    let damaged = |error: String| Error::new(Kind::Unsupported, error);
    let curve = world.phase_speeds.curve(&world.calendar()).map_err(|e| damaged(e.to_string()))?;
    History::new(world.scale, curve, now)
}

/// Remembers a command that was taken and takes effect at those wall times.
fn record(
    history: &mut History,
    command: &'static str,
    detail: String,
    by: &By,
    (at, effective): (WallTime, WallTime),
) {
    let last = *history.clock().last();
    let effective = effective.max(last.anchor_wall);
    let segment = history.clock().segment_at(effective);
    let (epoch, game) = (segment.epoch, segment.game_at(effective));
    let command = command.to_owned();
    let By { actor, reason } = by.clone();
    history.record(Record { at, effective, command, detail, actor, reason, epoch, game });
}

async fn begin(store: &dyn StateStore, key: &str, history: &History) -> Result<Entry, Error> {
    let value = history.encode()?;
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

/// Refuses a command that would wait for a wall time which a wrong clock has set.
fn check_wait(wanted: WallTime, effective: WallTime) -> Result<(), Problem> {
    let wait_us = effective.0.saturating_sub(wanted.0);
    if wait_us <= WAIT_US_MAX {
        return Ok(());
    }
    Err(Problem::unavailable(format!(
        "the world's clock is {} s ahead of this machine's wall clock: a command would wait so \
         long; correct the clock that is wrong, and restart the time-manager",
        wait_us / 1_000_000
    )))
}
