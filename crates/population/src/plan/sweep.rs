//! All people from change to change, in order: a heap of when each decides next.
//! Equal to asking each of them. Not here: the events that are made of it.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use super::stand::Stand;
use super::walk::Walk;
use super::{Crowd, Planner, Span};
use crate::activity::{Activity, Cause};
use crate::model::PERSON_COUNT_MAX;

/// Where all people stand. It is given the planner at each call, so that weather and directives may
/// change between two.
#[derive(Clone, Debug)]
pub struct Sweep {
    minute: i64,
    walks: Vec<Walk>,
    /// Whose next decision is when: each person once.
    next: BinaryHeap<Reverse<Due>>,
    /// Who is not there: not yet, or not any more.
    absent: BTreeSet<usize>,
    /// How many of each activity are at a place, place by place.
    counts: Vec<[u32; Activity::ALL.len()]>,
}

/// A person's rank below the minute at which it decides next: ordered by minute, then by person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due(i64);

const RANK_BITS: u32 = PERSON_COUNT_MAX.ilog2();

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

impl Due {
    /// Game time in microseconds has 63 bits, so that its minutes have 38.
    fn new(minute: i64, rank: usize) -> Self {
        Self(minute << RANK_BITS | rank as i64)
    }

    fn minute(self) -> i64 {
        self.0 >> RANK_BITS
    }

    fn rank(self) -> usize {
        self.0 as usize & (PERSON_COUNT_MAX - 1)
    }
}

impl Sweep {
    /// Everyone as they are at a minute.
    pub fn new(planner: &Planner, minute: i64) -> Self {
        let counts = vec![[0; Activity::ALL.len()]; planner.inputs.people.places().len()];
        let (walks, next) = (Vec::new(), BinaryHeap::new());
        let mut sweep = Self { minute, walks, next, absent: BTreeSet::new(), counts };
        sweep.plan_again(planner);
        sweep
    }

    /// Everyone as they are at another minute: as [`Sweep::new`] in the place of this one.
    pub fn stand_at(&mut self, planner: &Planner, minute: i64) {
        self.minute = minute;
        self.walks.clear();
        self.absent.clear();
        self.counts.fill([0; Activity::ALL.len()]);
        self.plan_again(planner);
    }

    /// The minute that it stands at.
    pub fn minute(&self) -> i64 {
        self.minute
    }

    /// Takes what changed in weather, directives or people into account, from the next minute on.
    /// Those who were there have the ranks that they had ([`crate::Population::continues`]).
    pub fn plan_again(&mut self, planner: &Planner) {
        let people = &planner.inputs.people;
        self.walks.reserve_exact(people.len() - self.walks.len());
        for rank in self.walks.len()..people.len() {
            self.walks.push(Walk::at(&planner.inputs, rank, self.minute));
            if !people.is_here(rank, self.minute) {
                self.absent.insert(rank);
            }
            self.count(rank, 1);
        }
        // Of exactly the room that it takes, which it never outgrows.
        let mut next = std::mem::take(&mut self.next).into_vec();
        next.clear();
        next.reserve_exact(people.len());
        next.extend((0..people.len()).map(|rank| Reverse(self.next_due(planner, rank))));
        self.next = next.into();
    }

    /// When someone decides next.
    pub fn next(&self) -> Option<i64> {
        self.next.peek().map(|Reverse(due)| due.minute())
    }

    /// Goes to a minute; `each` is given what changes until then, by minute and person.
    pub fn advance(&mut self, planner: &Planner, minute: i64, mut each: impl FnMut(Change)) {
        while let Some(&Reverse(next)) = self.next.peek() {
            let (due, rank) = (next.minute(), next.rank());
            if due > minute {
                break;
            }
            self.next.pop();
            self.minute = self.minute.max(due);
            if let Some(change) = self.go_on(planner, rank, due) {
                each(change);
            }
            self.next.push(Reverse(self.next_due(planner, rank)));
        }
        self.minute = self.minute.max(minute);
    }

    /// A person decides, comes or goes. Returns what it does from then on, if that is something
    /// else.
    fn go_on(&mut self, planner: &Planner, rank: usize, due: i64) -> Option<Change> {
        let since = self.walks[rank].stand().since;
        self.count(rank, -1);
        let was_absent = self.absent.remove(&rank);
        let people = &planner.inputs.people;
        if !people.comes_and_goes(rank) || self.walks[rank].next(&planner.inputs) <= due {
            self.walks[rank].step(&planner.inputs);
        }
        if !people.is_here(rank, self.minute) {
            self.absent.insert(rank);
            return None;
        }
        self.count(rank, 1);
        let change = self.now(planner, rank);
        if was_absent {
            return Some(Change { minute: self.minute, ..change });
        }
        (change.minute != since).then_some(change)
    }

    /// What a person does now.
    ///
    /// # Panics
    /// If there are not so many people.
    pub fn now(&self, planner: &Planner, person: usize) -> Change {
        let span = planner.span(&mut { self.walks[person] });
        Change {
            minute: span.from,
            person,
            activity: span.activity,
            from_place: span.from_place,
            place: span.place,
            until: span.until,
            cause: span.cause,
            because: span.because,
        }
    }

    /// What a person does at a minute that the sweep is not beyond.
    ///
    /// # Panics
    /// If there are not so many people.
    pub fn span(&self, planner: &Planner, person: usize, minute: i64) -> Span {
        planner.span(&mut self.walk(planner, person, minute))
    }

    /// What a person does at a minute that the sweep is not beyond, and at which place: as
    /// [`Sweep::span`], and cheaper by far.
    ///
    /// # Panics
    /// If there are not so many people.
    pub fn doing(&self, planner: &Planner, person: usize, minute: i64) -> (Activity, usize) {
        let Stand { activity, place, .. } = *self.walk(planner, person, minute).stand();
        (activity, place as usize)
    }

    /// The people at a place now.
    ///
    /// # Panics
    /// If there are not so many places.
    pub fn crowd(&self, place: usize) -> Crowd {
        Crowd::new(&self.counts[place])
    }

    /// How many people are at a place now.
    ///
    /// # Panics
    /// If there are not so many places.
    pub fn count_at(&self, place: usize) -> u32 {
        self.counts[place].iter().sum()
    }

    /// A person's way up to a minute: its own, where no one decides anything until then.
    fn walk(&self, planner: &Planner, person: usize, minute: i64) -> Walk {
        let mut walk = self.walks[person];
        if self.next().is_some_and(|next| next <= minute) {
            walk.reach(&planner.inputs, minute);
        }
        walk
    }

    /// When a person decides, comes or goes next.
    fn next_due(&self, planner: &Planner, rank: usize) -> Due {
        let next = self.walks[rank].next(&planner.inputs);
        let people = &planner.inputs.people;
        if !people.comes_and_goes(rank) {
            return Due::new(next, rank);
        }
        let is_known = people.is_here(rank, self.minute) != self.absent.contains(&rank);
        let edge = if is_known { people.next_edge(rank, self.minute) } else { Some(self.minute) };
        Due::new(edge.into_iter().fold(next, i64::min), rank)
    }

    fn count(&mut self, person: usize, more: i32) {
        let Stand { activity, place, .. } = *self.walks[person].stand();
        if activity != Activity::Travel && !self.absent.contains(&person) {
            let count = &mut self.counts[place as usize][activity as usize - 1];
            *count = count.wrapping_add_signed(more);
        }
    }
}
