//! The log of commands on a world's weather, and the overrides that follow from it as of any wall
//! time: a pure fold, so that instances that read the log at different moments compute the same
//! past. Not here: reading and writing it (`sky`), its older form (`stored`).

mod stored;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use worldbus_service::state::{self, Error, Kind as ErrorKind, VALUE_BYTES_MAX};
use worldbus_simulated::commands::{Act as _, CommandLog, Log};
use worldbus_world::{
    Clock, Effective, GameTime, Lift, ONSET_HOURS_MAX, Override, Overrides, Timeline, WallTime,
};

/// Commands that are kept at a time; fewer if their text is longer than a value of the state store.
pub const COMMAND_COUNT_MAX: usize = 800;
/// Room beyond that for clears of regions, and as much again for what ends one whole override, an
/// undo or a clear by its id: in a full world both are still taken.
const CLEARING_COUNT_MAX: usize = 100;
const CLEARING_BYTES_MAX: usize = 16 * 1024;

/// What ended this long before now cannot matter any more: spells look back, catch-up does. A full
/// log forgets sooner.
const KEPT_GAME_HOURS: i64 = ONSET_HOURS_MAX + 24;

/// By how much a full log forgets sooner, step after step.
const FORGETS_SOONER: i64 = 16;

/// A command on the weather, with who gave it and why.
pub(crate) type Command = worldbus_simulated::commands::Command<Act>;

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Commands(CommandLog<Act>);

/// What every log of commands can be asked.
impl Deref for Commands {
    type Target = CommandLog<Act>;

    fn deref(&self) -> &CommandLog<Act> {
        &self.0
    }
}

impl Log for Commands {
    fn absent() -> Result<Self, Error> {
        Ok(Self::default())
    }

    fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let log = stored::decode(bytes).map_err(|error| {
            let text = "the overrides in the state store are damaged; restore them from a copy";
            Error::new(ErrorKind::Damaged, text).caused_by(error)
        })?;
        Ok(Self(log))
    }

    fn encode(&self) -> Result<Vec<u8>, Error> {
        state::encode("the overrides", &self.0)
    }

    fn shown(&self) {
        metrics::gauge!("worldbus_weather_commands").set(self.list().len() as f64);
    }
}

impl Commands {
    /// The same where each takes effect by this clock: what a machine put off whose clock was
    /// ahead takes effect where the clock was resumed.
    pub(crate) fn along(self: &Arc<Self>, clock: &Clock) -> Arc<Self> {
        if !self.is_moved_by(clock) {
            return Arc::clone(self);
        }
        let mut moved = Self::clone(self);
        moved.move_by(clock);
        Arc::new(moved)
    }

    /// Lets each take effect by this clock.
    pub(crate) fn move_by(&mut self, clock: &Clock) {
        self.0.move_by(clock);
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

    /// All of them as they are announced: overrides, and when what commands did takes effect.
    pub(crate) fn timeline(&self) -> Timeline {
        let effective = |command: &Command| Effective {
            rev: command.rev,
            wall: command.at,
            undone: command.act.undoes(),
        };
        Timeline {
            rev: self.rev(),
            forgotten_rev: self.forgotten_rev(),
            commands: self.list().iter().map(effective).collect(),
            overrides: self.fold(|_| true),
        }
    }

    /// Takes a command under the next revision. A full log makes room: it forgets what is over, as
    /// much of it as it must, but nothing that is not published yet.
    ///
    /// # Errors
    /// What is in force or to come takes all room; nothing has changed then.
    pub(crate) fn push(&mut self, command: Command, published: Published) -> Result<(), Full> {
        let mut with = self.clone();
        with.0.push(command);

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
        let parts = match self.list().last().map(|command| &command.act) {
            None | Some(Act::Set { .. }) => 0,
            Some(Act::Clear { .. }) => 1,
            Some(Act::ClearOne { .. } | Act::Undo { .. }) => 2,
        };
        let bytes_max = VALUE_BYTES_MAX - (2 - parts) * CLEARING_BYTES_MAX;
        // What has no encoding is reported by whoever stores it.
        let too_large = self.encode().is_ok_and(|bytes| bytes.len() > bytes_max);
        self.list().len() <= COMMAND_COUNT_MAX + parts * CLEARING_COUNT_MAX && !too_large
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
        let first_recent = self.list().iter().find(|command| is_recent(command));
        let first_recent = first_recent.map_or(u64::MAX, |command| command.rev);
        // Needed is what the weather follows from, with what lifts it in part, before recent
        // commands and after them; and what these are about.
        let whole = self.fold(|_| true);
        let before = self.overrides(published.wall);
        let (kept, kept_before) = (whole.needed_from(past), before.needed_from(past));
        let since = kept.since.min(kept_before.since);
        let holds = |lift: &&Lift| lift.to.is_none_or(|to| to > since);
        let mut needed = BTreeSet::new();
        for (overrides, kept) in [(&before, kept_before), (&whole, kept)] {
            for record in overrides.records().iter().filter(|r| kept.revs.contains(&r.rev)) {
                needed.insert(record.rev);
                needed.extend(record.lifted.iter().filter(holds).map(|lift| lift.rev));
            }
        }
        let recent = self.list().iter().filter(|command| command.rev >= first_recent);
        needed.extend(recent.filter_map(|command| command.act.about()));
        let is_kept = |command: &Command| {
            let undoes_needed =
                matches!(command.act, Act::Undo { undone } if needed.contains(&undone));
            command.rev >= first_recent || needed.contains(&command.rev) || undoes_needed
        };
        self.0.retain(is_kept);

        // What a forgotten command lifted stays so.
        let revs: BTreeSet<u64> = self.list().iter().map(|command| command.rev).collect();
        for command in self.0.list_mut() {
            let Act::Set { record, .. } = &mut command.act else { continue };
            let Ok(at) = whole.records().binary_search_by_key(&command.rev, |r| r.rev) else {
                continue;
            };
            let lifts = whole.records()[at].lifted.iter().filter(holds);
            record.lifted = lifts.filter(|lift| !revs.contains(&lift.rev)).cloned().collect();
        }
    }

    fn fold(&self, counts: impl Fn(&Command) -> bool) -> Overrides {
        let mut overrides = Overrides::default();
        for command in self.list().iter().filter(|command| counts(command)) {
            apply(command, &mut overrides);
        }
        overrides
    }

    /// The regions that a command is about, none: all.
    pub(crate) fn regions_of<'a>(&'a self, command: &'a Command) -> &'a [String] {
        let of = |rev: u64| self.of_rev(rev).map_or(&[][..], |command| self.regions_of(command));
        match &command.act {
            Act::Set { record, .. } => &record.regions,
            Act::Clear { regions } => regions,
            Act::ClearOne { record } => of(*record),
            Act::Undo { undone } => of(*undone),
        }
    }

    /// The name of the override that a command sets.
    pub(crate) fn record_id(&self, command: &Command) -> String {
        let place = self.regions_of(command).first().map_or("all", String::as_str);
        format!("{place}-{}", command.rev)
    }
}

impl Act {
    /// The command that it ends or undoes.
    fn about(&self) -> Option<u64> {
        match *self {
            Self::Set { .. } | Self::Clear { .. } => None,
            Self::ClearOne { record: rev } | Self::Undo { undone: rev } => Some(rev),
        }
    }
}

impl worldbus_simulated::commands::Act for Act {
    fn undoes(&self) -> Option<u64> {
        match *self {
            Self::Undo { undone } => Some(undone),
            _ => None,
        }
    }
}

fn apply(command: &Command, overrides: &mut Overrides) {
    let Command { rev, game, .. } = *command;
    match &command.act {
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
