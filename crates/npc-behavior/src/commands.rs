//! The log of commands on a world's people, and the directives that follow from it: a pure fold, so
//! that instances that read the log at different moments compute the same past. Not here: reading
//! and writing it (`town`).

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use worldbus_population::{Activity, Directive, Directives, Population, Target};
use worldbus_service::state::{self, Error, Kind as ErrorKind, VALUE_BYTES_MAX};
use worldbus_simulated::commands::{CommandLog, Log};
use worldbus_world::{GameTime, World};

/// Commands that are kept at a time; fewer if their text is longer than a value of the state store.
pub const COMMAND_COUNT_MAX: usize = 400;
/// What ended this long before now cannot matter any more: a day is planned from its beginning, and
/// a directive lasts 30 days at the most.
const KEPT_GAME_HOURS: i64 = 96;

/// A command on people, with who gave it and why.
pub(crate) type Command = worldbus_simulated::commands::Command<Act>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Act {
    /// A directive, from the command's game time on.
    Direct(Wish),
    /// Ends a directive, by its command's revision.
    Clear { directive: u64 },
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
    pub(crate) fn move_by(&mut self, clock: &worldbus_world::Clock) {
        self.0.move_by(clock);
    }

    /// Takes a command under the next revision, if there is room.
    pub(crate) fn push(&mut self, command: Command) -> bool {
        let mut with = self.clone();
        with.0.push(command);
        let is_small = with.encode().is_ok_and(|bytes| bytes.len() <= VALUE_BYTES_MAX);
        let fits = with.list().len() <= COMMAND_COUNT_MAX && is_small;
        if fits {
            *self = with;
        }
        fits
    }

    /// Forgets directives that ended too long before `now` to matter, with what ended them.
    pub(crate) fn prune(&mut self, now: GameTime) {
        let past = now.plus_us(-KEPT_GAME_HOURS * GameTime::HOUR_US).minutes();
        let ended = |command: &Command| match &command.act {
            Act::Direct(wish) => command.game.minutes().saturating_add(wish.minutes) < past,
            Act::Clear { .. } | Act::Undo { .. } => command.game.minutes() < past,
        };
        // What a command is about is kept as long as the command.
        let about: Vec<u64> =
            self.list().iter().filter(|c| !ended(c)).filter_map(|c| c.act.about()).collect();
        self.0.retain(|command| !ended(command) || about.contains(&command.rev));
    }

    /// The directives of all commands.
    pub(crate) fn directives(&self, world: &World, people: &Population) -> Directives {
        let mut directives = Directives::default();
        for command in self.list() {
            let minute = first_minute(command.game);
            match &command.act {
                Act::Direct(wish) => {
                    let Some(directive) = wish.directive(world, people, command) else { continue };
                    // Checked when the command was taken: another file may have other people.
                    if let Err(error) = directives.push(people, directive) {
                        tracing::warn!(%error, rev = command.rev, "a directive is left out");
                    }
                }
                Act::Clear { directive } => {
                    directives.end(*directive, minute);
                }
                Act::Undo { undone } => match self.of_rev(*undone).map(|command| &command.act) {
                    Some(Act::Direct(_)) => {
                        directives.end(*undone, minute);
                    }
                    Some(Act::Clear { directive }) => {
                        self.again(*directive, minute, people, world, &mut directives)
                    }
                    _ => {}
                },
            }
        }
        directives
    }

    /// A directive whose end was undone is in force again from a minute on.
    fn again(
        &self,
        rev: u64,
        minute: i64,
        people: &Population,
        world: &World,
        directives: &mut Directives,
    ) {
        let Some(command) = self.of_rev(rev) else { return };
        let Act::Direct(wish) = &command.act else { return };
        if let Some(directive) = wish.directive(world, people, command)
            && directive.end > minute
        {
            let again = Directive { start: minute.max(directive.start), ..directive };
            let _ = directives.push(people, again);
        }
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
    fn about(&self) -> Option<u64> {
        match *self {
            Self::Direct(_) => None,
            Self::Clear { directive: rev } | Self::Undo { undone: rev } => Some(rev),
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
