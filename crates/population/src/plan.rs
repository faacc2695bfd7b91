//! What people do: at an instant, over a day, at a place, and why. Not here: what a decision is
//! made of (`decide`), one step of a person (`walk`).

mod day;
mod decide;
mod inputs;
mod stand;
mod sweep;
mod walk;

use std::sync::Arc;

use crate::activity::{Activity, Cause};
use crate::directive::Directives;
use crate::model::Population;
use crate::skies::Skies;
use decide::Choice;
use inputs::Inputs;
use stand::Stand;
use walk::Walk;

pub use decide::{Candidate, Score};
pub use sweep::{Change, Sweep};

/// Answers what people do. It keeps what many of them share, and is for one thread.
#[derive(Debug)]
pub struct Planner {
    inputs: Inputs,
}

/// What a person does for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first minute of it.
    pub from: i64,
    /// The first minute after it.
    pub until: i64,
    /// What it does.
    pub activity: Activity,
    /// Where it was before, by rank.
    pub from_place: usize,
    /// Where it is, by rank; while it travels, where it goes.
    pub place: usize,
    /// Why.
    pub cause: Cause,
    /// Of [`Cause::Directive`] the directive's revision; of [`Cause::Weather`] the minute since
    /// which the weather is what it is.
    pub because: i64,
}

/// How a decision came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// When it was taken.
    pub minute: i64,
    /// What there was to choose from, the chosen one first.
    pub candidates: Vec<Candidate>,
}

/// The people at a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crowd {
    /// How many are there; those on their way are not.
    pub count: u32,
    /// By activity, in the order of its numbers; none is 0.
    pub by_activity: Vec<(Activity, u32)>,
}

impl Planner {
    /// For people under a weather and directives.
    pub fn new(
        people: impl Into<Arc<Population>>,
        skies: impl Into<Arc<Skies>>,
        directives: impl Into<Arc<Directives>>,
    ) -> Self {
        Self { inputs: Inputs::new(people.into(), skies.into(), directives.into()) }
    }

    /// The people.
    pub fn people(&self) -> &Arc<Population> {
        &self.inputs.people
    }

    /// Goes on under another weather or other directives, with people who were added or removed.
    pub fn change(
        &mut self,
        people: Arc<Population>,
        skies: Arc<Skies>,
        directives: Arc<Directives>,
    ) {
        self.inputs.change(people, skies, directives);
    }

    /// What a person does at a minute.
    ///
    /// # Panics
    /// If there are not so many people.
    pub fn activity(&self, person: usize, minute: i64) -> Span {
        let mut walk = Walk::at(&self.inputs, person, minute);
        self.span(&mut walk)
    }

    /// What a person does from one minute to before another, without gaps; the first span begins
    /// where it began and the last ends where it ends.
    ///
    /// # Panics
    /// If there are not so many people.
    pub fn spans(&self, person: usize, from: i64, until: i64) -> Vec<Span> {
        let mut walk = Walk::at(&self.inputs, person, from);
        let mut spans = Vec::new();
        while walk.stand().since < until {
            spans.push(self.span(&mut walk));
        }
        spans
    }

    /// Why a person does what it does at a minute.
    ///
    /// # Panics
    /// If there are not so many people.
    pub fn why(&self, person: usize, minute: i64) -> Why {
        let (minute, before) = Walk::decision(&self.inputs, person, minute);
        let Choice { mut candidates, best, .. } = decide::decide(&self.inputs, &before, minute);
        candidates[..=best].rotate_right(1);
        Why { minute, candidates }
    }

    /// The people at a place at a minute.
    ///
    /// # Panics
    /// If there are not so many places.
    pub fn crowd(&self, place: usize, minute: i64) -> Crowd {
        let people = &self.inputs.people;
        let region = people.places()[place].region;
        let mut counts = [0_u32; Activity::ALL.len()];
        for person in people.people_of(region).filter(|person| people.is_here(*person, minute)) {
            // Who neither goes there of itself nor has a directive is not there.
            if !people.is_regular(person, place)
                && !self.inputs.directives.touches(people, person, self.reach(minute))
            {
                continue;
            }
            let stand = *Walk::at(&self.inputs, person, minute).stand();
            if stand.place as usize == place && stand.activity != Activity::Travel {
                counts[stand.activity as usize - 1] += 1;
            }
        }
        Crowd::new(&counts)
    }

    /// How far back a directive keeps people from where they would be.
    fn reach(&self, minute: i64) -> (i64, i64) {
        (minute - 2 * self.inputs.days.minutes, minute + 1)
    }

    /// The span that a walk stands at; the walk goes on behind it.
    fn span(&self, walk: &mut Walk) -> Span {
        let Stand { since: from, activity, from: from_place, place, cause, because, .. } =
            *walk.stand();
        walk.go_on(&self.inputs);
        let (from_place, place) = (from_place as usize, place as usize);
        Span { from, until: walk.stand().since, activity, from_place, place, cause, because }
    }
}

impl Crowd {
    fn new(counts: &[u32; Activity::ALL.len()]) -> Self {
        let by_activity = Activity::ALL.into_iter().zip(counts.iter().copied());
        let by_activity: Vec<_> = by_activity.filter(|(_, count)| *count > 0).collect();
        Self { count: by_activity.iter().map(|(_, count)| count).sum(), by_activity }
    }
}
