//! The ordered log of commands on a world's weather, and the overrides that follow from it as of
//! any wall time: a pure fold, so that instances that read the log at different moments compute
//! the same past. Not here: reading and writing it (`sky`).

use serde::{Deserialize, Serialize};
use worldbus_service::state::{Error, Kind};
use worldbus_world::{GameTime, Override, Overrides, SPELL_HOURS_MAX, WallTime, WeatherState};

/// Commands that are kept at a time; their text fits into one value of every state store.
pub const COMMAND_COUNT_MAX: usize = 800;

/// What ended this long before now cannot matter any more: spells look back, catch-up does.
const KEPT_GAME_HOURS: i64 = SPELL_HOURS_MAX + 24;

/// Forces a region's weather, or lets it be what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Command {
    /// Orders the commands of a world; from 1.
    pub(crate) rev: u64,
    /// When it takes effect; never before an earlier command.
    pub(crate) at: WallTime,
    /// The clock's epoch and game time there.
    pub(crate) epoch: u32,
    pub(crate) game: GameTime,
    pub(crate) region: String,
    /// None clears.
    pub(crate) force: Option<Force>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Force {
    pub(crate) state: WeatherState,
    pub(crate) intensity_permille: Option<u16>,
    /// None: until it is cleared or another comes.
    pub(crate) end: Option<GameTime>,
}

/// The commands of a world, by revision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Commands {
    rev: u64,
    pruned_rev: u64,
    commands: Vec<Command>,
}

impl Commands {
    pub(crate) fn rev(&self) -> u64 {
        self.rev
    }

    /// The commands, lowest revision first.
    pub(crate) fn list(&self) -> &[Command] {
        &self.commands
    }

    /// What is forced, as of a wall time: by the commands that took effect until then.
    pub(crate) fn overrides(&self, at: WallTime) -> Overrides {
        self.fold(|command| command.at <= at)
    }

    /// What was forced just before a command.
    pub(crate) fn overrides_before(&self, rev: u64) -> Overrides {
        self.fold(|command| command.rev < rev)
    }

    /// What is forced by a command and those before it.
    pub(crate) fn overrides_with(&self, rev: u64) -> Overrides {
        self.fold(|command| command.rev <= rev)
    }

    /// The revision in force at a wall time: part of the identity of events.
    pub(crate) fn rev_at(&self, at: WallTime) -> u64 {
        let last = self.commands.iter().rfind(|command| command.at <= at);
        last.map_or(self.pruned_rev, |command| command.rev)
    }

    /// Takes a command, whose revision it gives. False if there are too many.
    pub(crate) fn push(&mut self, mut command: Command) -> bool {
        if self.commands.len() >= COMMAND_COUNT_MAX {
            return false;
        }
        self.rev += 1;
        command.rev = self.rev;
        self.commands.push(command);
        true
    }

    /// Forgets what ended too long before `now` to matter, region by region from the oldest.
    pub(crate) fn prune(&mut self, now: GameTime, wall: WallTime) {
        let past = now.plus_us(-KEPT_GAME_HOURS * GameTime::HOUR_US);
        let folded = self.fold(|_| true);
        let over = |command: &Command| {
            let record = folded.records().binary_search_by_key(&command.rev, |r| r.rev);
            let end = match record {
                Ok(at) => folded.records()[at].end,
                Err(_) => Some(command.game),
            };
            command.at <= wall && end.is_some_and(|end| end <= past)
        };
        let mut blocked = Vec::new();
        let (mut kept, mut pruned) = (Vec::with_capacity(self.commands.len()), self.pruned_rev);
        for command in &self.commands {
            if !blocked.contains(&&command.region) && over(command) {
                pruned = pruned.max(command.rev);
            } else {
                blocked.push(&command.region);
                kept.push(command.clone());
            }
        }
        (self.commands, self.pruned_rev) = (kept, pruned);
    }

    fn fold(&self, counts: impl Fn(&Command) -> bool) -> Overrides {
        let mut overrides = Overrides::default();
        for command in self.commands.iter().filter(|command| counts(command)) {
            // A later command of a region ends what is forced there.
            overrides.clear(&command.region, command.game);
            let Some(force) = &command.force else { continue };
            let record = Override {
                id: format!("{}-{}", command.region, command.rev),
                rev: command.rev,
                region: command.region.clone(),
                state: force.state,
                intensity_permille: force.intensity_permille,
                start: command.game,
                end: force.end,
            };
            if let Err(error) = overrides.insert(record) {
                // Checked when the command was taken.
                tracing::error!(%error, rev = command.rev, "a command is left out");
            }
        }
        overrides
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|error| {
            let text = "the overrides in the state store are damaged; restore them from a copy";
            Error::new(Kind::Damaged, text).caused_by(error)
        })
    }
}
