//! What all instances share, in the state store: the clock and the overrides of the weather that
//! they follow, and the commands that they took. Not here: events (`agenda`), requests (`rest`).

mod acts;
pub(crate) mod names;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{MutexGuard, watch};
use tokio_util::sync::CancellationToken;

use crate::NAME;
use crate::commands::{Act, CHANGE_COUNT_MAX, COMMAND_COUNT_MAX, Command, Commands, Folk};
use crate::weather::{SharedChanges, SharedOverrides, Sky};
use worldbus_bus::WallClock;
use worldbus_population::Population;
use worldbus_service::health::Condition;
use worldbus_service::state::{Error, VALUE_BYTES_MAX};
use worldbus_service::{Problem, StateStore};
use worldbus_simulated::commands::{By, Changed, Keeper, Passed};
use worldbus_simulated::{Causes, Lead, SharedClock, Wake};
use worldbus_world::{Clock, GameTime, Timeline, WallTime, World};

pub(crate) use acts::Wanted;

/// Clock, weather and commands as far as this instance knows them.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// None until a segment was received.
    pub(crate) clock: Option<Arc<Clock>>,
    /// None until some weather was announced.
    pub(crate) weather: Option<Sky>,
    pub(crate) commands: Arc<Commands>,
    /// No command that is not in `commands` takes effect until this wall time.
    pub(crate) fence: WallTime,
}

/// A command's result.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) commands: Arc<Commands>,
    pub(crate) effective: WallTime,
}

/// What a command is made from: the game time at which it takes effect, what was commanded before,
/// and who and what follows from that.
pub(crate) struct Before<'a> {
    pub(crate) command: &'a dyn Fn(Act) -> Command,
    pub(crate) commands: &'a Commands,
    pub(crate) folk: Folk,
}

pub(crate) struct Town {
    pub(crate) world: Arc<World>,
    /// Those that the world's file makes.
    made: Arc<Population>,
    pub(crate) clock: Arc<SharedClock>,
    pub(crate) overrides: Arc<SharedOverrides>,
    pub(crate) changes: Arc<SharedChanges>,
    /// Those of weather that no weather-manager announces.
    no_overrides: Arc<Timeline>,
    commands: Keeper<Commands>,
    /// What follows from the commands of a revision: the last one that was asked for.
    folk: Mutex<Option<(u64, Folk)>>,
    /// What begins because of which command or announcement.
    pub(crate) causes: Causes,
    wake: Wake,
}

/// When an instance may act: once a clock, and once the weather was received.
pub(crate) struct Conditions {
    pub(crate) clock: Condition,
    pub(crate) weather: Condition,
}

impl Town {
    /// Restores what was received and taken.
    pub(crate) async fn open(
        store: Arc<dyn StateStore>,
        (world, made): (Arc<World>, Arc<Population>),
        wall: Arc<dyn WallClock>,
        lead: Lead,
        conditions: Conditions,
    ) -> Result<Self, Error> {
        let (causes, wake) = (Causes::default(), Wake::default());
        let key = |what: &str| format!("npc/{}/{what}", world.id);
        let Conditions { clock: received, weather } = conditions;
        let (stored, noted, wakes) = (Arc::clone(&store), causes.clone(), wake.clone());
        let clock = SharedClock::open(stored, key("clock"), received, noted, wakes).await?;
        let (stored, noted, wakes) = (Arc::clone(&store), causes.clone(), wake.clone());
        let condition = weather.clone();
        let overrides =
            SharedOverrides::open(stored, key("weather"), condition, noted, wakes).await?;
        let kept = (Arc::clone(&store), key("weather-changes"));
        let changes = SharedChanges::open(kept, Arc::clone(&world), weather, wake.clone()).await?;
        let place = (store, key("directives"));
        let commands = Keeper::open(place, wall, lead, wake.clone(), |_| Ok(None)).await?;
        let (clock, overrides) = (Arc::new(clock), Arc::new(overrides));
        let (changes, no_overrides) = (Arc::new(changes), Arc::default());
        let folk = Mutex::default();
        Ok(Self {
            world,
            made,
            clock,
            overrides,
            changes,
            no_overrides,
            commands,
            folk,
            causes,
            wake,
        })
    }

    pub(crate) fn now(&self) -> WallTime {
        self.commands.now()
    }

    pub(crate) fn view(&self) -> View {
        // In this order: the clock is at least as new as the fence.
        let commands = self.commands.view();
        let (clock, weather) = (self.clock.clock(), self.sky());
        let moved = clock.as_ref().map(|clock| along(&commands.log, clock));
        View { clock, weather, commands: moved.unwrap_or(commands.log), fence: commands.fence }
    }

    /// The weather: of a weather-manager, if one announced it.
    fn sky(&self) -> Option<Sky> {
        if let Some(timeline) = self.overrides.timeline() {
            return Some(Sky { timeline, changes: None });
        }
        let changes = Some(self.changes.known()?);
        Some(Sky { timeline: Arc::clone(&self.no_overrides), changes })
    }

    /// Who there is by all commands, and what they are directed to do.
    pub(crate) fn folk(&self, commands: &Commands) -> Folk {
        let mut kept = self.folk.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((rev, folk)) = &*kept
            && *rev == commands.rev()
        {
            return folk.clone();
        }
        let folk = commands.folk(&self.world, &self.made);
        *kept = Some((commands.rev(), folk.clone()));
        folk
    }

    /// The people that the world's file makes, with the places and roles of all.
    pub(crate) fn made(&self) -> &Population {
        &self.made
    }

    pub(crate) fn watch(&self) -> watch::Receiver<()> {
        self.wake.subscribe()
    }

    pub(crate) async fn passed(&self) -> MutexGuard<'_, Passed> {
        self.commands.passed().await
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
        self.overrides.read().await?;
        self.changes.read().await?;
        self.commands.read(read_at).await
    }

    /// Takes a command: `act` makes it of what was before. One whose cause, the id of the event
    /// that asks for it, is known was taken already, and is not again.
    pub(crate) async fn command(
        &self,
        by: &By,
        cause: Option<&str>,
        act: impl Fn(&Before<'_>) -> Result<Act, Problem>,
    ) -> Result<Taken, Problem> {
        let passed = self.commands.passed().await;
        let mut known = None;
        let change = |commands: &mut Commands, now: WallTime| {
            let clock = self.clock.known()?;
            commands.move_by(&clock);
            if let Some(effective) = commands.caused_by(cause) {
                known = Some(effective);
                return Ok(None);
            }
            let last = commands.list().last().map(|command| command.at);
            let of = ("the people", NAME);
            let at = self.commands.effective(now, (passed.by(&clock), last), of)?;
            let (epoch, game) = (clock.segment_at(at).epoch, clock.game_at(at));
            commands.prune(clock.game_at(now));
            let (By { actor, reason }, cause) = (by, cause.map(str::to_owned));
            let command = |act: Act| Command {
                rev: commands.rev() + 1,
                at,
                epoch,
                game,
                actor: actor.clone(),
                reason: reason.clone(),
                cause: cause.clone(),
                act,
            };
            let folk = commands.folk(&self.world, &self.made);
            let before = Before { command: &command, commands, folk };
            let command = command(act(&before)?);
            if !commands.push(command) {
                return Err(Problem::limit_reached(too_many()));
            }
            Ok::<_, Problem>(Some(at))
        };
        let Changed { log: commands, outcome, .. } = self.commands.change(change).await?;
        if let Some(at) = &outcome {
            self.causes.note(at.0);
        }
        let effective = outcome
            .or(known)
            .ok_or_else(|| Problem::internal("a command was neither taken nor known"))?;
        Ok(Taken { commands, effective })
    }
}

fn too_many() -> String {
    format!(
        "the world has as many commands on people as are kept: at most {COMMAND_COUNT_MAX} \
         directives and {CHANGE_COUNT_MAX} that add or remove someone, in {VALUE_BYTES_MAX} bytes; \
         undo some, wait until directives end, and remove who was added"
    )
}

/// The same where each command takes effect by this clock.
fn along(commands: &Arc<Commands>, clock: &Clock) -> Arc<Commands> {
    if !commands.is_moved_by(clock) {
        return Arc::clone(commands);
    }
    let mut moved = Commands::clone(commands);
    moved.move_by(clock);
    Arc::new(moved)
}

/// The game time of a wall time, in whole minutes.
pub(crate) fn minute_at(clock: &Clock, wall: WallTime) -> i64 {
    let GameTime(us) = clock.game_at(wall);
    us.div_euclid(GameTime::MINUTE_US)
}
