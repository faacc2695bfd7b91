//! What people do now, for requests: read from where the ticker computed everyone to, and not
//! planned for each. Not here: documents (`rest`).

use std::sync::Arc;

use super::{Agenda, Basis};
use crate::town::minute_at;
use worldbus_population::{Activity, Planner, Population, Span, Sweep, Why};
use worldbus_world::WallTime;

/// What people do at a minute.
pub(crate) struct Present<'a> {
    /// For questions about one person.
    planner: &'a Planner,
    /// None where the ticker has not computed by this clock yet: then each is planned.
    sweep: Option<&'a Sweep>,
    /// Whole game minutes since the world's epoch.
    pub(crate) minute: i64,
}

/// How many people do what.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) total: u32,
    /// At a place with a roof, not on the way.
    pub(crate) under_roof: u32,
    /// In the order of the activities' numbers.
    pub(crate) by_activity: [u32; Activity::ALL.len()],
}

impl Agenda {
    /// What people do at a wall time by all that is known, also of commands that have not taken
    /// effect.
    pub(crate) fn present(&mut self, basis: Basis<'_>, now: WallTime) -> Present<'_> {
        self.know(basis);
        let epoch = basis.clock.segment_at(now).epoch;
        let by_this_clock = self.stand.as_ref().filter(|stand| stand.epoch == epoch);
        let sweep = by_this_clock.map(|stand| &stand.sweep);
        // The ticker may have begun a minute since the request came.
        let reached = sweep.map_or(i64::MIN, Sweep::minute);
        let minute = minute_at(basis.clock, now).max(reached);
        Present { planner: &self.planner, sweep, minute }
    }
}

impl<'a> Present<'a> {
    /// Who there is.
    pub(crate) fn people(&self) -> &'a Arc<Population> {
        self.planner.people()
    }

    /// Those who are there of a region, or of all, by rank and in order.
    pub(crate) fn everyone(&self, region: Option<usize>) -> impl Iterator<Item = usize> + 'a {
        let (people, minute) = (self.people(), self.minute);
        people.everyone(region).filter(move |rank| people.is_here(*rank, minute))
    }

    /// What a person does: now, or when it comes. It begins no earlier than the person came.
    pub(crate) fn span(&self, person: usize) -> Span {
        let (minute, since) = (self.minute_of(person), self.since(person));
        let span = match self.sweep {
            Some(sweep) => sweep.span(self.planner, person, minute),
            None => self.planner.activity(person, minute),
        };
        Span { from: span.from.max(since), ..span }
    }

    /// What a person is going to do for some hours, from now or from when it comes.
    pub(crate) fn plan(&self, person: usize, hours: i64) -> Vec<Span> {
        let from = self.minute_of(person);
        let mut spans = self.planner.spans(person, from, from + hours * 60);
        if let Some(first) = spans.first_mut() {
            first.from = from;
        }
        spans
    }

    /// Why a person does what it does, now or when it comes.
    pub(crate) fn why(&self, person: usize) -> Why {
        let why = self.planner.why(person, self.minute_of(person));
        Why { minute: why.minute.max(self.since(person)), ..why }
    }

    fn minute_of(&self, person: usize) -> i64 {
        self.minute.max(self.since(person))
    }

    fn since(&self, person: usize) -> i64 {
        self.people().here_since(person, self.minute).unwrap_or(i64::MIN)
    }

    /// The activity, and the place where the person is or goes: cheaper than [`Present::span`].
    pub(crate) fn doing(&self, person: usize) -> (Activity, usize) {
        match self.sweep {
            Some(sweep) => sweep.doing(self.planner, person, self.minute),
            None => {
                let span = self.planner.activity(person, self.minute);
                (span.activity, span.place)
            }
        }
    }

    /// How many of a region, or of all, do what.
    pub(crate) fn count(&self, region: Option<usize>) -> Counted {
        let mut counted = Counted::default();
        for rank in self.everyone(region) {
            let (activity, place) = self.doing(rank);
            let is_roofed = self.people().places()[place].is_roofed();
            counted.total += 1;
            counted.under_roof += u32::from(is_roofed && activity != Activity::Travel);
            counted.by_activity[activity as usize - 1] += 1;
        }
        counted
    }
}
