//! What all instances share, in the state store: the clock that they follow and the commands that
//! they took. Not here: events (`agenda`), requests (`rest`).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::{MutexGuard, watch};
use tokio_util::sync::CancellationToken;

use crate::NAME;
use crate::commands::{Act, Command, Commands, Full, Published};
use worldbus_bus::WallClock;
use worldbus_service::health::Condition;
use worldbus_service::state::Error;
use worldbus_service::{Problem, StateStore};
use worldbus_simulated::commands::{By, Changed, Keeper, Passed};
use worldbus_simulated::{Causes, Lead, SharedClock, Wake};
use worldbus_world::{Clock, GameTime, WallTime, World};

/// The clock and the commands as far as this instance knows them.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// None until a segment was received.
    pub(crate) clock: Option<Arc<Clock>>,
    pub(crate) commands: Arc<Commands>,
    /// Nothing that is not in `commands` takes effect until this wall time.
    pub(crate) fence: WallTime,
}

/// A command's result.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) clock: Arc<Clock>,
    pub(crate) commands: Arc<Commands>,
    pub(crate) effective: WallTime,
}

pub(crate) struct Sky {
    pub(crate) clock: Arc<SharedClock>,
    commands: Keeper<Commands>,
    /// Up to where what this instance has published is durable.
    published: AtomicI64,
    /// What begins because of which command or announcement.
    pub(crate) causes: Causes,
    wake: Wake,
}

impl Sky {
    /// Restores what was received and taken; `received` is met once a clock was.
    pub(crate) async fn open(
        store: Arc<dyn StateStore>,
        world: &World,
        wall: Arc<dyn WallClock>,
        lead: Lead,
        received: Condition,
    ) -> Result<Self, Error> {
        let (causes, wake) = (Causes::default(), Wake::default());
        let key = format!("weather/{}/clock", world.id);
        let (noted, wakes) = (causes.clone(), wake.clone());
        let clock = SharedClock::open(Arc::clone(&store), key, received, noted, wakes).await?;
        let place = (store, format!("weather/{}/overrides", world.id));
        let commands = Keeper::open(place, wall, lead, wake.clone(), |_| Ok(None)).await?;
        let published = AtomicI64::new(i64::MIN);
        Ok(Self { clock: Arc::new(clock), commands, published, causes, wake })
    }

    pub(crate) fn now(&self) -> WallTime {
        self.commands.now()
    }

    /// How often the wall clock was set ahead.
    pub(crate) fn jumps(&self) -> u64 {
        self.commands.wall().jumps()
    }

    pub(crate) fn view(&self) -> View {
        // In this order: the clock is at least as new as the fence.
        let commands = self.commands.view();
        let clock = self.clock.clock();
        let moved = clock.as_ref().map(|clock| commands.log.along(clock));
        View { clock, commands: moved.unwrap_or(commands.log), fence: commands.fence }
    }

    /// The view and its clock.
    pub(crate) fn clear_view(&self) -> Result<(View, Arc<Clock>), Problem> {
        let view = self.view();
        let clock = view.clock.clone().map_or_else(|| self.clock.known(), Ok)?;
        Ok((view, clock))
    }

    pub(crate) fn watch(&self) -> watch::Receiver<()> {
        self.wake.subscribe()
    }

    pub(crate) async fn passed(&self) -> MutexGuard<'_, Passed> {
        self.commands.passed().await
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
        let wall = Arc::clone(self.commands.wall());
        let read = |read_at_us| self.read(WallTime(read_at_us));
        self.commands.lead().poll(wall, condition, shutdown, read).await
    }

    async fn read(&self, read_at: WallTime) -> Result<(), Error> {
        self.clock.read().await?;
        self.commands.read(read_at).await
    }

    /// Takes a command: `act` makes it, from the game time at which it takes effect and
    /// what was commanded before. One whose cause, the id of the event that asks for it, is known
    /// was taken already, and is not again.
    pub(crate) async fn command(
        &self,
        by: &By,
        cause: Option<&str>,
        act: impl Fn(GameTime, &Commands) -> Result<Act, Problem>,
    ) -> Result<Taken, Problem> {
        let passed = self.commands.passed().await;
        let mut known = None;
        let change = |commands: &mut Commands, now: WallTime| {
            let clock = self.clock.known()?;
            commands.move_by(&clock);
            if let Some(effective) = commands.caused_by(cause) {
                known = Some((clock, effective));
                return Ok(None);
            }
            let passed = passed.by(&clock);
            let last = commands.list().last().map(|command| command.at);
            let of = ("the weather", NAME);
            let at = self.commands.effective(now, (passed, last), of)?;
            let (epoch, game) = (clock.segment_at(at).epoch, clock.game_at(at));
            commands.prune(clock.game_at(now), now);
            let act = act(game, commands)?;
            let (By { actor, reason }, cause) = (by.clone(), cause.map(str::to_owned));
            let command = Command { rev: 0, at, epoch, game, actor, reason, cause, act };
            let wall = passed.min(WallTime(self.published.load(Ordering::Acquire)));
            let published = Published { wall, game: clock.game_at(wall) };
            let full = no_room(&command.act);
            commands.push(command, published).map_err(|Full| Problem::limit_reached(full))?;
            Ok::<_, Problem>(Some((clock, at)))
        };
        let Changed { log: commands, outcome, .. } = self.commands.change(change).await?;
        if let Some((_, at)) = &outcome {
            self.causes.note(at.0);
        }
        let (clock, effective) = outcome
            .or(known)
            .ok_or_else(|| Problem::internal("a command was neither taken nor known"))?;
        Ok(Taken { clock, commands, effective })
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

#[cfg(test)]
mod tests;
