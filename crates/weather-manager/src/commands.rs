//! The ordered log of commands on a world's weather, and the overrides that follow from it as of
//! any wall time: a pure fold, so that instances that read the log at different moments compute
//! the same past. Not here: reading and writing it (`sky`), its older form (`stored`).

mod stored;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use worldbus_service::state::{self, Error, Kind as ErrorKind, VALUE_BYTES_MAX};
use worldbus_world::{Clock, GameTime, Lift, ONSET_HOURS_MAX, Override, Overrides, WallTime};

/// Commands that are kept at a time; fewer if their text is longer than a value of the state store.
pub const COMMAND_COUNT_MAX: usize = 800;
/// Room beyond that for clears of regions, and as much again for what ends one whole override, an
/// undo or a clear by its id: in a full world both are still taken.
const CLEARING_COUNT_MAX: usize = 100;
const CLEARING_BYTES_MAX: usize = 16 * 1024;
/// Events whose commands are forgotten and that are still not taken again.
const CAUSE_COUNT_MAX: usize = 256;

/// What ended this long before now cannot matter any more: spells look back, catch-up does. A full
/// log forgets sooner.
const KEPT_GAME_HOURS: i64 = ONSET_HOURS_MAX + 24;

/// By how much a full log forgets sooner, step after step.
const FORGETS_SOONER: i64 = 16;

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

/// Why a command is not taken: there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// Up to when all that commands did is published, in wall time and in game time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Published {
    pub(crate) wall: WallTime,
    pub(crate) game: GameTime,
}

/// The commands of a world, by revision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Commands {
    rev: u64,
    pruned_rev: u64,
    commands: Vec<Command>,
    /// Causes of forgotten commands, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    forgotten_causes: Vec<String>,
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

    /// When the command of an event takes or took effect, if it was taken already.
    pub(crate) fn caused_by(&self, cause: Option<&str>) -> Option<WallTime> {
        let cause = cause?;
        let known = self.commands.iter().find(|command| command.cause.as_deref() == Some(cause));
        let forgotten = self.forgotten_causes.iter().any(|known| known == cause);
        known.map(|known| known.at).or(forgotten.then_some(WallTime(i64::MIN)))
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

    /// Takes a command under the next revision. A full log makes room: it forgets what is over, as
    /// much of it as it must, but nothing that is not published yet.
    ///
    /// # Errors
    /// What is in force or to come takes all room; nothing has changed then.
    pub(crate) fn push(&mut self, command: Command, published: Published) -> Result<(), Full> {
        let mut with = self.clone();
        with.rev += 1;
        with.commands.push(Command { rev: with.rev, ..command });

        let mut kept_hours = KEPT_GAME_HOURS;
        while !with.fits() {
            if kept_hours == 0 {
                return Err(Full);
            }
            kept_hours /= FORGETS_SOONER;
            with.forget(kept_hours, published);
        }
        *self = with;
        Ok(())
    }

    /// Whether the last command has room.
    fn fits(&self) -> bool {
        let parts = match self.commands.last().map(|command| &command.act) {
            None | Some(Act::Set { .. }) => 0,
            Some(Act::Clear { .. }) => 1,
            Some(Act::ClearOne { .. } | Act::Undo { .. }) => 2,
        };
        let bytes_max = VALUE_BYTES_MAX - (2 - parts) * CLEARING_BYTES_MAX;
        // What has no encoding is reported by whoever stores it.
        let too_large = self.encode().is_ok_and(|bytes| bytes.len() > bytes_max);
        self.commands.len() <= COMMAND_COUNT_MAX + parts * CLEARING_COUNT_MAX && !too_large
    }

    /// Forgets what ended too long before `now` to matter.
    pub(crate) fn prune(&mut self, now: GameTime, wall: WallTime) {
        self.forget(KEPT_GAME_HOURS, Published { wall, game: now });
    }

    /// Forgets commands whose overrides ended so many game hours before an instant. From then on
    /// the weather is what it was.
    fn forget(&mut self, kept_hours: i64, published: Published) {
        let past = published.game.plus_us(-kept_hours * GameTime::HOUR_US);
        let is_recent = |command: &Command| {
            command.at > published.wall || (kept_hours > 0 && command.game > past)
        };
        let first_recent = self.commands.iter().find(|command| is_recent(command));
        let first_recent = first_recent.map_or(u64::MAX, |command| command.rev);
        let holds = |lift: &&Lift| lift.to.is_none_or(|to| to > past);

        // Needed is what is not over, with what lifts it in part, before recent commands and after
        // them; and what these are about.
        let whole = self.fold(|_| true);
        let mut needed = BTreeSet::new();
        for overrides in [&self.overrides(published.wall), &whole] {
            for record in overrides.records().iter().filter(|record| !record.over(past)) {
                needed.insert(record.rev);
                needed.extend(record.lifted.iter().filter(holds).map(|lift| lift.rev));
            }
        }
        let recent = self.commands.iter().filter(|command| command.rev >= first_recent);
        needed.extend(recent.filter_map(Command::about));
        let is_kept = |command: &Command| {
            let undoes_needed =
                matches!(command.act, Act::Undo { undone } if needed.contains(&undone));
            command.rev >= first_recent || needed.contains(&command.rev) || undoes_needed
        };
        let commands = std::mem::take(&mut self.commands);
        let (kept, gone): (Vec<_>, Vec<_>) = commands.into_iter().partition(is_kept);
        self.commands = kept;

        // What a forgotten command lifted stays so.
        let revs: BTreeSet<u64> = self.commands.iter().map(|command| command.rev).collect();
        for command in &mut self.commands {
            let Act::Set { record, .. } = &mut command.act else { continue };
            let Ok(at) = whole.records().binary_search_by_key(&command.rev, |r| r.rev) else {
                continue;
            };
            let lifts = whole.records()[at].lifted.iter().filter(holds);
            record.lifted = lifts.filter(|lift| !revs.contains(&lift.rev)).cloned().collect();
        }
        self.pruned_rev = gone.iter().map(|c| c.rev).fold(self.pruned_rev, u64::max);
        self.forgotten_causes.extend(gone.into_iter().filter_map(|command| command.cause));
        let excess = self.forgotten_causes.len().saturating_sub(CAUSE_COUNT_MAX);
        self.forgotten_causes.drain(..excess);
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

    /// The command that it ends or undoes.
    fn about(&self) -> Option<u64> {
        match self.act {
            Act::Set { .. } | Act::Clear { .. } => None,
            Act::ClearOne { record: rev } | Act::Undo { undone: rev } => Some(rev),
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
