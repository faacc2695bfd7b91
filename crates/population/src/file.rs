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
use worldbus_world::{Facts, PEOPLE_KEYS, WORLD_FILE_KEYS, World, WorldFileError, facts};

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
        let (draft, roles) = draft(&mut root, world)?;
        let names: Vec<String> = draft.roles.iter().map(|role| role.id.clone()).collect();
        draft.people(world).map_err(|misfit| point(&misfit, &root, &roles, &names, world))
    }
}

/// What the file states, and the tables of the roles.
fn draft<'a>(
    root: &mut Table<'a>,
    world: &World,
) -> Result<(Draft, Vec<Table<'a>>), WorldFileError> {
    let counts = vec![0; world.regions.len()];
    let (mut draft, mut roles) = (Draft { counts, ..Draft::default() }, Vec::new());
    if PEOPLE_KEYS.iter().any(|key| root.has(key)) {
        places::read(root, world, &mut draft)?;
        roles = roles::read(root, world, &mut draft)?;
        people::read(root, world, &mut draft)?;
    }
    Ok((draft, roles))
}

/// What of a world's people and places a data directory is begun with, to be compared with a later
/// file; nothing of a world without them. No one is made for it.
///
/// # Errors
/// The first mistake in the file.
pub fn facts(world: &World) -> Result<Facts, WorldFileError> {
    let source = Source { file: &world.file.name, text: &world.file.text };
    let root = source.parse()?;
    let (draft, _) = draft(&mut Table::root(&source, &root, WORLD_FILE_KEYS)?, world)?;
    if draft.roles.is_empty() {
        return Ok(Facts::new());
    }
    // The rank of each is in the identity of events: how many there are in each region, then those
    // that are named, in the order of the file.
    let named: Vec<(usize, &str)> =
        draft.named.iter().map(|named| (named.region, named.id.as_str())).collect();
    let count = draft.counts.iter().sum::<usize>() + named.len();
    let people = facts::digest(&format!("{:?} {named:?}", draft.counts));
    // Place by place: of a large world all at once would be a text of megabytes.
    let both = (String::new(), String::new());
    let (ids, places) = draft.places.iter().enumerate().fold(both, |both, (rank, place)| {
        let next = |so_far: String, what: &str| facts::digest(&format!("{so_far} {what}"));
        let (id, name) = (draft.titles.id(rank), draft.titles.name(rank));
        // As when a place had its id and name itself: a world that is kept stays the same.
        let called = format!("{{ id: {id:?}, name: {name:?}, ");
        let place = format!("{place:?}").replacen("{ ", &called, 1);
        (next(both.0, &id), next(both.1, &place))
    });
    let Draft { kinds, roles, shares, names, named, .. } = &draft;
    let lives = format!("{people} {places} {kinds:?} {roles:?} {shares:?} {names:?} {named:?}");
    let places = format!("{} ({ids})", draft.places.len());
    Ok(Facts::from([
        (facts::PEOPLE.to_owned(), format!("{count} ({people})")),
        (facts::PLACES_OF_PEOPLE.to_owned(), places),
        (facts::LIVES_OF_PEOPLE.to_owned(), facts::digest(&lives)),
    ]))
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
