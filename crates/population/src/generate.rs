//! The people of a world, made of its places, its roles and its seed: who they are, where they live
//! and work, and which of the places of each kind they go to. No one is given a place that is full,
//! so no place ever holds more than it may. Not here: reading the file (`file`).

mod vacancies;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::activity::Activity;
use crate::chance::{Chance, Draw};
use crate::model::titles::Titles;
use crate::model::{
    CHARACTER_MAX, Character, Goes, Made, NOWHERE, Named, Names, PERSON_COUNT_MAX, Person, Place,
    Population, RegionOfPeople, Role,
};
use crate::newcomer::Newcomer;
use crate::routine::{Does, Slot};
use worldbus_world::{Region, World};

pub(crate) use vacancies::Vacancies;

/// Of places with room so many are compared by how near they are.
const NEAR_COUNT_MAX: usize = 16;

/// What a file states of the people of a world.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    /// How many people there are in each region besides those that are named.
    pub(crate) counts: Vec<usize>,
    /// Region by region.
    pub(crate) places: Vec<Place>,
    pub(crate) titles: Titles,
    pub(crate) kinds: Vec<String>,
    pub(crate) roles: Vec<Role>,
    /// How many of each role, over all shares of a region; and the only region, if there is one.
    pub(crate) shares: Vec<(u64, Option<usize>)>,
    pub(crate) names: Names,
    pub(crate) named: Vec<Newcomer>,
}

/// What one goes to a kind of places for, the most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Use {
    Routine,
    Pastime,
}

/// What does not fit, for the reader of the file to point at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// In a region: so many people, and beds for fewer.
    Homes {
        region: usize,
        people: usize,
        room: u64,
    },
    /// In a region: so many of a role, and places at work for fewer.
    Work {
        role: usize,
        region: usize,
        people: usize,
        room: u64,
    },
    /// At a place: more named people than it holds.
    Place {
        id: String,
        room: u32,
    },
    TooMany {
        people: usize,
    },
}

impl Draft {
    pub(crate) fn people(self, world: &World) -> Result<Population, Misfit> {
        let total = self.counts.iter().sum::<usize>() + self.named.len();
        if total > PERSON_COUNT_MAX {
            return Err(Misfit::TooMany { people: total });
        }
        let Self { counts, mut places, titles, kinds, roles, shares, names, named } = self;
        // In a large world they are many, and no more of them come.
        places.shrink_to_fit();
        let mut people = Made {
            goes: Vec::new(),
            columns: 0,
            haunts: Vec::new(),
            people: Vec::with_capacity(total),
            regions: regions(world, &places),
            chance: Chance::new(world.seed),
            calendar: world.calendar(),
            sun: world.sun(),
            named: BTreeMap::new(),
            named_ids: HashMap::new(),
            places,
            titles,
            roles,
            kinds,
            names,
        };
        people.goes = people.ways();
        people.columns = people.goes.iter().filter(|goes| matches!(goes, Goes::Given(_))).count();
        people.haunts = vec![NOWHERE; total * people.columns];
        for (region, count) in counts.into_iter().enumerate() {
            people.populate(region, count, &shares, &named)?;
        }
        Ok(people.into())
    }
}

fn regions(world: &World, places: &[Place]) -> Vec<RegionOfPeople> {
    let run = |region: usize| {
        let begin = places.partition_point(|place| place.region < region);
        begin..places.partition_point(|place| place.region <= region)
    };
    let of = |(rank, region): (usize, &Region)| RegionOfPeople {
        id: region.id.clone(),
        latitude: region.latitude,
        longitude: region.longitude,
        hemisphere: region.hemisphere(),
        people: 0..0,
        places: run(rank),
    };
    world.regions.iter().enumerate().map(of).collect()
}

impl From<&Newcomer> for Named {
    fn from(newcomer: &Newcomer) -> Self {
        Self { id: newcomer.id.clone(), name: newcomer.name.clone() }
    }
}

impl Made {
    /// Where people go to each kind of places, by their roles.
    fn ways(&self) -> Vec<Goes> {
        let mut columns = 0;
        let goes = |kind: usize| {
            let is_guest =
                |role: &Role| self.uses(role, kind).is_some() && role.workplace != Some(kind);
            if self.kinds[kind] == "home" {
                return Goes::Home;
            }
            if !self.roles.iter().any(is_guest) {
                return Goes::Work;
            }
            columns += 1;
            Goes::Given(columns - 1)
        };
        (0..self.kinds.len()).map(goes).collect()
    }

    fn populate(
        &mut self,
        region: usize,
        count: usize,
        shares: &[(u64, Option<usize>)],
        named: &[Newcomer],
    ) -> Result<(), Misfit> {
        let first = self.people.len();
        for (at, role) in roles_of(region, count, shares, self.chance).into_iter().enumerate() {
            let person = self.anyone(first + at, role, region);
            self.people.push(person);
        }
        for draft in named.iter().filter(|draft| draft.region == region) {
            self.named_ids.insert(draft.id.clone(), self.people.len());
            self.named.insert(self.people.len(), Named::from(draft));
            let person = self.person_of(self.people.len(), draft);
            self.people.push(person);
        }
        let people = first..self.people.len();
        self.regions[region].people = people.clone();
        self.give_homes(region, people.clone())?;
        self.give_work(region, people.clone())?;
        self.give_haunts(region, people)
    }

    fn anyone(&self, rank: usize, role: usize, region: usize) -> Person {
        let draw = |which: u64| {
            let half = |more: u64| {
                let most = u64::from(CHARACTER_MAX) / 2 + 1;
                self.chance.below(Draw::Character, rank as u64, 2 * which + more, most) as u16
            };
            half(0) + half(1)
        };
        let given = self.names.given.len().max(1) as u64;
        Person {
            role: role as u16,
            region: region as u16,
            given: self.chance.below(Draw::Name, rank as u64, 0, given) as u16,
            family: 0,
            home: NOWHERE,
            work: NOWHERE,
            character: Character {
                sociable: draw(0),
                devout: draw(1),
                hardy: draw(2),
                diligent: draw(3),
            },
        }
    }

    pub(crate) fn person_of(&self, rank: usize, draft: &Newcomer) -> Person {
        let person = self.anyone(rank, draft.role, draft.region);
        let [sociable, devout, hardy, diligent] = draft.character;
        let drawn = person.character;
        let place = |rank: Option<usize>| rank.map_or(NOWHERE, |rank| rank as u32);
        Person {
            home: place(draft.home),
            work: place(draft.work),
            character: Character {
                sociable: sociable.unwrap_or(drawn.sociable),
                devout: devout.unwrap_or(drawn.devout),
                hardy: hardy.unwrap_or(drawn.hardy),
                diligent: diligent.unwrap_or(drawn.diligent),
            },
            ..person
        }
    }

    /// Households of one to as many as a home holds; where people are left over, homes fill up.
    fn give_homes(&mut self, region: usize, people: Range<usize>) -> Result<(), Misfit> {
        let mut room = self.room_of_kind(region, "home");
        for person in &self.people[people.clone()] {
            self.take(&mut room, person.home)?;
        }
        let all = self.beds(region);
        let mut beds: Vec<u32> = Vec::new();
        let mut spare: Vec<u32> = Vec::new();
        for (place, room) in room.list() {
            let household =
                self.chance.below(Draw::Home, u64::from(*place), 0, u64::from(*room).max(1));
            let household = (household as u32 + 1).min(*room);
            beds.extend(std::iter::repeat_n(*place, household as usize));
            spare.extend(std::iter::repeat_n(*place, (*room - household) as usize));
        }
        let mut beds = beds.into_iter().chain(spare);
        for rank in people.clone() {
            if self.people[rank].home == NOWHERE {
                let misfit = Misfit::Homes { region, people: people.len(), room: all };
                self.people[rank].home = beds.next().ok_or(misfit)?;
            }
            let families = self.names.family.len().max(1) as u64;
            let home = u64::from(self.people[rank].home);
            self.people[rank].family = self.chance.below(Draw::Name, home, 1, families) as u16;
        }
        Ok(())
    }

    fn beds(&self, region: usize) -> u64 {
        self.room_of_kind(region, "home").total()
    }

    fn give_work(&mut self, region: usize, people: Range<usize>) -> Result<(), Misfit> {
        for role in 0..self.roles.len() {
            let Some(kind) = self.roles[role].workplace else { continue };
            let workers: Vec<usize> = people
                .clone()
                .filter(|rank| usize::from(self.people[*rank].role) == role)
                .collect();
            let mut room = self.room(region, kind);
            let all = room.total();
            for rank in people.clone() {
                self.take(&mut room, self.people[rank].work)?;
            }
            for rank in &workers {
                if self.people[*rank].work != NOWHERE {
                    continue;
                }
                let misfit = Misfit::Work { role, region, people: workers.len(), room: all };
                let place = self.near(*rank, kind, &mut room).ok_or(misfit)?;
                self.people[*rank].work = place;
            }
        }
        Ok(())
    }

    /// Of each kind where guests go a place, for as many as there is room.
    fn give_haunts(&mut self, region: usize, people: Range<usize>) -> Result<(), Misfit> {
        let columns = self.columns;
        for kind in 0..self.kinds.len() {
            let Goes::Given(column) = self.goes[kind] else { continue };
            let mut room = self.room(region, kind);
            for rank in people.clone() {
                let work = self.people[rank].work;
                if work != NOWHERE && self.places[work as usize].kind == kind {
                    self.haunts[rank * columns + column] = work;
                    self.take(&mut room, work)?;
                }
            }
            // Those whose routine leads there come first; who never goes takes no room.
            let uses: Vec<Option<Use>> =
                self.roles.iter().map(|role| self.uses(role, kind)).collect();
            let of = |rank: usize| uses[usize::from(self.people[rank].role)];
            let mut order: Vec<usize> = people.clone().filter(|rank| of(*rank).is_some()).collect();
            order.sort_by_key(|rank| {
                (of(*rank), self.chance.bits(Draw::Order, *rank as u64, kind as u64))
            });
            for rank in order {
                if self.haunts[rank * columns + column] == NOWHERE
                    && let Some(place) = self.near(rank, kind, &mut room)
                {
                    self.haunts[rank * columns + column] = place;
                }
            }
        }
        Ok(())
    }

    /// Takes room of a place that is one's own; of one of another kind there is nothing to take.
    fn take(&self, room: &mut Vacancies, place: u32) -> Result<(), Misfit> {
        let Some(at) = room.find(place) else { return Ok(()) };
        if room.take(at) {
            return Ok(());
        }
        let place = place as usize;
        Err(Misfit::Place { id: self.titles.id(place), room: self.places[place].capacity })
    }

    /// Whether people of a role go to places of a kind, and why.
    pub(crate) fn uses(&self, role: &Role, kind: usize) -> Option<Use> {
        let slots = || role.routines.iter().flat_map(|routine| &routine.slots);
        let leads_there = |slot: &Slot| {
            let Does::One(activity) = slot.does else { return false };
            slot.kind.or_else(|| self.kind(activity.kind()?)) == Some(kind)
        };
        if slots().any(leads_there) {
            return Some(Use::Routine);
        }
        let is_pastime = Activity::PASTIMES.iter().any(|a| a.kind() == Some(&self.kinds[kind]));
        (is_pastime && slots().any(|slot| slot.does == Does::Free)).then_some(Use::Pastime)
    }

    /// One of the places of a kind that have room, near a person's home; it takes the room.
    fn near(&self, rank: usize, kind: usize, room: &mut Vacancies) -> Option<u32> {
        let home = self.people[rank].home as usize;
        self.near_home((rank, home), kind, room)
    }

    /// The same for one who lives there.
    pub(crate) fn near_home(
        &self,
        (rank, home): (usize, usize),
        kind: usize,
        room: &mut Vacancies,
    ) -> Option<u32> {
        let count = room.len();
        let begin = match count {
            0 => return None,
            _ => self.chance.below(Draw::Position, rank as u64, kind as u64, count as u64) as usize,
        };
        let near = room.around(begin, NEAR_COUNT_MAX).into_iter();
        let place = |at: usize| room.list()[at].0;
        let nearest = near.min_by_key(|at| self.distance_m(home, place(*at) as usize))?;
        room.take(nearest);
        Some(room.list()[nearest].0)
    }

    fn room_of_kind(&self, region: usize, kind: &str) -> Vacancies {
        self.kind(kind).map_or_else(|| Vacancies::new(Vec::new()), |kind| self.room(region, kind))
    }

    fn room(&self, region: usize, kind: usize) -> Vacancies {
        let capacity = |place: usize| (place as u32, self.places[place].capacity);
        Vacancies::new(self.of_kind(region, kind).map(capacity).collect())
    }

    /// The places of a kind in a region.
    pub(crate) fn of_kind(&self, region: usize, kind: usize) -> impl Iterator<Item = usize> {
        let places = self.regions[region].places.clone();
        places.filter(move |place| self.places[*place].kind == kind)
    }
}

/// The role of each of a region's people: by their shares, in an order of chance.
fn roles_of(
    region: usize,
    count: usize,
    shares: &[(u64, Option<usize>)],
    chance: Chance,
) -> Vec<usize> {
    let here = |only: Option<usize>| only.is_none_or(|only| only == region);
    let shares: Vec<u64> =
        shares.iter().map(|(share, only)| if here(*only) { *share } else { 0 }).collect();
    let all: u64 = shares.iter().sum();
    if all == 0 || count == 0 {
        return Vec::new();
    }

    // Whole people for each share, and what is left to the largest remainders.
    let of = |share: u64| share as u128 * count as u128;
    let mut counts: Vec<usize> =
        shares.iter().map(|share| (of(*share) / u128::from(all)) as usize).collect();
    let mut by_rest: Vec<usize> = (0..shares.len()).collect();
    by_rest.sort_by_key(|role| (std::cmp::Reverse(of(shares[*role]) % u128::from(all)), *role));
    let left = count - counts.iter().sum::<usize>();
    for role in by_rest.into_iter().take(left) {
        counts[role] += 1;
    }

    let roles = counts.iter().enumerate();
    let mut roles: Vec<usize> =
        roles.flat_map(|(role, count)| std::iter::repeat_n(role, *count)).collect();
    for at in (1..roles.len()).rev() {
        let other = chance.below(Draw::Role, region as u64, at as u64, at as u64 + 1) as usize;
        roles.swap(at, other);
    }
    roles
}
