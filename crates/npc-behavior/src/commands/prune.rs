//! Which commands are forgotten: those that cannot matter any more. Not here: the log.

use std::collections::{BTreeMap, BTreeSet};

use super::{Act, Command, Commands};
use worldbus_world::GameTime;

/// What ended this long before now cannot matter any more: a day is planned from its beginning, and
/// a directive lasts 30 days at the most.
const KEPT_GAME_HOURS: i64 = 96;

impl Commands {
    /// Forgets directives that ended too long before `now` to matter, however they ended; those who
    /// were added and are long gone; and who was removed and has long been there again. A command
    /// is forgotten together with all that end or undo it.
    pub(crate) fn prune(&mut self, now: GameTime) {
        let past = now.plus_us(-KEPT_GAME_HOURS * GameTime::HOUR_US).minutes();
        let settled = self.settled(past);
        let mut matter = BTreeSet::new();
        for command in self.list() {
            let root = self.root(command);
            let is_known = self.of_rev(root).is_some();
            if is_known && !settled.contains(&root) || past <= minute(command) {
                matter.insert(root);
            }
        }
        let kept = self.list().iter().filter(|command| matter.contains(&self.root(command)));
        let kept: BTreeSet<u64> = kept.map(|command| command.rev).collect();
        self.0.retain(|command| kept.contains(&command.rev));
    }

    /// The revision of the directive or change that a command ends, undoes or is.
    fn root(&self, command: &Command) -> u64 {
        match command.act.about() {
            Some(rev) => self.of_rev(rev).and_then(|of| of.act.about()).unwrap_or(rev),
            None => command.rev,
        }
    }

    /// The revisions of directives that ended long ago, and of changes that cancel each other out
    /// since then: of a person who was added and is gone, or was removed and is there again.
    fn settled(&self, past: i64) -> BTreeSet<u64> {
        let ended = self.ends().into_iter().filter(|(_, end)| *end < past);
        let mut settled: BTreeSet<u64> = ended.map(|(rev, _)| rev).collect();
        for command in self.list() {
            let (person, was_added) = match &command.act {
                Act::Spawn(spawn) => (&spawn.id, true),
                Act::Remove { person } => (person, self.added(person)),
                Act::Direct(_) | Act::Clear { .. } | Act::Undo { .. } => continue,
            };
            let (is_here, since) = self.last_change(person, !was_added);
            if is_here != was_added && since < past {
                settled.insert(command.rev);
            }
        }
        settled
    }

    /// The minute at which each directive ends after all commands: of itself, or by one of them.
    fn ends(&self) -> BTreeMap<u64, i64> {
        let mut ends = BTreeMap::new();
        for command in self.list() {
            let Some(set) = self.of_rev(self.root(command)) else { continue };
            let Act::Direct(wish) = &set.act else { continue };
            let of_itself = minute(set).saturating_add(wish.minutes);
            let ends_it = command.act.about() == Some(set.rev);
            let end = if ends_it { of_itself.min(minute(command)) } else { of_itself };
            ends.insert(set.rev, end);
        }
        ends
    }

    fn added(&self, person: &str) -> bool {
        let mut acts = self.list().iter().map(|command| &command.act);
        acts.any(|act| matches!(act, Act::Spawn(spawn) if spawn.id == person))
    }

    /// Whether a person is there after all commands, and since which minute.
    fn last_change(&self, person: &str, is_here: bool) -> (bool, i64) {
        let effect = |act: &Act| match act {
            Act::Spawn(spawn) if spawn.id == person => Some(true),
            Act::Remove { person: removed } if removed == person => Some(false),
            _ => None,
        };
        let (mut is_here, mut since) = (is_here, i64::MIN);
        for command in self.list() {
            let of = match command.act {
                Act::Undo { undone } => {
                    let undone = self.of_rev(undone);
                    undone.and_then(|undone| effect(&undone.act)).map(|here| !here)
                }
                _ => effect(&command.act),
            };
            if let Some(here) = of {
                (is_here, since) = (here, command.game.minutes());
            }
        }
        (is_here, since)
    }
}

fn minute(command: &Command) -> i64 {
    command.game.minutes()
}

#[cfg(test)]
mod tests;
