//! A person from one decision to the next. Not here: what it decides (`decide`).

use super::day::Day;
use super::decide::{self, Choice, Wish};
use super::inputs::Inputs;
use super::stand::{Stand, way_minutes};
use crate::activity::{Activity, Cause};
use crate::chance::Draw;

/// People notice the weather within so many minutes.
const REACTION_MINUTES_MAX: u64 = 8;
/// Days that are planned to find where a person is at the beginning of one: a directive lasts 30
/// days at the most, and there may be one after another.
const DAYS_BACK_MAX: i64 = 64;
/// Days that a person may do the same: longer than a directive lasts.
const DAYS_SAME_MAX: i64 = 40;

/// A person's way through time. 56 bytes: a sweep has one for each person.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    /// When it decided last: a decision may be to go on.
    decided: i64,
    stand: Stand,
}
const _: () = assert!(size_of::<Walk>() <= 56);

impl Walk {
    /// Where a person is at a minute, with what it does known from its beginning: from the day
    /// before on.
    pub(super) fn at(inputs: &Inputs, person: usize, minute: i64) -> Self {
        let (mut walk, _) = Self::days_before(inputs, person, minute);
        walk.reach(inputs, minute);
        walk
    }

    /// When a person decided last up to a minute, and as what it stood there.
    pub(super) fn decision(inputs: &Inputs, person: usize, minute: i64) -> (i64, Stand) {
        let (mut walk, mut before) = Self::days_before(inputs, person, minute);
        while walk.next(inputs) <= minute {
            before = walk.step(inputs);
        }
        (walk.decided, before)
    }

    fn days_before(inputs: &Inputs, person: usize, minute: i64) -> (Self, Stand) {
        let day = inputs.day_of(person, minute) - 1;
        Self::at_home(inputs, person, free_day(inputs, person, day))
    }

    /// After the first decision of a day, with how it stood before.
    fn at_home(inputs: &Inputs, person: usize, day: i64) -> (Self, Stand) {
        let begins = Day::of_number(inputs, person, day).begins();
        let home = inputs.people.home(person) as u32;
        let stand = Stand {
            since: begins,
            until: begins,
            because: 0,
            ate: begins,
            person: person as u32,
            from: home,
            place: home,
            activity: Activity::Sleep,
            goal: Activity::Sleep,
            cause: Cause::Routine,
        };
        let mut walk = Self { decided: begins, stand };
        let before = walk.decide(inputs, begins);
        (walk, before)
    }

    /// What it does.
    pub(super) fn stand(&self) -> &Stand {
        &self.stand
    }

    /// Up to where it stands at a minute.
    pub(super) fn reach(&mut self, inputs: &Inputs, minute: i64) {
        while self.next(inputs) <= minute {
            self.step(inputs);
        }
    }

    /// Up to the next minute at which it does something else. The same after [`DAYS_SAME_MAX`] days
    /// counts as something else: who sleeps for ever is asked about as anyone is.
    pub(super) fn go_on(&mut self, inputs: &Inputs) {
        let since = self.stand.since;
        let end = self.decided + DAYS_SAME_MAX * inputs.days.minutes;
        while self.stand.since == since {
            self.step(inputs);
            if self.decided >= end && self.stand.since == since {
                self.stand.since = self.decided;
            }
        }
    }

    /// One decision. Returns as what it stood there.
    pub(super) fn step(&mut self, inputs: &Inputs) -> Stand {
        let next = self.next(inputs);
        self.decide(inputs, next)
    }

    /// When it decides next, as far as is known.
    pub(super) fn next(&self, inputs: &Inputs) -> i64 {
        let Stand { until, person, activity, .. } = self.stand;
        if activity == Activity::Travel {
            return until;
        }
        let edge = inputs.directives.next_edge(&inputs.people, person as usize, self.decided);
        let sky = if self.minds_weather(inputs) { self.next_sky(inputs, until) } else { None };
        [edge, sky].into_iter().flatten().fold(until, i64::min)
    }

    /// Whether a change of the weather matters: outdoors, and while one waits for it.
    fn minds_weather(&self, inputs: &Inputs) -> bool {
        let place = &inputs.people.places()[self.stand.place as usize];
        !place.is_roofed() || self.stand.cause == Cause::Weather
    }

    /// When it notices the next change of the weather, if that is before a minute.
    fn next_sky(&self, inputs: &Inputs, before: i64) -> Option<i64> {
        let person = self.stand.person;
        let region = inputs.people.person(person as usize).region;
        let change = inputs.next_sky(region, self.decided)?;
        if change >= before {
            return None;
        }
        let (draw, who) = (Draw::Reaction, u64::from(person));
        let later =
            inputs.people.made.chance.below(draw, who, change as u64, REACTION_MINUTES_MAX + 1);
        Some(change + later as i64)
    }

    /// Decides at a minute. Returns as what it stood there.
    fn decide(&mut self, inputs: &Inputs, minute: i64) -> Stand {
        let arrived = self.arrived(minute);
        let Choice { wish, .. } = decide::decide(inputs, &arrived, minute);
        self.decided = minute;
        self.stand = follow(inputs, arrived, wish, minute);
        arrived
    }

    /// As it stands at a minute: there, if it was on its way.
    fn arrived(&self, minute: i64) -> Stand {
        let stand = self.stand;
        match stand.activity {
            Activity::Travel => Stand { activity: stand.goal, since: minute, ..stand },
            _ => stand,
        }
    }
}

/// The latest day up to another at whose beginning no directive keeps a person from home.
fn free_day(inputs: &Inputs, person: usize, day: i64) -> i64 {
    let is_free = |day: &i64| {
        let day = Day::of_number(inputs, person, *day);
        let night = (day.kept_from(), day.begins());
        !inputs.directives.touches(&inputs.people, person, night)
    };
    let mut days = (0..DAYS_BACK_MAX).map(|back| day - back);
    days.find(is_free).unwrap_or(day - DAYS_BACK_MAX)
}

/// What a person does from a minute on that wishes something.
fn follow(inputs: &Inputs, stand: Stand, wish: Wish, minute: i64) -> Stand {
    let Wish { activity, place, cause, because, until } = wish;
    let ate = if activity == Activity::Eat { minute } else { stand.ate };
    if place != stand.place {
        let region = inputs.people.person(stand.person as usize).region;
        let state = inputs.state(region, minute);
        let way = way_minutes(&inputs.people, stand.place as usize, place as usize, state);
        return Stand {
            since: minute,
            until: minute + way,
            because,
            from: stand.place,
            place,
            activity: Activity::Travel,
            goal: activity,
            cause,
            ..stand
        };
    }
    let goes_on = stand.activity == activity && stand.cause == cause && stand.since < minute;
    let (since, from, because) = match goes_on {
        true => (stand.since, stand.from, stand.because),
        false => (minute, stand.place, because),
    };
    let from = if stand.since == minute { stand.from } else { from };
    let ate = if goes_on { stand.ate } else { ate };
    Stand { since, until, because, ate, from, place, activity, goal: activity, cause, ..stand }
}
