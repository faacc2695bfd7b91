//! The world's clock as all instances share it. Not here: events (`agenda`), requests (`rest`).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{MutexGuard, watch};
use tokio_util::sync::CancellationToken;

use super::command::{Command, Decision, Verb};
use super::history::{History, Made, Record};
use super::request::Request;
use crate::NAME;
use crate::agenda::REPEAT_US;
use worldbus_bus::WallClock;
use worldbus_service::health::Condition;
use worldbus_service::state::{Error, Kind};
use worldbus_service::{Problem, StateStore};
use worldbus_simulated::commands::{By, Changed, Keeper, Passed, View, check_wait};
use worldbus_simulated::{Causes, Checkpoint, Lead, Wake};
use worldbus_world::{Calendar, Clock, WallTime, World};

/// A world that was published further ahead of this machine's clock than this is continued from
/// there: the clock was ahead. Less is waited for.
const AHEAD_US_MIN: i64 = 10_000_000;
/// What was published may be further ahead than its checkpoint by this much: a checkpoint is
/// written each second, and a step takes up to one repetition of the clock.
const UNSAVED_US_MAX: i64 = 1_000_000 + REPEAT_US;
/// What was due longer ago takes effect now, as what was due while no instance ran: others may
/// have computed with the clock as it was.
const EXACT_US_MAX: i64 = 1_000_000;
/// How long the answer to a command waits for its announcement.
const ANNOUNCE_MAX: Duration = Duration::from_secs(1);

/// A command's result.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) history: Arc<History>,
    pub(crate) effective: WallTime,
    /// Nothing was to be done.
    pub(crate) idle: bool,
    /// Its announcement is on the bus.
    pub(crate) announced: bool,
}

/// What a command did to a history: which it is, and of what, for people.
pub(crate) type Done = (Verb, String);

pub(crate) struct Clockwork {
    history: Keeper<History>,
    /// The newest epoch whose announcement is durable, and up to where all is.
    announced: watch::Sender<Option<(u32, WallTime)>>,
    pub(crate) calendar: Calendar,
    /// What begins because of which command.
    pub(crate) causes: Causes,
    wake: Wake,
}

impl Clockwork {
    /// Restores a world's clock, or begins it now.
    pub(crate) async fn open(
        store: Arc<dyn StateStore>,
        world: &World,
        wall: Arc<dyn WallClock>,
        lead: Lead,
    ) -> Result<Self, Error> {
        let place = (store, format!("clock/{}", world.id));
        let wake = Wake::default();
        let begin = |now| beginning(world, now).map(Some);
        let history = Keeper::open(place, wall, lead, wake.clone(), begin).await?;
        let (causes, calendar) = (Causes::default(), world.calendar());
        Ok(Self { history, announced: watch::Sender::new(None), calendar, causes, wake })
    }

    /// Goes on from where the world was published last if that is a wall time which has not come: a
    /// machine's clock was ahead, and it would stand until then. `durable` is up to where it was
    /// published. Call it before anything is.
    pub(crate) async fn resume(&self, durable: Option<Checkpoint>) -> Result<(), Error> {
        let published = durable.map_or(i64::MIN, |durable| durable.wall_us);
        let change = |history: &mut History, read_at: WallTime| {
            let clock = history.clock();
            let reached = published.max(clock.last().anchor_wall.0);
            let ahead_us = reached.saturating_sub(read_at.0);
            // Another instance may have continued it.
            let done = durable.is_some_and(|durable| clock.is_resumed_after(durable.epoch));
            if ahead_us < AHEAD_US_MIN || done {
                return Ok(None);
            }
            let effective = WallTime(self.history.lead().after_us(read_at.0));
            history.resume(WallTime(reached.saturating_add(UNSAVED_US_MAX)), effective)?;
            let ahead_s = ahead_us / 1_000_000;
            let detail = format!("the wall clock was {ahead_s} s ahead");
            record(history, (Verb::Continue, detail), &By::default(), (read_at, effective));
            Ok::<_, Error>(Some(ahead_s))
        };
        if let Some(ahead_s) = self.history.change(change).await?.outcome {
            tracing::warn!(
                ahead_s,
                "the wall clock was ahead when this world ran last; game time goes on from the \
                 last point that was published"
            );
        }
        Ok(())
    }

    pub(crate) fn now(&self) -> WallTime {
        self.history.now()
    }

    /// How often the wall clock was set ahead.
    pub(crate) fn jumps(&self) -> u64 {
        self.history.wall().jumps()
    }

    /// The history as far as this instance knows it; no segment that is not in it begins before
    /// the fence.
    pub(crate) fn view(&self) -> View<History> {
        self.history.view()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<()> {
        self.wake.subscribe()
    }

    pub(crate) async fn passed(&self) -> MutexGuard<'_, Passed> {
        self.history.passed().await
    }

    /// Reads what other instances wrote, again and again.
    pub(crate) async fn poll(
        &self,
        condition: Condition,
        shutdown: CancellationToken,
    ) -> Result<(), Error> {
        let wall = Arc::clone(self.history.wall());
        let read = |read_at_us| self.read(WallTime(read_at_us));
        self.history.lead().poll(wall, condition, shutdown, read).await
    }

    /// Every epoch up to this one is announced and everything until then is published, and durable.
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
        let passed = self.passed().await;
        self.carry_out(request, *passed).await
    }

    /// The same while the caller holds what this instance has published up to.
    pub(crate) async fn carry_out(&self, request: &Request, passed: Passed) -> Result<(), Problem> {
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
            Ok(Some(done.unwrap_or((Verb::Request, none.to_owned()))))
        };
        let taken = self.write((passed, due), by, change).await?;
        if !taken.idle {
            self.causes.note(taken.history.clock().last().anchor_wall.0);
        }
        Ok(())
    }

    /// Takes a command: `change` does it to the history as from its effective time, or finds that
    /// there is nothing to do.
    pub(crate) async fn take(
        &self,
        by: &By,
        change: impl Fn(&mut History, WallTime) -> Result<Option<Done>, Problem>,
    ) -> Result<Taken, Problem> {
        let passed = self.passed().await;
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
        let made = Made { command, by: by.clone() };
        history.push(segment, made)?;
        Ok(Some((command, detail)))
    }

    /// Writes a change of the history that takes effect behind what this instance has `passed`,
    /// and behind an instant at which it is `due`.
    async fn write(
        &self,
        (passed, due): (Passed, Option<WallTime>),
        by: &By,
        change: impl Fn(&mut History, WallTime) -> Result<Option<Done>, Problem>,
    ) -> Result<Taken, Problem> {
        let change = |history: &mut History, read_at: WallTime| {
            let passed = passed.by(history.clock());
            let passed = due.map_or(passed, |due| due.max(passed));
            let wanted = self.wanted(read_at, due);
            let effective = effective(history.clock(), passed, wanted);
            check_wait((wanted, effective), "the world's clock", NAME)?;
            let Some((command, detail)) = change(history, effective)? else {
                return Ok(None);
            };
            self.tidy(history);
            record(history, (command, detail), by, (read_at, effective));
            Ok::<_, Problem>(Some((command, effective)))
        };
        let Changed { log: history, read_at, outcome } = self.history.change(change).await?;
        let Some((command, effective)) = outcome else {
            return Ok(Taken { history, effective: read_at, idle: true, announced: false });
        };
        let epoch = history.clock().last().epoch;
        tracing::info!(command = command.name(), epoch, actor = by.actor, "command taken");
        Ok(Taken { history, effective, idle: false, announced: false })
    }

    /// When a command shall take effect that is taken now: after the lead. Without one, what was
    /// due just now takes effect where it was due.
    fn wanted(&self, now: WallTime, due: Option<WallTime>) -> WallTime {
        let after_lead = WallTime(self.history.lead().after_us(now.0));
        let late_us = |due: WallTime| now.0.saturating_sub(due.0);
        let exact = due.filter(|due| after_lead == now && late_us(*due) <= EXACT_US_MAX);
        exact.unwrap_or(after_lead)
    }

    /// Forgets schedules that are over and published.
    fn tidy(&self, history: &mut History) {
        let Some((_, published)) = *self.announced.borrow() else { return };
        let clock = history.clock().clone();
        history.schedules.prune(&clock, published.min(self.now()));
    }

    async fn read(&self, read_at: WallTime) -> Result<(), Error> {
        let last = self.view().log.clock().last().anchor_wall;
        if last.0.saturating_sub(self.history.lead().after_us(read_at.0)) >= AHEAD_US_MIN {
            let ahead_s = last.0.saturating_sub(read_at.0) / 1_000_000;
            let text = format!(
                "the world's clock was changed by a machine whose wall clock is {ahead_s} s ahead \
                 of this one's; correct the wrong one and restart its instance"
            );
            return Err(Error::new(Kind::Busy, text));
        }
        self.history.read(read_at).await
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
    (command, detail): Done,
    by: &By,
    (at, effective): (WallTime, WallTime),
) {
    let last = *history.clock().last();
    let effective = effective.max(last.anchor_wall);
    let segment = history.clock().segment_at(effective);
    let (epoch, game) = (segment.epoch, segment.game_at(effective));
    let By { actor, reason } = by.clone();
    history.record(Record { at, effective, command, detail, actor, reason, epoch, game });
}

/// When a command takes effect: when it is wanted, and where no boundary is out yet.
fn effective(clock: &Clock, passed: WallTime, wanted: WallTime) -> WallTime {
    let segment = clock.segment_at(passed);
    let later = segment.wall_at(segment.game_at(passed).plus_us(1)).unwrap_or(passed);
    let earliest = later.max(passed.plus_us(1)).max(clock.last().anchor_wall);
    wanted.max(earliest)
}
