//! What may be commanded on people, but for directives (`requests`): ending one, adding and
//! removing people, and undoing the last command. What is asked for by names is checked here.

use super::names::{Names, invalid, shown};
use super::{Before, Taken, Town};
use crate::commands::{Act, Spawn, directive_id, first_minute};
use worldbus_population::{
    CHARACTER_MAX, Newcomer, NewcomerError, Population, check_id, check_name,
};
use worldbus_service::Problem;
use worldbus_simulated::commands::By;
use worldbus_world::World;

/// A person who shall be added, by names, as the world's file has those that it names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) id: String,
    /// The id if left out.
    pub(crate) name: Option<String>,
    pub(crate) region: String,
    pub(crate) role: String,
    pub(crate) home: Option<String>,
    pub(crate) workplace: Option<String>,
    /// Sociable, devout, hardy and diligent.
    pub(crate) character: [Option<u16>; 4],
}

/// The traits in the order in which they are kept.
const TRAITS: [&str; 4] = ["sociable", "devout", "hardy", "diligent"];

impl Town {
    /// Ends a directive by its id.
    pub(crate) async fn clear(&self, by: &By, id: &str) -> Result<Taken, Problem> {
        let act = |before: &Before<'_>| {
            let mut sets = before.commands.list().iter();
            let set = sets.find(|command| {
                matches!(command.act, Act::Direct(_)) && directive_id(command.rev) == id
            });
            let set = set.ok_or_else(|| {
                let text = format!("no directive {}; /api/people/directives lists all", shown(id));
                Problem::not_found(text).with_field("id")
            })?;
            let act = Act::Clear { directive: set.rev };
            let minute = first_minute((before.command)(act.clone()).game);
            match before.folk.directives.last(set.rev) {
                Some((directive, _)) if minute < directive.end => Ok(act),
                _ => Err(Problem::conflict(format!("{id} has ended already")).with_field("id")),
            }
        };
        self.command(by, None, act).await
    }

    /// Adds a person.
    pub(crate) async fn spawn(&self, by: &By, wanted: &Wanted) -> Result<Taken, Problem> {
        let newcomer = newcomer(&self.world, self.made(), wanted)?;
        let act = |before: &Before<'_>| {
            let seat = before.commands.free_seat();
            // The game time at which it takes effect, whatever it is.
            let command = (before.command)(Act::Undo { undone: 0 });
            let at = (seat, first_minute(command.game));
            let people = &before.folk.people;
            let settled = people.settle(at, newcomer.clone(), &before.folk.directives);
            let settled = settled.map_err(|error| of_newcomer(&error))?;
            Ok(Act::Spawn(Spawn::of(seat, &settled, &self.world, people)))
        };
        self.command(by, None, act).await
    }

    /// Removes a person by id.
    pub(crate) async fn remove(&self, by: &By, id: &str) -> Result<Taken, Problem> {
        let act = |before: &Before<'_>| {
            let act = Act::Remove { person: id.to_owned() };
            let minute = first_minute((before.command)(act.clone()).game);
            let names = Names { world: &self.world, people: &before.folk.people };
            names.person("id", id, minute)?;
            Ok(act)
        };
        self.command(by, None, act).await
    }

    /// Undoes the last command that is not undone.
    pub(crate) async fn undo(&self, by: &By) -> Result<Taken, Problem> {
        let act = |before: &Before<'_>| {
            let undoable = before.commands.undoable();
            let last =
                undoable.ok_or_else(|| Problem::conflict("there is no command left to undo"))?;
            let act = Act::Undo { undone: last.rev };
            if let Act::Remove { person } = &last.act {
                let minute = first_minute((before.command)(act.clone()).game);
                has_room(before, person, minute)?;
            }
            Ok(act)
        };
        self.command(by, None, act).await
    }
}

/// Refuses to let a person be there again whose room another has.
fn has_room(before: &Before<'_>, id: &str, minute: i64) -> Result<(), Problem> {
    let people = &before.folk.people;
    let Some(rank) = people.rank(id) else { return Ok(()) };
    let room = people.check_room(rank, minute, &before.folk.directives);
    room.map_err(|error| Problem::conflict(format!("{id} cannot be there again: {error}")))
}

/// It by ranks; refuses names that the world does not have, and what is out of bounds.
fn newcomer(world: &World, people: &Population, wanted: &Wanted) -> Result<Newcomer, Problem> {
    check_id(world, &wanted.id).map_err(|expected| invalid("id", &expected))?;
    let name = wanted.name.as_ref().unwrap_or(&wanted.id);
    check_name(name).map_err(|expected| invalid("name", &expected))?;
    let names = Names { world, people };
    let place =
        |field, id: &Option<String>| id.as_deref().map(|id| names.place(field, id)).transpose();
    for (field, value) in TRAITS.into_iter().zip(wanted.character) {
        if value.is_some_and(|value| value > CHARACTER_MAX) {
            return Err(invalid(field, &format!("expected 0 to {CHARACTER_MAX}")));
        }
    }
    Ok(Newcomer {
        id: wanted.id.clone(),
        name: name.clone(),
        region: names.region(&wanted.region)?,
        role: names.role(&wanted.role)?,
        home: place("home", &wanted.home)?,
        work: place("workplace", &wanted.workplace)?,
        haunts: Vec::new(),
        character: wanted.character,
    })
}

fn of_newcomer(error: &NewcomerError) -> Problem {
    match error {
        NewcomerError::TooMany => Problem::limit_reached(error.to_string()),
        NewcomerError::Id => Problem::conflict(format!("id: {error}")).with_field("id"),
        NewcomerError::Home => invalid("home", &error.to_string()),
        NewcomerError::Work => invalid("workplace", &error.to_string()),
        NewcomerError::NoRoom(what) => Problem::conflict(error.to_string()).with_field(*what),
    }
}
