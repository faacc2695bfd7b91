//! The people of a world and the places that they go to, as the file and the seed make them.
//! Not here: reading the file (`file`), making them (`generate`), who comes and goes later
//! (`newcomer`), what they do (`plan`).

pub(crate) mod titles;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use crate::chance::Chance;
use crate::presence::Presence;
use crate::routine::{Hours, Routine};
use titles::{Titles, plain_number};
use worldbus_world::{Calendar, Hemisphere, Sun};

/// People that a world may have, those that are added later included.
pub const PERSON_COUNT_MAX: usize = 1 << 20;
/// Places that a world may have.
pub const PLACE_COUNT_MAX: usize = 1 << 20;
/// Roles that a world may have.
pub const ROLE_COUNT_MAX: usize = 256;
/// Kinds of places that a world may have.
pub const KIND_COUNT_MAX: usize = 32;
/// The highest value of a trait; the lowest is 0.
pub const CHARACTER_MAX: u16 = 1000;

/// The place of one who has none of a kind.
pub(crate) const NOWHERE: u32 = u32::MAX;
const _: () = assert!(NOWHERE as usize > PLACE_COUNT_MAX);

/// Under less of a roof one is outdoors.
const ROOF_PERMILLE_MIN: u16 = 500;

/// The people of one world, their places and roles. A copy shares what the file made.
#[derive(Clone, Debug)]
pub struct Population {
    pub(crate) made: Arc<Made>,
    /// Those who were added since, by seat: their ranks are behind those of all whom the file made.
    pub(crate) added: Vec<Added>,
    pub(crate) presences: BTreeMap<usize, Presence>,
}

/// What the file and the seed make.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) places: Vec<Place>,
    pub(crate) titles: Titles,
    pub(crate) roles: Vec<Role>,
    /// Kinds of places by name.
    pub(crate) kinds: Vec<String>,
    pub(crate) people: Vec<Person>,
    /// Where people go to a kind of places, kind by kind.
    pub(crate) goes: Vec<Goes>,
    /// How many kinds there are of which people are given a place.
    pub(crate) columns: usize,
    /// The places that people are given to go to: person by person, by column.
    pub(crate) haunts: Vec<u32>,
    pub(crate) regions: Vec<RegionOfPeople>,
    pub(crate) names: Names,
    pub(crate) chance: Chance,
    pub(crate) calendar: Calendar,
    pub(crate) sun: Sun,
    /// Those whom the file names, by rank, and their ranks by id.
    pub(crate) named: BTreeMap<usize, Named>,
    pub(crate) named_ids: HashMap<String, usize>,
}

/// Where people go to a kind of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goes {
    /// To where they live.
    Home,
    /// To where they work: no one else goes there.
    Work,
    /// To a place that each is given, in this column.
    Given(usize),
}

/// What the people of a region share.
#[derive(Clone, Debug)]
pub(crate) struct RegionOfPeople {
    pub(crate) id: String,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    pub(crate) hemisphere: Hemisphere,
    /// Its people and places are these, in one run.
    pub(crate) people: Range<usize>,
    pub(crate) places: Range<usize>,
}

/// The lists that names are drawn from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) given: Vec<String>,
    pub(crate) family: Vec<String>,
}

/// Somewhere that people go. [`Population::place_id`] and [`Population::place_name`] have what it
/// is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The rank of its region.
    pub region: usize,
    /// What it is: one of [`Population::kinds`].
    pub kind: usize,
    /// Metres east of the middle of the region.
    pub east_m: i32,
    /// Metres north of it.
    pub north_m: i32,
    /// How many people may be there at a time.
    pub capacity: u32,
    /// How well it keeps the weather off: 0 under the sky, 1000 behind thick walls.
    pub roof_permille: u16,
    /// When people may be there.
    pub open: Arc<Hours>,
}

/// What people of a kind do day by day.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    /// Names it among the roles.
    pub id: String,
    /// For people.
    pub name: String,
    /// The kind of place that it works at, if it works.
    pub workplace: Option<usize>,
    /// How far each slot of a routine is moved at the most, in minutes.
    pub jitter_minutes: u16,
    /// Days by their condition; the first that fits counts, and the last fits always.
    pub(crate) routines: Vec<Routine>,
}

/// One of the people. 24 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The rank of its role.
    pub role: u16,
    /// The rank of its region.
    pub region: u16,
    pub(crate) given: u16,
    pub(crate) family: u16,
    pub(crate) home: u32,
    pub(crate) work: u32,
    /// What it is like.
    pub character: Character,
}
const _: () = assert!(size_of::<Person>() == 24);

/// What a person is called where it is not drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// A person that was added, with the places that it is given to go to, by column.
#[derive(Clone, Debug)]
pub(crate) struct Added {
    pub(crate) person: Person,
    /// None at a seat that was given back.
    pub(crate) named: Option<Named>,
    pub(crate) haunts: Vec<u32>,
}

/// What a person is like, 0 to [`CHARACTER_MAX`] each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Character {
    /// Seeks company.
    pub sociable: u16,
    /// Goes to temples.
    pub devout: u16,
    /// Does not mind the weather.
    pub hardy: u16,
    /// Sticks to the routine.
    pub diligent: u16,
}

impl Place {
    /// Whether one is under a roof there.
    pub fn is_roofed(&self) -> bool {
        self.roof_permille >= ROOF_PERMILLE_MIN
    }
}

impl From<Made> for Population {
    fn from(made: Made) -> Self {
        Self { made: Arc::new(made), added: Vec::new(), presences: BTreeMap::new() }
    }
}

impl Population {
    /// How many people there are, those who are not there any more included.
    pub fn len(&self) -> usize {
        self.made.people.len() + self.added.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The places, by rank: those of a region in one run, regions in the world's order.
    pub fn places(&self) -> &[Place] {
        &self.made.places
    }

    /// The roles, by rank.
    pub fn roles(&self) -> &[Role] {
        &self.made.roles
    }

    /// The kinds of places, by rank.
    pub fn kinds(&self) -> &[String] {
        &self.made.kinds
    }

    /// A person by rank.
    ///
    /// # Panics
    /// If there are not so many people.
    pub fn person(&self, rank: usize) -> &Person {
        let made = &self.made.people;
        made.get(rank).unwrap_or_else(|| &self.added[rank - made.len()].person)
    }

    /// The ranks of a region's people, in order.
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn people_of(&self, region: usize) -> impl Iterator<Item = usize> + '_ {
        let added = self.made.people.len()..self.len();
        let added = added.filter(move |rank| usize::from(self.person(*rank).region) == region);
        self.made.regions[region].people.clone().chain(added)
    }

    /// The ranks of a region's people, or of all, in order.
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn everyone(&self, region: Option<usize>) -> Box<dyn Iterator<Item = usize> + '_> {
        match region {
            Some(region) => Box::new(self.people_of(region)),
            None => Box::new(0..self.len()),
        }
    }

    /// The ranks of a region's places.
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn places_of(&self, region: usize) -> Range<usize> {
        self.made.regions[region].places.clone()
    }

    /// The id of a person: that of the file, or region and number.
    pub fn id(&self, rank: usize) -> String {
        if let Some(named) = self.named(rank) {
            return named.id.clone();
        }
        let person = self.person(rank);
        let region = &self.made.regions[usize::from(person.region)];
        format!("{}-{}", region.id, rank - region.people.start + 1)
    }

    /// The name of a person.
    pub fn name(&self, rank: usize) -> String {
        if let Some(named) = self.named(rank) {
            return named.name.clone();
        }
        let person = self.person(rank);
        let Names { given, family } = &self.made.names;
        let (given, family) =
            (&given[usize::from(person.given)], &family[usize::from(person.family)]);
        format!("{given} {family}")
    }

    fn named(&self, rank: usize) -> Option<&Named> {
        match rank.checked_sub(self.made.people.len()) {
            Some(seat) => self.added[seat].named.as_ref(),
            None => self.made.named.get(&rank),
        }
    }

    /// The rank of a person by id, also of one who is not there any more.
    pub fn rank(&self, id: &str) -> Option<usize> {
        if let Some(rank) = self.made.named_ids.get(id) {
            return Some(*rank);
        }
        let is = |added: &Added| added.named.as_ref().is_some_and(|named| named.id == id);
        if let Some(seat) = self.added.iter().position(is) {
            return Some(self.made.people.len() + seat);
        }
        let (region, number) = id.rsplit_once('-')?;
        let number = plain_number(number)?;
        let region = self.made.regions.iter().find(|of| of.id == region)?;
        let rank = region.people.start + number.checked_sub(1)?;
        let is_there = region.people.contains(&rank) && self.named(rank).is_none();
        is_there.then_some(rank)
    }

    /// The id of a place by rank, which names it among all places of the world.
    ///
    /// # Panics
    /// If there are not so many places.
    pub fn place_id(&self, rank: usize) -> String {
        self.made.titles.id(rank)
    }

    /// The name of a place by rank, for people.
    ///
    /// # Panics
    /// If there are not so many places.
    pub fn place_name(&self, rank: usize) -> String {
        self.made.titles.name(rank)
    }

    /// The rank of a place by id.
    pub fn place_rank(&self, id: &str) -> Option<usize> {
        self.made.titles.rank(id)
    }

    /// The rank of a role by id.
    pub fn role_rank(&self, id: &str) -> Option<usize> {
        self.made.roles.iter().position(|role| role.id == id)
    }

    /// Where a person lives.
    pub fn home(&self, rank: usize) -> usize {
        self.person(rank).home as usize
    }

    /// Where a person works, if it does.
    pub fn workplace(&self, rank: usize) -> Option<usize> {
        let work = self.person(rank).work;
        (work != NOWHERE).then_some(work as usize)
    }

    /// The place of a kind where a person goes, if there is room for it at one.
    pub fn haunt(&self, rank: usize, kind: usize) -> Option<usize> {
        match self.made.goes[kind] {
            Goes::Home => Some(self.home(rank)),
            Goes::Work => {
                self.workplace(rank).filter(|place| self.made.places[*place].kind == kind)
            }
            Goes::Given(column) => {
                let place = self.haunts(rank)[column];
                (place != NOWHERE).then_some(place as usize)
            }
        }
    }

    /// The places that a person is given to go to, by column; its workplace may be one of them.
    pub(crate) fn haunts(&self, rank: usize) -> &[u32] {
        let columns = self.made.columns;
        match rank.checked_sub(self.made.people.len()) {
            Some(seat) => &self.added[seat].haunts,
            None => &self.made.haunts[rank * columns..][..columns],
        }
    }

    /// Whether a place is one of those where a person goes.
    pub(crate) fn is_regular(&self, rank: usize, place: usize) -> bool {
        self.haunt(rank, self.made.places[place].kind) == Some(place)
            || self.home(rank) == place
            || self.workplace(rank) == Some(place)
    }

    pub(crate) fn kind(&self, name: &str) -> Option<usize> {
        self.made.kind(name)
    }

    pub(crate) fn distance_m(&self, from: usize, to: usize) -> i64 {
        self.made.distance_m(from, to)
    }
}

impl Made {
    pub(crate) fn kind(&self, name: &str) -> Option<usize> {
        self.kinds.iter().position(|kind| kind == name)
    }

    /// Metres from one place to another of the same region, as the crow flies.
    pub(crate) fn distance_m(&self, from: usize, to: usize) -> i64 {
        let (from, to) = (&self.places[from], &self.places[to]);
        let [east, north] = [to.east_m - from.east_m, to.north_m - from.north_m].map(i64::from);
        (east * east + north * north).isqrt()
    }
}
