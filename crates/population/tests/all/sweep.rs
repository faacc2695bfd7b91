//! A sweep over all people is the same as asking each, in any order, also about later than it
//! stands at.

use std::sync::Arc;

use crate::kit::{at, nothing, people, skies, world};
use worldbus_population::{Activity, Change, Planner, Population, Sweep};

/// What changes in a stretch, by asking each person, in the sweep's order.
fn asked(planner: &Planner, people: &Population, from: i64, until: i64) -> Vec<Change> {
    let mut all: Vec<(i64, usize)> = Vec::new();
    // From the last person to the first: the order does not matter.
    for person in (0..people.len()).rev() {
        let spans = planner.spans(person, from, until);
        all.extend(spans.iter().filter(|s| s.from > from).map(|span| (span.from, person)));
    }
    all.sort_unstable();
    let change = |(minute, person): (i64, usize)| {
        let span = planner.activity(person, minute);
        assert_eq!(span.from, minute);
        Change {
            minute,
            person,
            activity: span.activity,
            from_place: span.from_place,
            place: span.place,
            until: span.until,
            cause: span.cause,
            because: span.because,
        }
    };
    all.into_iter().map(change).collect()
}

#[test]
fn plan_asked_beforehand_is_what_happens_for_three_days() {
    let world = world(11);
    let people = people(&world);
    let skies = skies(&world);
    let planner = Planner::new(Arc::clone(&people), skies, nothing());
    let (from, until) = (at(2, 9), at(5, 9));
    let plan = asked(&planner, &people, from, until);

    let mut sweep = Sweep::new(&planner, from);
    let mut outcome = Vec::new();
    for minute in (from..until).step_by(37).chain([until - 1]) {
        sweep.advance(&planner, minute, |change| outcome.push(change));
    }
    assert_eq!(outcome.len(), plan.len());
    for (is, was) in outcome.iter().zip(&plan) {
        assert_eq!(is, was);
    }
    assert!(outcome.iter().any(|change| change.activity == Activity::Shelter));
}

#[test]
fn sweep_counts_the_crowds_that_asking_everyone_gives() {
    let world = world(12);
    let people = people(&world);
    let skies = skies(&world);
    let planner = Planner::new(Arc::clone(&people), skies, nothing());
    let mut sweep = Sweep::new(&planner, at(0, 8));
    for hour in [9, 13, 20, 30] {
        sweep.advance(&planner, at(0, hour), |_| ());
        for place in people.places_of(4) {
            assert_eq!(sweep.crowd(place), planner.crowd(place, at(0, hour)));
        }
    }
}

#[test]
fn sweep_answers_for_later_than_it_stands_as_asking_each_does() {
    let world = world(13);
    let people = people(&world);
    let planner = Planner::new(Arc::clone(&people), skies(&world), nothing());
    let mut sweep = Sweep::new(&planner, at(0, 8));
    sweep.advance(&planner, at(0, 9), |_| ());
    for minute in [at(0, 9), at(0, 9) + 1, at(0, 12), at(1, 7)] {
        for person in 0..people.len() {
            let span = planner.activity(person, minute);
            assert_eq!(sweep.span(&planner, person, minute), span);
            assert_eq!(sweep.doing(&planner, person, minute), (span.activity, span.place));
        }
    }
    assert_eq!(sweep.minute(), at(0, 9), "asking moves no one");
}
