//! What all instances share, in the state store: the segments they heard and the commands they
//! took; polled, changed by compare-and-set. Not here: events (`ticker`), requests (`rest`).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::{Mutex, MutexGuard, watch};
use tokio_util::sync::CancellationToken;
use worldbus_bus::WallClock;
use worldbus_service::health::Condition;
use worldbus_service::state::{self, Error, Kind, UPDATE_COUNT_MAX};
use worldbus_service::{Problem, StateStore};
use worldbus_simulated::{Causes, Lead};
use worldbus_world::{Clock, ClockError, GameTime, Segment, WallTime, World};

use crate::commands::{Act, Command, Commands, Full, Published};

/// The clock and the commands as far as this instance knows them.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// None until a segment was heard.
    pub(crate) clock: Option<Arc<Clock>>,
    pub(crate) commands: Arc<Commands>,
    /// Nothing that is not in `commands` takes effect until this wall time.
    pub(crate) fence: WallTime,
}

/// Who wants something, and why.
#[derive(Clone, Debug, Default)]
pub(crate) struct By {
    pub(crate) actor: String,
    pub(crate) reason: String,
    /// The id of the event that asks for it: such a command is taken once.
    pub(crate) cause: Option<String>,
}

/// A command's result.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) clock: Arc<Clock>,
    pub(crate) commands: Commands,
    pub(crate) effective: WallTime,
}

/// Up to where an instance has published, and the clock's latest epoch then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passed {
    epoch: u32,
    wall: WallTime,
}

impl Passed {
    /// By a clock that was resumed since it is nowhere: what was published was ahead of it.
    pub(crate) fn by(self, clock: &Clock) -> WallTime {
        if clock.is_resumed_after(self.epoch) { WallTime(i64::MIN) } else { self.wall }
    }

    pub(crate) fn reach(&mut self, clock: &Clock, wall: WallTime) {
        *self = Self { epoch: clock.last().epoch, wall: wall.max(self.by(clock)) };
    }
}

pub(crate) struct Sky {
    store: Arc<dyn StateStore>,
    clock_key: String,
    commands_key: String,
    wall: Arc<dyn WallClock>,
    lead: Lead,
    heard: Condition,
    view: watch::Sender<View>,
    /// Up to where this instance has published. Held while a command is taken, so that it takes
    /// effect behind what is out.
    passed: Mutex<Passed>,
    /// Up to where what this instance has published is durable.
    published: AtomicI64,
    /// What begins because of which command or announcement.
    pub(crate) causes: Causes,
}

impl Sky {
    /// Restores what was heard and taken.
    pub(crate) async fn open(
        store: Arc<dyn StateStore>,
        world: &World,
        wall: Arc<dyn WallClock>,
        lead: Lead,
        heard: Condition,
    ) -> Result<Self, Error> {
        let (commands, fence) = (Arc::default(), WallTime(i64::MIN));
        let sky = Self {
            store,
            clock_key: format!("weather/{}/clock", world.id),
            commands_key: format!("weather/{}/overrides", world.id),
            wall,
            lead,
            heard,
            view: watch::Sender::new(View { clock: None, commands, fence }),
            passed: Mutex::new(Passed { epoch: 0, wall: WallTime(i64::MIN) }),
            published: AtomicI64::new(i64::MIN),
            causes: Causes::default(),
        };
        sky.heard.failed(WAITS);
        sky.read(sky.now()).await?;
        Ok(sky)
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

    /// The view and its clock.
    pub(crate) fn clear_view(&self) -> Result<(View, Arc<Clock>), Problem> {
        let view = self.view();
        let clock = view.clock.clone().ok_or_else(|| Problem::unavailable(WAITS))?;
        Ok((view, clock))
    }

    pub(crate) fn watch(&self) -> watch::Receiver<View> {
        self.view.subscribe()
    }

    pub(crate) async fn passed(&self) -> MutexGuard<'_, Passed> {
        self.passed.lock().await
    }

    /// All that this instance publishes up to a wall time is durable.
    pub(crate) fn published(&self, until: WallTime) {
        self.published.store(until.0, Ordering::Release);
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

    /// Keeps a segment that was heard; all instances see it.
    pub(crate) async fn hear(&self, segment: Segment) -> Result<(), Unheard> {
        if self.knows(&segment) {
            return Ok(());
        }
        let mut clock = None;
        let kept = state::update(&*self.store, &self.clock_key, |current| {
            let heard = with_segment(current, segment)?;
            let bytes = state::encode("the world's clock", &heard)?;
            clock = Some(heard);
            Ok::<_, Unheard>(bytes)
        });
        kept.await?;
        if let Some(clock) = clock {
            tracing::info!(epoch = segment.epoch, paused = segment.paused, "heard of the clock");
            self.show_clock(clock);
        }
        Ok(())
    }

    /// Takes a command: `act` says what it is, from the game time at which it takes effect and
    /// what was commanded before. One whose cause is known was taken already, and is not again.
    pub(crate) async fn command(
        &self,
        by: &By,
        act: impl Fn(GameTime, &Commands) -> Result<Act, Problem>,
    ) -> Result<Taken, Problem> {
        let passed = self.passed.lock().await;
        for _ in 0..UPDATE_COUNT_MAX {
            let now = self.now();
            let entry = self.store.get(&self.commands_key).await?;
            let (_, clock) = self.clear_view()?;
            let bytes = entry.as_ref().map(|entry| entry.value.as_slice());
            let commands = bytes.map(Commands::decode).transpose()?.unwrap_or_default();
            let mut commands = commands.along(&clock);
            if let Some(effective) = commands.caused_by(by.cause.as_deref()) {
                return Ok(Taken { clock, commands, effective });
            }
            let last = commands.list().last().map_or(WallTime(i64::MIN), |command| command.at);
            let wanted = WallTime(self.lead.after_us(now.0));
            let passed = passed.by(&clock);
            let at = wanted.max(passed.plus_us(1)).max(last);
            check_wait(wanted, at)?;
            let (epoch, game) = (clock.segment_at(at).epoch, clock.game_at(at));
            commands.prune(clock.game_at(now), now);
            let By { actor, reason, cause } = by.clone();
            let act = act(game, &commands)?;
            let command = Command { rev: 0, at, epoch, game, actor, reason, cause, act };
            let wall = passed.min(WallTime(self.published.load(Ordering::Acquire)));
            let published = Published { wall, game: clock.game_at(wall) };
            let full = no_room(&command.act);
            commands.push(command, published).map_err(|Full| Problem::limit_reached(full))?;
            let expected = entry.map(|entry| entry.revision);
            let bytes = commands.encode()?;
            let set = self.store.compare_and_set(&self.commands_key, expected, bytes).await?;
            if set.is_ok() {
                self.causes.note(at.0);
                self.show_commands(commands.clone());
                return Ok(Taken { clock, commands, effective: at });
            }
        }
        Err(Problem::unavailable("other commands came between all the time; try again"))
    }

    async fn read(&self, read_at: WallTime) -> Result<(), Error> {
        if let Some(entry) = self.store.get(&self.clock_key).await? {
            let clock = decode_clock(&entry.value)?;
            if self.view.borrow().clock.as_deref() != Some(&clock) {
                self.show_clock(clock);
            }
        }
        if let Some(entry) = self.store.get(&self.commands_key).await? {
            self.show_commands(Commands::decode(&entry.value)?);
        }
        let until = WallTime(self.lead.fence_us(read_at.0));
        self.view.send_modify(|view| view.fence = view.fence.max(until));
        Ok(())
    }

    fn knows(&self, segment: &Segment) -> bool {
        let view = self.view.borrow();
        let Some(clock) = &view.clock else { return false };
        let known = clock.segments().iter().find(|known| known.epoch == segment.epoch);
        let forgotten = clock.segments()[0].epoch > segment.epoch;
        known.map_or(forgotten, |known| known.rev >= segment.rev)
    }

    fn show_clock(&self, clock: Clock) {
        self.view.send_modify(|view| {
            let newer = view.clock.as_ref().is_none_or(|known| {
                *known.last() != *clock.last() || known.segments().len() != clock.segments().len()
            });
            // Of two readings of the store, the one that was written later has more epochs.
            let behind =
                view.clock.as_ref().is_some_and(|known| known.last().epoch > clock.last().epoch);
            if newer && !behind {
                view.commands = Arc::new(Commands::clone(&view.commands).along(&clock));
                view.clock = Some(Arc::new(clock));
            }
        });
        self.heard.met();
    }

    fn show_commands(&self, commands: Commands) {
        self.view.send_modify(|view| {
            if commands.rev() > view.commands.rev() {
                metrics::gauge!("worldbus_weather_commands").set(commands.list().len() as f64);
                view.commands = Arc::new(match &view.clock {
                    Some(clock) => commands.along(clock),
                    None => commands,
                });
            }
        });
    }
}

/// What to do where a command finds no room.
fn no_room(act: &Act) -> &'static str {
    match act {
        Act::Set { .. } => {
            "the world has as many overrides in force or to come as it may; clear some, or wait \
             until some end"
        }
        Act::Clear { .. } | Act::ClearOne { .. } | Act::Undo { .. } => {
            "the world has as many cleared parts of overrides as it may; clear whole overrides by \
             their `id`, or try again in a few seconds"
        }
    }
}

/// A command that takes effect later than this after its lead is refused: this machine's clock, or
/// that of another instance, is wrong.
const WAIT_US_MAX: i64 = 5_000_000;

/// Refuses a command that would wait for a wall time which a wrong clock has set.
fn check_wait(wanted: WallTime, effective: WallTime) -> Result<(), Problem> {
    let wait_us = effective.0.saturating_sub(wanted.0);
    if wait_us <= WAIT_US_MAX {
        return Ok(());
    }
    Err(Problem::unavailable(format!(
        "the weather is {} s ahead of this machine's wall clock: a command would wait so long; \
         correct the clock that is wrong, and restart the weather-manager",
        wait_us / 1_000_000
    )))
}

const WAITS: &str = "no clock was heard yet: the weather waits for a time-manager's \
                     time.clock_changed on the bus, which comes every few seconds";

/// Why a segment was not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unheard {
    /// It is kept at the next hearing.
    #[error(transparent)]
    State(#[from] Error),
    /// It does not fit to what was heard before.
    #[error(transparent)]
    Clock(#[from] ClockError),
}

fn with_segment(current: Option<&[u8]>, segment: Segment) -> Result<Clock, Unheard> {
    let Some(bytes) = current else {
        return Ok(Clock::from_segments([segment])?);
    };
    let mut clock = decode_clock(bytes)?;
    clock.insert(segment)?;
    Ok(clock)
}

fn decode_clock(bytes: &[u8]) -> Result<Clock, Error> {
    serde_json::from_slice(bytes).map_err(|error| {
        let text = "the clock that the weather heard is damaged in the state store; delete it";
        Error::new(Kind::Damaged, text).caused_by(error)
    })
}

#[cfg(test)]
mod tests;
