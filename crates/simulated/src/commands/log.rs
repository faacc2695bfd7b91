//! The ordered log of commands: each with its revision, when it takes effect, who gave it and why,
//! and the event that asked for it. A pure fold, so that instances that read it at different
//! moments compute the same past. Not here: what a command does, and how much room there is (the
//! service).

use serde::{Deserialize, Serialize};

use worldbus_world::{Clock, GameTime, WallTime};

/// Events whose commands are forgotten and that are still not carried out again.
pub const CAUSE_COUNT_MAX: usize = 256;

/// What a command does.
pub trait Act {
    /// The revision of the command that it undoes, if it is an undo.
    fn undoes(&self) -> Option<u64>;
}

/// A command that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command<A> {
    /// Orders the commands of a world; from 1.
    pub rev: u64,
    /// When it takes effect; never before an earlier command.
    pub at: WallTime,
    /// The clock's epoch there.
    pub epoch: u32,
    /// The game time there.
    pub game: GameTime,
    /// Who gave it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// The id of the event that asked for it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What it does.
    pub act: A,
}

/// The commands of a world, by revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandLog<A> {
    rev: u64,
    pruned_rev: u64,
    commands: Vec<Command<A>>,
    /// Causes of forgotten commands, the latest last.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    forgotten_causes: Vec<String>,
}

impl<A> Default for CommandLog<A> {
    /// No command.
    fn default() -> Self {
        Self { rev: 0, pruned_rev: 0, commands: Vec::new(), forgotten_causes: Vec::new() }
    }
}

impl<A: Act> CommandLog<A> {
    /// A log as it was stored in a form of the service's own: the revision of the last command and
    /// of the last forgotten one, the commands, lowest revision first, and the causes of forgotten
    /// ones, the latest last.
    pub fn restore(
        (rev, pruned_rev): (u64, u64),
        commands: Vec<Command<A>>,
        forgotten_causes: Vec<String>,
    ) -> Self {
        Self { rev, pruned_rev, commands, forgotten_causes }
    }

    /// The revision of the last command that was ever taken; 0 before the first.
    pub fn rev(&self) -> u64 {
        self.rev
    }

    /// The highest revision of the forgotten commands, 0 if none is.
    pub fn forgotten_rev(&self) -> u64 {
        self.pruned_rev
    }

    /// The commands, lowest revision first.
    pub fn list(&self) -> &[Command<A>] {
        &self.commands
    }

    /// The same, to be changed in what they do.
    pub fn list_mut(&mut self) -> &mut [Command<A>] {
        &mut self.commands
    }

    /// The command of a revision, if it is not forgotten.
    pub fn of_rev(&self, rev: u64) -> Option<&Command<A>> {
        self.commands.iter().find(|command| command.rev == rev)
    }

    /// When the command of an event takes or took effect, if it was taken already.
    pub fn caused_by(&self, cause: Option<&str>) -> Option<WallTime> {
        let cause = cause?;
        let known = self.commands.iter().find(|command| command.cause.as_deref() == Some(cause));
        let forgotten = self.forgotten_causes.iter().any(|known| known == cause);
        known.map(|known| known.at).or(forgotten.then_some(WallTime(i64::MIN)))
    }

    /// The revision in force at a wall time: part of the identity of events.
    pub fn rev_at(&self, at: WallTime) -> u64 {
        let last = self.commands.iter().rfind(|command| command.at <= at);
        last.map_or(0, |command| command.rev).max(self.pruned_rev)
    }

    /// The last command that is neither an undo nor undone.
    pub fn undoable(&self) -> Option<&Command<A>> {
        let undone = |rev: u64| self.commands.iter().any(|c| c.act.undoes() == Some(rev));
        let candidates = self.commands.iter().rev();
        candidates.filter(|c| c.act.undoes().is_none()).find(|c| !undone(c.rev))
    }

    /// Whether some takes effect at another time by this clock.
    pub fn is_moved_by(&self, clock: &Clock) -> bool {
        self.commands.iter().any(|command| clock.begins(command.epoch, command.at) != command.at)
    }

    /// Lets each take effect by this clock: what a machine put off whose clock was ahead takes
    /// effect where the clock was resumed.
    pub fn move_by(&mut self, clock: &Clock) {
        for command in &mut self.commands {
            command.at = clock.begins(command.epoch, command.at);
        }
    }

    /// Takes a command under the next revision, whatever revision it has.
    pub fn push(&mut self, command: Command<A>) {
        self.rev += 1;
        self.commands.push(Command { rev: self.rev, ..command });
    }

    /// Forgets commands that are not `kept`. The revision in force stays what it is, and what was
    /// caused by an event is not taken again, for the latest [`CAUSE_COUNT_MAX`] forgotten ones.
    pub fn retain(&mut self, kept: impl FnMut(&Command<A>) -> bool) {
        let commands = std::mem::take(&mut self.commands);
        let (kept, gone): (Vec<_>, Vec<_>) = commands.into_iter().partition(kept);
        self.commands = kept;
        self.pruned_rev = gone.iter().map(|c| c.rev).fold(self.pruned_rev, u64::max);
        self.forgotten_causes.extend(gone.into_iter().filter_map(|command| command.cause));
        let excess = self.forgotten_causes.len().saturating_sub(CAUSE_COUNT_MAX);
        self.forgotten_causes.drain(..excess);
    }
}

#[cfg(test)]
mod tests;
