//! All people from change to change, in order: a heap of when each decides next.
//! Equal to asking each of them. Not here: the events that are made of it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::stand::Stand;
use super::walk::Walk;
use super::{Crowd, Planner};
use crate::activity::{Activity, Cause};
use crate::model::Population;

/// Where all people stand. It is given the planner at each call, so that weather and directives may
/// change between two.
#[derive(Clone, Debug)]
pub struct Sweep {
    minute: i64,
    walks: Vec<Walk>,
    /// Whose next decision is when; stale where the walk's own is another.
    next: BinaryHeap<Reverse<(i64, u32)>>,
    due: Vec<i64>,
    /// How many of each activity are at a place, place by place.
    counts: Vec<[u32; Activity::ALL.len()]>,
}

/// A person does something else from a minute on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The minute.
    pub minute: i64,
    /// Who, by rank.
    pub person: usize,
    /// What.
    pub activity: Activity,
    /// Where it was, by rank.
    pub from_place: usize,
    /// Where it is, by rank; while it travels, where it goes.
    pub place: usize,
    /// Until when, unless a command intervenes.
    pub until: i64,
    /// Why.
    pub cause: Cause,
    /// See [`super::Span::because`].
    pub because: i64,
}

impl Sweep {
    /// Everyone as they are at a minute.
    pub fn new(planner: &Planner, minute: i64) -> Self {
        let count = planner.inputs.people.len();
        let walks = (0..count).map(|person| Walk::at(&planner.inputs, person, minute)).collect();
        let counts = vec![[0; Activity::ALL.len()]; planner.inputs.people.places().len()];
        let mut sweep =
            Self { minute, walks, next: BinaryHeap::new(), due: vec![0; count], counts };
        for person in 0..count {
            sweep.count(person, 1);
        }
        sweep.plan_again(planner);
        sweep
    }

    /// The minute that it stands at.
    pub fn minute(&self) -> i64 {
        self.minute
    }

    /// Takes what changed in weather or directives into account, from the next minute on.
    pub fn plan_again(&mut self, planner: &Planner) {
        self.next.clear();
        for person in 0..self.walks.len() {
            self.schedule(planner, person);
        }
    }

    /// When someone decides next.
    pub fn next(&self) -> Option<i64> {
        self.next.peek().map(|Reverse((minute, _))| *minute)
    }

    /// Goes to a minute; `each` is given what changes until then, by minute and person.
    pub fn advance(&mut self, planner: &Planner, minute: i64, mut each: impl FnMut(Change)) {
        while let Some(&Reverse((due, person))) = self.next.peek() {
            if due > minute {
                break;
            }
            self.next.pop();
            let rank = person as usize;
            if self.due[rank] != due {
                continue;
            }
            let was = *self.walks[rank].stand();
            self.count(rank, -1);
            self.walks[rank].step(&planner.inputs);
            self.count(rank, 1);
            let is = *self.walks[rank].stand();
            if is.since != was.since {
                each(self.now(planner, rank));
            }
            self.schedule(planner, rank);
        }
        self.minute = self.minute.max(minute);
    }

    /// What a person does now.
    ///
    /// # Panics
    /// If there are not so many people.
    pub fn now(&self, planner: &Planner, person: usize) -> Change {
        let mut ahead = self.walks[person];
        let stand = *ahead.stand();
        ahead.go_on(&planner.inputs);
        Change {
            minute: stand.since,
            person,
            activity: stand.activity,
            from_place: stand.from as usize,
            place: stand.place as usize,
            until: ahead.stand().since,
            cause: stand.cause,
            because: stand.because,
        }
    }

    /// The people at a place now.
    ///
    /// # Panics
    /// If there are not so many places.
    pub fn crowd(&self, place: usize) -> Crowd {
        Crowd::new(&self.counts[place])
    }

    /// How many of the people do what, in the order of the activities' numbers.
    pub fn by_activity(&self, people: &Population, region: Option<usize>) -> [u32; 14] {
        let ranks = region.map_or(0..self.walks.len(), |region| people.people_of(region));
        let mut counts = [0; Activity::ALL.len()];
        for walk in &self.walks[ranks] {
            counts[walk.stand().activity as usize - 1] += 1;
        }
        counts
    }

    fn schedule(&mut self, planner: &Planner, person: usize) {
        let due = self.walks[person].next(&planner.inputs);
        self.due[person] = due;
        self.next.push(Reverse((due, person as u32)));
    }

    fn count(&mut self, person: usize, more: i32) {
        let Stand { activity, place, .. } = *self.walks[person].stand();
        if activity != Activity::Travel {
            let count = &mut self.counts[place as usize][activity as usize - 1];
            *count = count.wrapping_add_signed(more);
        }
    }
}
