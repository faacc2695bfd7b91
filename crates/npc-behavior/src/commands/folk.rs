//! The people and the directives that follow from the commands: a pure fold in the order of their
//! revisions, so that instances that read the log at different moments compute the same past. A
//! directive is admitted among the people that there were when it was set.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Act, Command, Commands, first_minute};
use worldbus_population::{Directive, Directives, Newcomer, Population};
use worldbus_world::World;

/// A person to be added, by names, with all places where it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spawn {
    /// Which of the seats of those who were added.
    pub(crate) seat: usize,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) role: String,
    pub(crate) home: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) work: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) haunts: Vec<String>,
    /// Sociable, devout, hardy and diligent.
    #[serde(default, skip_serializing_if = "is_drawn")]
    pub(crate) character: [Option<u16>; 4],
}

/// Who there is, and what they are directed to do.
#[derive(Clone, Debug)]
pub(crate) struct Folk {
    pub(crate) people: Arc<Population>,
    pub(crate) directives: Arc<Directives>,
}

fn is_drawn(character: &[Option<u16>; 4]) -> bool {
    *character == [None; 4]
}

impl Commands {
    /// What follows from all commands on the people that the world's file makes.
    pub(crate) fn folk(&self, world: &World, made: &Arc<Population>) -> Folk {
        let mut fold = Fold {
            commands: self,
            world,
            people: Arc::clone(made),
            directives: Directives::default(),
        };
        for command in self.list() {
            fold.take(command);
        }
        Folk { people: fold.people, directives: Arc::new(fold.directives) }
    }

    /// The lowest seat that none of those who were added has.
    pub(crate) fn free_seat(&self) -> usize {
        let taken = |seat: &usize| {
            let mut acts = self.list().iter().map(|command| &command.act);
            acts.any(|act| matches!(act, Act::Spawn(spawn) if spawn.seat == *seat))
        };
        (0..).find(|seat| !taken(seat)).unwrap_or_default()
    }
}

/// How far a fold is.
struct Fold<'a> {
    commands: &'a Commands,
    world: &'a World,
    people: Arc<Population>,
    directives: Directives,
}

impl Fold<'_> {
    fn take(&mut self, command: &Command) {
        let minute = first_minute(command.game);
        match &command.act {
            Act::Direct(wish) => {
                if let Some(directive) = wish.directive(self.world, &self.people, command) {
                    self.direct(directive);
                }
            }
            Act::Clear { directive } => {
                self.directives.end(*directive, minute);
            }
            Act::Spawn(spawn) => self.spawn(spawn, minute),
            Act::Remove { person } => self.turn(person, minute, false),
            Act::Undo { undone } => self.undo(*undone, minute),
        }
    }

    fn undo(&mut self, undone: u64, minute: i64) {
        match self.commands.of_rev(undone).map(|command| &command.act) {
            Some(Act::Direct(_)) => {
                self.directives.end(undone, minute);
            }
            Some(Act::Clear { directive }) => self.direct_again(*directive, minute),
            Some(Act::Spawn(spawn)) => self.turn(&spawn.id, minute, false),
            Some(Act::Remove { person }) => self.turn(person, minute, true),
            Some(Act::Undo { .. }) | None => {}
        }
    }

    fn direct(&mut self, directive: Directive) {
        // Checked when the command was taken: another file may have other people.
        let rev = directive.rev;
        if let Err(error) = self.directives.push(&self.people, directive) {
            tracing::warn!(%error, rev, "a directive is left out");
        }
    }

    /// A directive whose end was undone is in force again from a minute on.
    fn direct_again(&mut self, rev: u64, minute: i64) {
        let Some(command) = self.commands.of_rev(rev) else { return };
        let Act::Direct(wish) = &command.act else { return };
        if let Some(directive) = wish.directive(self.world, &self.people, command)
            && directive.end > minute
        {
            let again = Directive { start: minute.max(directive.start), ..directive };
            let _ = self.directives.push(&self.people, again);
        }
    }

    fn spawn(&mut self, spawn: &Spawn, minute: i64) {
        let newcomer = spawn.newcomer(self.world, &self.people);
        let people = Arc::make_mut(&mut self.people);
        if !newcomer.is_some_and(|newcomer| people.add((spawn.seat, minute), &newcomer)) {
            tracing::warn!(person = spawn.id, "a person who was added is left out");
        }
    }

    fn turn(&mut self, person: &str, minute: i64, here: bool) {
        let Some(rank) = self.people.rank(person) else { return };
        let people = Arc::make_mut(&mut self.people);
        if here { people.restore(rank, minute) } else { people.remove(rank, minute) }
    }
}

impl Spawn {
    /// It at a seat, of a newcomer who is settled.
    pub(crate) fn of(seat: usize, settled: &Newcomer, world: &World, people: &Population) -> Self {
        let place = |rank: usize| people.place_id(rank);
        Self {
            seat,
            id: settled.id.clone(),
            name: settled.name.clone(),
            region: world.regions[settled.region].id.clone(),
            role: people.roles()[settled.role].id.clone(),
            home: settled.home.map(place).unwrap_or_default(),
            work: settled.work.map(place),
            haunts: settled.haunts.iter().map(|rank| place(*rank)).collect(),
            character: settled.character,
        }
    }

    /// It by ranks; none where the file has no such names.
    fn newcomer(&self, world: &World, people: &Population) -> Option<Newcomer> {
        let haunts = self.haunts.iter().map(|id| people.place_rank(id)).collect::<Option<_>>()?;
        let work = match &self.work {
            Some(id) => Some(people.place_rank(id)?),
            None => None,
        };
        Some(Newcomer {
            id: self.id.clone(),
            name: self.name.clone(),
            region: world.region_index(&self.region)?,
            role: people.role_rank(&self.role)?,
            home: Some(people.place_rank(&self.home)?),
            work,
            haunts,
            character: self.character,
        })
    }
}
