//! People who are added to a world and removed from it after it was made, and when each is there.
//! Who is there does nothing to those who were there before: a newcomer takes what room is left.
//! Not here: the people of the file (`generate`), who may command it (the service).

mod room;

use std::fmt;
use std::sync::Arc;

use crate::directive::Directives;
use crate::model::{Added, Goes, NOWHERE, Named, PERSON_COUNT_MAX, Population};
use crate::presence::Presence;
use room::Room;

/// A person as a file or a command names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newcomer {
    /// Its id, which no one else has or had.
    pub id: String,
    /// For people.
    pub name: String,
    /// The index of its region.
    pub region: usize,
    /// The rank of its role.
    pub role: usize,
    /// Its home by rank; none: one with room.
    pub home: Option<usize>,
    /// Its workplace by rank; none: one with room, if its role works at a place.
    pub work: Option<usize>,
    /// The other places where it goes by rank, at most one of each kind.
    pub haunts: Vec<usize>,
    /// Sociable, devout, hardy and diligent; what is left out is drawn from the seed.
    pub character: [Option<u16>; 4],
}

/// Why no one is added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewcomerError {
    /// The world has [`PERSON_COUNT_MAX`] people.
    TooMany,
    /// Someone has the id or had it.
    Id,
    /// The home is no home of its region.
    Home,
    /// The workplace is not of its region, or not of the kind where its role works.
    Work,
    /// The place is full, or all of the kind are: `home` or `workplace`.
    NoRoom(&'static str),
}

impl Population {
    /// Whether a person is there at a minute.
    pub fn is_here(&self, rank: usize, minute: i64) -> bool {
        self.presences.get(&rank).is_none_or(|presence| presence.at(minute))
    }

    /// Whether a person is there at a minute or comes later.
    pub fn is_expected(&self, rank: usize, minute: i64) -> bool {
        let comes =
            |presence: &Presence| presence.at(minute) || presence.next_edge(minute).is_some();
        self.presences.get(&rank).is_none_or(comes)
    }

    /// The minute since which a person is there who is at a minute, or at which it comes. None: it
    /// was there always.
    pub fn here_since(&self, rank: usize, minute: i64) -> Option<i64> {
        self.presences.get(&rank)?.since(minute)
    }

    /// Whether a person was added or removed at some time.
    pub(crate) fn comes_and_goes(&self, rank: usize) -> bool {
        self.presences.contains_key(&rank)
    }

    /// When a person comes or goes after a minute.
    pub(crate) fn next_edge(&self, rank: usize, after: i64) -> Option<i64> {
        self.presences.get(&rank)?.next_edge(after)
    }

    /// Whether all who were added to another of these people have the same seats here.
    pub fn continues(&self, other: &Self) -> bool {
        let ids = |people: &Self| {
            let of = |added: &Added| added.named.as_ref().map(|named| named.id.clone());
            people.added.iter().map(of).collect::<Vec<_>>()
        };
        Arc::ptr_eq(&self.made, &other.made) && ids(self).starts_with(&ids(other))
    }

    /// A newcomer with a home, a workplace and all other places where it is going to go from a
    /// minute on: it takes no room from anyone, nor from who is directed to a place.
    ///
    /// # Errors
    /// See [`NewcomerError`].
    pub fn settle(
        &self,
        (seat, minute): (usize, i64),
        newcomer: Newcomer,
        directives: &Directives,
    ) -> Result<Newcomer, NewcomerError> {
        let rank = self.made.people.len() + seat;
        if rank >= PERSON_COUNT_MAX {
            return Err(NewcomerError::TooMany);
        }
        if self.rank(&newcomer.id).is_some() {
            return Err(NewcomerError::Id);
        }
        self.check_places(&newcomer)?;
        let room = Room::new(self, directives, newcomer.region, minute);
        let home_kind = self.kind("home").ok_or(NewcomerError::NoRoom("home"))?;
        let home = room.take((rank, None), home_kind, newcomer.home);
        let home = home.ok_or(NewcomerError::NoRoom("home"))?;
        let role = &self.roles()[newcomer.role];
        let work = match role.workplace {
            Some(kind) => {
                let work = room.take((rank, Some(home)), kind, newcomer.work);
                Some(work.ok_or(NewcomerError::NoRoom("workplace"))?)
            }
            None => None,
        };
        let goes = |kind: &usize| {
            *kind != home_kind
                && Some(*kind) != role.workplace
                && self.made.uses(role, *kind).is_some()
        };
        let kinds = (0..self.kinds().len()).filter(goes);
        let haunts = kinds.filter_map(|kind| room.take((rank, Some(home)), kind, None)).collect();
        Ok(Newcomer { home: Some(home), work, haunts, ..newcomer })
    }

    /// Adds a person who is settled, from a minute on and at a seat of its own: its rank and what
    /// is drawn for it follow from that. False if no one can have that seat, or it has no home.
    pub fn add(&mut self, (seat, minute): (usize, i64), settled: &Newcomer) -> bool {
        let rank = self.made.people.len() + seat;
        if settled.home.is_none() || rank >= PERSON_COUNT_MAX {
            return false;
        }
        let person = self.made.person_of(rank, settled);
        let mut haunts = vec![NOWHERE; self.made.columns];
        for place in settled.haunts.iter().copied().chain(settled.work) {
            if let Goes::Given(column) = self.made.goes[self.places()[place].kind] {
                haunts[column] = place as u32;
            }
        }
        let added = Added { person, named: Some(Named::from(settled)), haunts };
        // A seat that was given back has no one: who would have it is never there.
        while self.added.len() <= seat {
            let empty = self.made.people.len() + self.added.len();
            self.presences.insert(empty, Presence::never());
            self.added.push(Added { named: None, ..added.clone() });
        }
        self.added[seat] = added;
        self.presences.insert(rank, Presence::from(minute));
        true
    }

    /// Removes a person from a minute on.
    ///
    /// # Panics
    /// If there are not so many people.
    pub fn remove(&mut self, rank: usize, minute: i64) {
        self.turn(rank, minute, false);
    }

    /// Lets a person who was removed be there again from a minute on.
    ///
    /// # Panics
    /// If there are not so many people.
    pub fn restore(&mut self, rank: usize, minute: i64) {
        self.turn(rank, minute, true);
    }

    /// Whether there is room from a minute on for a person who was removed.
    ///
    /// # Errors
    /// [`NewcomerError::NoRoom`]: another took it since.
    pub fn check_room(
        &self,
        rank: usize,
        minute: i64,
        directives: &Directives,
    ) -> Result<(), NewcomerError> {
        let region = usize::from(self.person(rank).region);
        let room = Room::new(self, directives, region, minute);
        let mut own = self.own_places(rank);
        match own.find(|place| room.left(*place) == 0) {
            Some(place) if place == self.home(rank) => Err(NewcomerError::NoRoom("home")),
            Some(_) => Err(NewcomerError::NoRoom("workplace or other place of its own")),
            None => Ok(()),
        }
    }

    fn turn(&mut self, rank: usize, minute: i64, here: bool) {
        assert!(rank < self.len(), "a person is one of the people");
        self.presences.entry(rank).or_insert_with(Presence::always).turn(minute, here);
    }

    /// Each place where a person is a regular, once.
    fn own_places(&self, rank: usize) -> impl Iterator<Item = usize> {
        let haunts = self.haunts(rank);
        let (home, work) = (self.home(rank), self.workplace(rank));
        let others = haunts.iter().filter(|place| **place != NOWHERE).map(|place| *place as usize);
        let others = others.filter(move |place| *place != home && Some(*place) != work);
        [home].into_iter().chain(work.filter(|work| *work != home)).chain(others)
    }

    fn check_places(&self, newcomer: &Newcomer) -> Result<(), NewcomerError> {
        let fits = |place: Option<usize>, kind: Option<usize>| {
            place.is_none_or(|place| {
                let of = &self.places()[place];
                of.region == newcomer.region && Some(of.kind) == kind
            })
        };
        if !fits(newcomer.home, self.kind("home")) {
            return Err(NewcomerError::Home);
        }
        let workplace = self.roles()[newcomer.role].workplace;
        if !fits(newcomer.work, workplace) {
            return Err(NewcomerError::Work);
        }
        Ok(())
    }
}

impl fmt::Display for NewcomerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => write!(f, "expected at most {PERSON_COUNT_MAX} people in a world"),
            Self::Id => f.write_str("expected an id that no one has or had"),
            Self::Home => f.write_str("expected a home of the person's region"),
            Self::Work => {
                f.write_str("expected a place of the person's region where its role works")
            }
            Self::NoRoom(what) => write!(f, "expected a {what} with room, found none"),
        }
    }
}

impl std::error::Error for NewcomerError {}
