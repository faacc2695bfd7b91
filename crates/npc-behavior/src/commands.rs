//! The log of commands on a world's people. Not here: the people and directives that follow from it
//! (`folk`), which of it is forgotten (`prune`), reading and writing it (`town`).

mod folk;
mod prune;

use std::collections::BTreeSet;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

use worldbus_population::{Activity, Directive, Population, Target};
use worldbus_service::state::{self, Error, Kind as ErrorKind, VALUE_BYTES_MAX};
use worldbus_simulated::commands::{Act as _, CommandLog, Log};
use worldbus_world::{Clock, GameTime, World};

pub(crate) use folk::{Folk, Spawn};

/// Directives that are kept at a time; fewer if their text is longer than a value of the state
/// store.
pub const COMMAND_COUNT_MAX: usize = 400;
/// Commands that are kept at a time which add or remove people.
pub(crate) const CHANGE_COUNT_MAX: usize = 500;
/// Bytes that are kept free for each command that may be undone: those of an undo without a reason.
const UNDO_BYTES: usize = 224;
/// Bytes that directives and changes leave free for those that end a directive.
const CLEAR_BYTES_KEPT: usize = 16 * 1_024;

/// A command on people, with who gave it and why.
pub(crate) type Command = worldbus_simulated::commands::Command<Act>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Act {
    /// A directive, from the command's game time on.
    Direct(Wish),
    /// Ends a directive, by its command's revision.
    Clear { directive: u64 },
    /// Adds a person, from the command's game time on.
    Spawn(Spawn),
    /// Removes a person by id.
    Remove { person: String },
    /// Makes a command undone from here on.
    Undo { undone: u64 },
}

/// What people shall do, by names: the file may list them in another order later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) people: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    pub(crate) activity: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<String>,
    pub(crate) minutes: i64,
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
        let log = serde_json::from_slice(bytes).map_err(|error| {
            let text = "the directives in the state store are damaged; restore them from a copy";
            Error::new(ErrorKind::Damaged, text).caused_by(error)
        })?;
        Ok(Self(log))
    }

    fn encode(&self) -> Result<Vec<u8>, Error> {
        state::encode("the directives", &self.0)
    }

    fn shown(&self) {
        metrics::gauge!("worldbus_npc_commands").set(self.list().len() as f64);
    }
}

impl Commands {
    /// The same where each takes effect by this clock.
    pub(crate) fn move_by(&mut self, clock: &Clock) {
        self.0.move_by(clock);
    }

    /// Takes a command under the next revision, if there is room. There is room for an undo as long
    /// as there is a command to undo; only its reason may find none, and is left out.
    pub(crate) fn push(&mut self, command: Command) -> bool {
        let brief = Command { reason: String::new(), ..command.clone() };
        let with = self.with(command);
        let with = with.or_else(|| brief.act.undoes().and_then(|_| self.with(brief)));
        with.map(|with| *self = with).is_some()
    }

    fn with(&self, command: Command) -> Option<Self> {
        let bytes_kept = match &command.act {
            Act::Undo { .. } => 0,
            Act::Clear { .. } => UNDO_BYTES,
            Act::Direct(_) | Act::Spawn(_) | Act::Remove { .. } => UNDO_BYTES + CLEAR_BYTES_KEPT,
        };
        let bytes_kept = bytes_kept + UNDO_BYTES * self.undoable_count();
        let mut with = self.clone();
        with.0.push(command);
        let count = |is: fn(&Act) -> bool| with.list().iter().filter(|c| is(&c.act)).count();
        let fits = count(|act| matches!(act, Act::Direct(_))) <= COMMAND_COUNT_MAX
            && count(Act::changes_people) <= CHANGE_COUNT_MAX
            && with.encode().is_ok_and(|bytes| bytes.len() + bytes_kept <= VALUE_BYTES_MAX);
        fits.then_some(with)
    }

    /// How many commands may be undone.
    fn undoable_count(&self) -> usize {
        let undos = self.list().iter().filter_map(|command| command.act.undoes());
        let undone: BTreeSet<u64> = undos.collect();
        let undoable =
            |command: &&Command| command.act.undoes().is_none() && !undone.contains(&command.rev);
        self.list().iter().filter(undoable).count()
    }
}

impl Wish {
    /// It by ranks, as the command of it; none where the file has no such names.
    pub(crate) fn directive(
        &self,
        world: &World,
        people: &Population,
        command: &Command,
    ) -> Option<Directive> {
        let persons = self.people.iter().map(|id| people.rank(id)).collect::<Option<_>>()?;
        let rank = |id: &Option<String>, of: &dyn Fn(&str) -> Option<usize>| match id {
            Some(id) => of(id).map(Some),
            None => Some(None),
        };
        let start = first_minute(command.game);
        Some(Directive {
            rev: command.rev,
            target: Target {
                persons,
                role: rank(&self.role, &|id| people.role_rank(id))?,
                region: rank(&self.region, &|id| world.region_index(id))?,
            },
            activity: self.activity.parse::<Activity>().ok()?,
            place: rank(&self.place, &|id| people.place_rank(id))?,
            start,
            end: start.saturating_add(self.minutes),
        })
    }
}

/// The first whole minute at which what takes effect at an instant is known to people.
pub(crate) fn first_minute(game: GameTime) -> i64 {
    game.plus_us(GameTime::MINUTE_US - 1).minutes()
}

/// The name of the directive that a command sets.
pub(crate) fn directive_id(rev: u64) -> String {
    format!("directive-{rev}")
}

impl Act {
    /// The command that it ends or undoes.
    pub(crate) fn about(&self) -> Option<u64> {
        match *self {
            Self::Direct(_) | Self::Spawn(_) | Self::Remove { .. } => None,
            Self::Clear { directive: rev } | Self::Undo { undone: rev } => Some(rev),
        }
    }

    /// Whether it adds or removes a person.
    pub(crate) fn changes_people(&self) -> bool {
        matches!(self, Self::Spawn(_) | Self::Remove { .. })
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
