//! Which commands are forgotten: those that cannot matter any more. Not here: the log.

use std::collections::BTreeSet;

use super::{Act, Command, Commands};
use worldbus_world::GameTime;

/// What ended this long before now cannot matter any more: a day is planned from its beginning, and
/// a directive lasts 30 days at the most.
const KEPT_GAME_HOURS: i64 = 96;

impl Commands {
    /// Forgets directives that ended too long before `now` to matter, with what ended them; those
    /// who were added and are long gone; and who was removed and has long been there again.
    pub(crate) fn prune(&mut self, now: GameTime) {
        let past = now.plus_us(-KEPT_GAME_HOURS * GameTime::HOUR_US).minutes();
        let settled = self.settled(past);
        let ended = |command: &Command| match &command.act {
            Act::Direct(wish) => command.game.minutes().saturating_add(wish.minutes) < past,
            Act::Clear { .. } | Act::Undo { .. } => command.game.minutes() < past,
            Act::Spawn(_) | Act::Remove { .. } => settled.contains(&command.rev),
        };
        // What a command is about is kept as long as the command, and what undoes a change as long
        // as the change.
        let kept = |command: &&Command| !ended(command);
        let about: BTreeSet<u64> =
            self.list().iter().filter(kept).filter_map(|c| c.act.about()).collect();
        let changes: BTreeSet<u64> = self
            .list()
            .iter()
            .filter(|c| c.act.changes_people() && !settled.contains(&c.rev))
            .map(|c| c.rev)
            .collect();
        self.0.retain(|command| {
            let undoes_kept = command.act.about().is_some_and(|rev| changes.contains(&rev));
            !ended(command) || about.contains(&command.rev) || undoes_kept
        });
    }

    /// The revisions of changes that cancel each other out since long ago: of a person who was
    /// added and is gone, or was removed and is there again.
    fn settled(&self, past: i64) -> BTreeSet<u64> {
        let mut settled = BTreeSet::new();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::Spawn;
    use worldbus_world::WallTime;

    fn commands(acts: Vec<Act>) -> Commands {
        let mut commands = Commands::default();
        for (hour, act) in (0..).zip(acts) {
            let taken = commands.push(Command {
                rev: 0,
                at: WallTime(hour),
                epoch: 0,
                game: GameTime::from_hours(hour),
                actor: String::new(),
                reason: String::new(),
                cause: None,
                act,
            });
            assert!(taken);
        }
        commands
    }

    fn spawn(seat: usize, id: &str) -> Act {
        Act::Spawn(Spawn { seat, id: id.to_owned(), ..Spawn::default() })
    }

    fn remove(person: &str) -> Act {
        Act::Remove { person: person.to_owned() }
    }

    #[test]
    fn who_was_added_and_is_long_gone_is_forgotten_and_changes_that_count_are_kept() {
        let acts = vec![
            spawn(0, "gone"),
            spawn(1, "undone"),
            Act::Undo { undone: 2 },
            spawn(2, "here"),
            remove("gone"),
            remove("paris-7"),
            Act::Undo { undone: 6 },
            remove("paris-8"),
            remove("here"),
            Act::Undo { undone: 9 },
        ];
        let all = commands(acts);
        let left = |hours: i64| -> (Vec<u64>, usize) {
            let mut commands = all.clone();
            commands.prune(GameTime::from_hours(hours));
            (commands.list().iter().map(|command| command.rev).collect(), commands.free_seat())
        };
        assert_eq!(left(90), ((1..=10).collect(), 3));
        assert_eq!(left(300), (vec![4, 8, 9, 10], 0));
    }

    #[test]
    fn changes_are_bounded_by_themselves() {
        let mut commands = commands(vec![]);
        let mut of = |act: Act| {
            commands.push(Command {
                rev: 0,
                at: WallTime(0),
                epoch: 0,
                game: GameTime(0),
                actor: String::new(),
                reason: String::new(),
                cause: None,
                act,
            })
        };
        for seat in 0..crate::commands::CHANGE_COUNT_MAX {
            assert!(of(spawn(seat, &format!("smith-{seat}"))), "{seat}");
        }
        assert!(!of(remove("paris-7")), "one more");
        assert!(of(Act::Undo { undone: 1 }), "others have room of their own");
    }
}
