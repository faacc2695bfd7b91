//! Those who are added to a world and removed from it: there from their minute on and to their
//! minute, in places with room, and without a difference to anyone else.

use std::sync::Arc;

use crate::kit::{HOUR, at, nothing, people, skies, world};
use worldbus_population::{
    Activity, Directive, Directives, Newcomer, NewcomerError, Planner, Population, Sweep, Target,
};

fn smith(people: &Population, region: usize) -> Newcomer {
    Newcomer {
        id: "wandering-smith".to_owned(),
        name: "Wieland".to_owned(),
        region,
        role: people.role_rank("artisan").unwrap(),
        home: None,
        work: None,
        haunts: Vec::new(),
        character: [None, None, Some(900), None],
    }
}

fn with_smith(people: &Population, minute: i64) -> (Population, usize) {
    let seat = (0, minute);
    let settled = people.settle(seat, smith(people, 3), &nothing()).unwrap();
    let mut with = people.clone();
    assert!(with.add(seat, &settled));
    let rank = with.rank("wandering-smith").unwrap();
    (with, rank)
}

#[test]
fn newcomer_lives_from_its_minute_to_its_end_and_no_one_else_does_anything_else() {
    let world = world(21);
    let (people, skies) = (people(&world), skies(&world));
    let (mut with, smith) = with_smith(&people, at(1, 9));
    with.remove(smith, at(2, 9));
    assert_eq!((smith, with.len()), (people.len(), people.len() + 1));
    for (minute, here) in [(at(1, 9) - 1, false), (at(1, 9), true), (at(2, 9), false)] {
        assert_eq!(with.is_here(smith, minute), here, "{minute}");
    }
    assert!(with.is_expected(smith, at(0, 9)) && !with.is_expected(smith, at(2, 9)));

    let plain = Planner::new(Arc::clone(&people), Arc::clone(&skies), nothing());
    let planner = Planner::new(with, skies, nothing());
    let (from, until) = (at(0, 9), at(3, 9));
    let mut before = Vec::new();
    Sweep::new(&plain, from).advance(&plain, until, |change| before.push(change));
    let (mut after, mut own) = (Vec::new(), Vec::new());
    Sweep::new(&planner, from).advance(&planner, until, |change| match change.person {
        person if person == smith => own.push(change),
        _ => after.push(change),
    });
    assert_eq!(after, before, "ranks, names and days of the others stay what they are");

    // It comes doing what it does then, goes on as planned, and leaves.
    assert_eq!(own[0].minute, at(1, 9));
    let spans = planner.spans(smith, at(1, 9), at(2, 9));
    let did = |change: &worldbus_population::Change| (change.activity, change.place, change.until);
    let plan: Vec<_> = spans.iter().map(|span| (span.activity, span.place, span.until)).collect();
    assert_eq!(own.iter().map(did).collect::<Vec<_>>(), plan);
    assert!(own.iter().any(|change| change.activity == Activity::Work), "{own:?}");
}

#[test]
fn sweep_takes_in_who_comes_and_goes_while_it_goes_on() {
    let world = world(22);
    let (people, skies) = (people(&world), skies(&world));
    let (mut with, smith) = with_smith(&people, at(0, 12));
    let mayor = people.rank("mayor-of-brussels").unwrap();
    with.remove(mayor, at(0, 14));
    assert!(with.continues(&people) && !people.continues(&with));

    let mut planner = Planner::new(Arc::clone(&people), Arc::clone(&skies), nothing());
    let mut sweep = Sweep::new(&planner, at(0, 11));
    planner.change(Arc::new(with), skies, Arc::new(nothing()));
    sweep.plan_again(&planner);
    let mut seen = Vec::new();
    sweep.advance(&planner, at(0, 20), |change| seen.push((change.person, change.minute)));
    assert!(seen.contains(&(smith, at(0, 12))), "it comes at its minute");
    assert!(seen.iter().all(|(person, minute)| *person != smith || *minute >= at(0, 12)));
    assert!(seen.iter().all(|(person, minute)| *person != mayor || *minute < at(0, 14)));
    let people = planner.people();
    for place in 0..people.places().len() {
        assert_eq!(sweep.crowd(place), planner.crowd(place, at(0, 20)), "place {place}");
    }
    let here = (0..people.len()).filter(|person| people.is_here(*person, at(0, 20))).count();
    assert_eq!(here, people.len() - 1);
}

#[test]
fn seat_that_was_given_back_has_no_one() {
    let world = world(23);
    let people = people(&world);
    let settled = people.settle((2, 0), smith(&people, 3), &nothing()).unwrap();
    let mut with = Population::clone(&people);
    assert!(with.add((2, 0), &settled));
    let everyone = people.len()..people.len() + 3;
    let here: Vec<bool> = everyone.map(|person| with.is_here(person, HOUR)).collect();
    assert_eq!(here, [false, false, true]);
    let planner = Planner::new(with, skies(&world), nothing());
    let mut sweep = Sweep::new(&planner, 0);
    sweep.advance(&planner, 24 * HOUR, |change| {
        assert!(change.person < people.len() || change.person == people.len() + 2)
    });
}

#[test]
fn newcomer_takes_no_room_from_anyone_and_what_does_not_fit_is_refused() {
    let world = world(24);
    let people = people(&world);
    let at_noon = (0, at(0, 12));
    let settle =
        |newcomer: Newcomer, directives: &Directives| people.settle(at_noon, newcomer, directives);
    let hall = people.place_rank("paris-town-hall").unwrap();
    let known = Newcomer { id: "paris-7".to_owned(), ..smith(&people, 3) };
    assert_eq!(settle(known, &nothing()), Err(NewcomerError::Id));
    let homeless = Newcomer { home: Some(hall), ..smith(&people, 3) };
    assert_eq!(settle(homeless, &nothing()), Err(NewcomerError::Home));
    let elsewhere = Newcomer { work: Some(hall), ..smith(&people, 3) };
    assert_eq!(settle(elsewhere, &nothing()), Err(NewcomerError::Work));

    // As many as there is room for, and no place holds more than it may.
    let mut with = Population::clone(&people);
    let mut refused = None;
    for seat in 0.. {
        let newcomer = Newcomer { id: format!("smith-{seat}"), ..smith(&people, 3) };
        match with.settle((seat, at(0, 12)), newcomer, &nothing()) {
            Ok(settled) => assert!(with.add((seat, at(0, 12)), &settled)),
            Err(error) => {
                refused = Some((seat, error));
                break;
            }
        }
    }
    let (count, error) = refused.unwrap();
    assert!(count > 3, "{count}");
    assert_eq!(error, NewcomerError::NoRoom("workplace"));
    let planner = Planner::new(with.clone(), skies(&world), nothing());
    let mut sweep = Sweep::new(&planner, at(0, 12));
    for minute in (at(0, 12)..at(2, 12)).step_by(15) {
        sweep.advance(&planner, minute, |_| ());
        for (rank, place) in with.places().iter().enumerate() {
            assert!(sweep.count_at(rank) <= place.capacity, "{}", with.place_id(rank));
        }
    }

    // Who leaves makes room, which is then not there for who would come back.
    let first = with.rank("smith-0").unwrap();
    with.remove(first, at(1, 12));
    assert_eq!(with.check_room(first, at(1, 13), &nothing()), Ok(()));
    let next = Newcomer { id: "heir".to_owned(), ..smith(&people, 3) };
    let settled = with.settle((count, at(1, 13)), next, &nothing()).unwrap();
    assert!(with.add((count, at(1, 13)), &settled));
    assert!(with.check_room(first, at(1, 14), &nothing()).is_err());
}

#[test]
fn newcomer_does_not_take_the_room_of_who_is_directed_to_a_place() {
    let world = world(25);
    let people = people(&world);
    let shop = people.place_rank("paris-workshop-1").unwrap();
    let mut directives = nothing();
    let directive = Directive {
        rev: 1,
        target: Target { region: Some(3), ..Target::default() },
        activity: Activity::Gather,
        place: Some(shop),
        start: at(0, 10),
        end: at(0, 15),
    };
    directives.push(&people, directive).unwrap();
    let there = Newcomer { work: Some(shop), ..smith(&people, 3) };
    let settle = |minute| people.settle((0, minute), there.clone(), &directives);
    assert_eq!(settle(at(0, 12)), Err(NewcomerError::NoRoom("workplace")));
    let (full, after) = (NewcomerError::NoRoom("workplace"), settle(at(0, 15)));
    let regulars = people.people_of(3).filter(|rank| people.workplace(*rank) == Some(shop));
    match regulars.count() < people.places()[shop].capacity as usize {
        true => assert_eq!(after.unwrap().work, Some(shop)),
        false => assert_eq!(after, Err(full)),
    }
}
