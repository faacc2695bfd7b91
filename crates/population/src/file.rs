//! What a world's file states of its people: `[people]`, `[names]`, `[[places]]` and `[[roles]]`.
//! A mistake names file, line, key and what was expected. Not here: the other parts of the file
//! (`worldbus-world`), what is made of it (`generate`).

mod people;
mod places;
mod roles;
mod slot;
mod texts;

use crate::generate::{Draft, Misfit};
use crate::model::Population;
use worldbus_world::source::{Source, Table};
use worldbus_world::{PEOPLE_KEYS, WORLD_FILE_KEYS, World, WorldFileError};

impl Population {
    /// The people of a world by its file; none if the file states nothing of them.
    ///
    /// # Errors
    /// The first mistake: a key unknown or missing, a value out of its range, a role without a
    /// place, more people than there is room for.
    pub fn read(world: &World) -> Result<Self, WorldFileError> {
        let source = Source { file: &world.file.name, text: &world.file.text };
        let root = source.parse()?;
        let mut root = Table::root(&source, &root, WORLD_FILE_KEYS)?;
        let counts = vec![0; world.regions.len()];
        let (mut draft, mut roles) = (Draft { counts, ..Draft::default() }, Vec::new());
        if PEOPLE_KEYS.iter().any(|key| root.has(key)) {
            places::read(&mut root, world, &mut draft)?;
            roles = roles::read(&mut root, world, &mut draft)?;
            people::read(&mut root, world, &mut draft)?;
        }
        let names: Vec<String> = draft.roles.iter().map(|role| role.id.clone()).collect();
        draft.people(world).map_err(|misfit| point(&misfit, &root, &roles, &names, world))
    }
}

/// The error of what does not fit, at the key that is to be changed.
fn point(
    misfit: &Misfit,
    root: &Table<'_>,
    roles: &[Table<'_>],
    names: &[String],
    world: &World,
) -> WorldFileError {
    match *misfit {
        Misfit::TooMany { people } => {
            let most = crate::PERSON_COUNT_MAX;
            root.error("people", format!("expected at most {most} people, found {people}"))
        }
        Misfit::Place { ref id, room } => {
            let message = format!("expected at most {room} named people at {id}, found more");
            root.error("people", message)
        }
        Misfit::Homes { region, people, room } => {
            let region = &world.regions[region].id;
            let message = format!(
                "region {region}: expected room for {people} people in places of the kind home, \
                 found room for {room}"
            );
            root.error("places", message)
        }
        Misfit::Work { role, region, people, room } => {
            let (id, region) = (&names[role], &world.regions[region].id);
            let message = format!(
                "region {region}: expected room for {people} of the role {id} at places of this \
                 kind, found room for {room}"
            );
            roles[role].error("workplace", message)
        }
    }
}
