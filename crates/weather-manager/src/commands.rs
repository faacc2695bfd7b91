//! The ordered log of commands on a world's weather, and the overrides that follow from it as of
//! any wall time: a pure fold, so that instances that read the log at different moments compute
//! the same past. Not here: reading and writing it (`sky`), its older form (`stored`).

mod stored;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use worldbus_service::state::{self, Error, Kind as ErrorKind, VALUE_BYTES_MAX};
use worldbus_world::{Clock, GameTime, ONSET_HOURS_MAX, Override, Overrides, WallTime};

/// Commands that are kept at a time; fewer if their text is longer than a value of the state store.
pub const COMMAND_COUNT_MAX: usize = 800;

/// What ended this long before now cannot matter any more: spells look back, catch-up does.
const KEPT_GAME_HOURS: i64 = ONSET_HOURS_MAX + 24;

/// Somebody's wish about the weather, with who and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "stored::Command")]
pub(crate) struct Command {
    /// Orders the commands of a world; from 1.
    pub(crate) rev: u64,
    /// When it takes effect; never before an earlier command.
    pub(crate) at: WallTime,
    /// The clock's epoch and game time there.
    pub(crate) epoch: u32,
    pub(crate) game: GameTime,
    pub(crate) actor: String,
    pub(crate) reason: String,
    /// The id of the event that asked for it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<String>,
    pub(crate) act: Act,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Act {
    /// An override; with `replaces` it ends what is forced in its regions.
    Set { record: Override, replaces: bool },
    /// Lets some regions, or all if none is named, be what they are.
    Clear { regions: Vec<String> },
    /// Ends one override, by its command's revision.
    ClearOne { record: u64 },
    /// Makes a command undone from here on.
    Undo { undone: u64 },
}

/// Why a command is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

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

    /// The same where each takes effect by this clock: what a machine put off whose clock was
    /// ahead takes effect where the clock was resumed.
    pub(crate) fn along(mut self, clock: &Clock) -> Self {
        for command in &mut self.commands {
            command.at = clock.begins(command.epoch, command.at);
        }
        self
    }

    /// The commands, lowest revision first.
    pub(crate) fn list(&self) -> &[Command] {
        &self.commands
    }

    pub(crate) fn of_rev(&self, rev: u64) -> Option<&Command> {
        self.commands.iter().find(|command| command.rev == rev)
    }

    /// The command that an event asked for, if it did.
    pub(crate) fn caused_by(&self, cause: Option<&str>) -> Option<&Command> {
        let cause = cause?;
        self.commands.iter().find(|command| command.cause.as_deref() == Some(cause))
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
        last.map_or(0, |command| command.rev).max(self.pruned_rev)
    }

    /// The last command that is neither an undo nor undone.
    pub(crate) fn undoable(&self) -> Option<&Command> {
        let undone = |rev: u64| {
            let undoes = |c: &Command| matches!(c.act, Act::Undo { undone } if undone == rev);
            self.commands.iter().any(undoes)
        };
        let candidates = self.commands.iter().rev();
        candidates.filter(|c| !matches!(c.act, Act::Undo { .. })).find(|c| !undone(c.rev))
    }

    /// Takes a command, whose revision it gives.
    pub(crate) fn push(&mut self, mut command: Command) -> Result<(), Full> {
        if self.commands.len() >= COMMAND_COUNT_MAX {
            return Err(Full);
        }
        self.rev += 1;
        command.rev = self.rev;
        self.commands.push(command);
        // What has no encoding is reported by whoever stores it.
        let too_large = self.encode().is_ok_and(|bytes| bytes.len() > VALUE_BYTES_MAX);
        if too_large { Err(Full) } else { Ok(()) }
    }

    /// Forgets what ended too long before `now` to matter.
    pub(crate) fn prune(&mut self, now: GameTime, wall: WallTime) {
        let past = now.plus_us(-KEPT_GAME_HOURS * GameTime::HOUR_US);
        let folded = self.fold(|_| true);
        let alive: Vec<&Override> = folded.records().iter().filter(|r| !r.over(past)).collect();
        let matters = |rev: u64| {
            let lifts = |record: &&Override| record.lifted.iter().any(|lift| lift.rev == rev);
            alive.iter().any(|record| record.rev == rev) || alive.iter().any(lifts)
        };
        let recent = |command: &Command| command.at > wall || command.game > past;
        let kept = |command: &Command| {
            let undone = match command.act {
                Act::Undo { undone } => matters(undone) || self.of_rev(undone).is_some_and(recent),
                _ => false,
            };
            recent(command) || matters(command.rev) || undone
        };
        let (kept, gone): (Vec<_>, Vec<_>) = self.commands.iter().cloned().partition(kept);
        let pruned = gone.iter().map(|command| command.rev).max().unwrap_or(0);
        (self.commands, self.pruned_rev) = (kept, self.pruned_rev.max(pruned));
    }

    fn fold(&self, counts: impl Fn(&Command) -> bool) -> Overrides {
        let mut overrides = Overrides::default();
        for command in self.commands.iter().filter(|command| counts(command)) {
            command.apply(&mut overrides);
        }
        overrides
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, Error> {
        state::encode("the overrides", self)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|error| {
            let text = "the overrides in the state store are damaged; restore them from a copy";
            Error::new(ErrorKind::Damaged, text).caused_by(error)
        })
    }
}

impl Command {
    /// The regions that it is about, none: all.
    pub(crate) fn regions<'a>(&'a self, commands: &'a Commands) -> &'a [String] {
        let of = |rev: u64| commands.of_rev(rev).map_or(&[][..], |c| c.regions(commands));
        match &self.act {
            Act::Set { record, .. } => &record.regions,
            Act::Clear { regions } => regions,
            Act::ClearOne { record } => of(*record),
            Act::Undo { undone } => of(*undone),
        }
    }

    /// The name of the override that it sets.
    pub(crate) fn record_id(&self, commands: &Commands) -> String {
        let place = self.regions(commands).first().map_or("all", String::as_str);
        format!("{place}-{}", self.rev)
    }

    fn apply(&self, overrides: &mut Overrides) {
        let Self { rev, game, .. } = *self;
        match &self.act {
            Act::Set { record, replaces } => {
                if *replaces {
                    overrides.lift(rev, &record.regions, game);
                }
                let place = record.regions.first().map_or("all", String::as_str);
                let id = format!("{place}-{rev}");
                if let Err(error) = overrides.insert(Override { id, rev, ..record.clone() }) {
                    // Checked when the command was taken.
                    tracing::error!(%error, rev, "a command is left out");
                }
            }
            Act::Clear { regions } => {
                overrides.lift(rev, regions, game);
            }
            Act::ClearOne { record } => {
                overrides.lift_one(rev, *record, game);
            }
            Act::Undo { undone } => overrides.revert(rev, *undone, game),
        }
    }
}
