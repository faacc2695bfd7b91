//! What is forced changes nothing before it, and nothing that is out of its reach.

use std::sync::Arc;

use crate::kit::{DAY, HOUR, at, nothing, people, skies, sky, world};
use worldbus_population::{
    Activity, Cause, DIRECTIVE_COUNT_MAX, Directive, DirectiveError, Directives, Planner,
    Population, Skies, Span, Target,
};
use worldbus_world::{GameTime, Kind, Override, Overrides, Weather, WeatherState, World};

const T: i64 = DAY + 5 * HOUR + 13;

fn spans(people: &Arc<Population>, skies: &Arc<Skies>, directives: &Directives) -> Vec<Vec<Span>> {
    let planner = Planner::new(Arc::clone(people), Arc::clone(skies), directives.clone());
    (0..people.len()).map(|person| planner.spans(person, 0, 3 * DAY)).collect()
}

/// What each does at each minute before an instant, of spans that may end behind it.
fn before(spans: &[Span], minute: i64) -> Vec<Span> {
    let begun = spans.iter().filter(|span| span.from < minute);
    begun.map(|span| Span { until: span.until.min(minute), ..*span }).collect()
}

fn storm(world: &World, region: &str) -> Overrides {
    let kind = Kind::SetState { state: WeatherState::Storm, intensity_permille: 800 };
    let [start, end] = [T, T + 4 * HOUR].map(GameTime::from_minutes);
    let mut record = Override::new(vec![region.to_owned()], kind, start, Some(end));
    record.rev = 1;
    let mut overrides = Overrides::default();
    overrides.insert(record).unwrap();
    assert!(world.region_index(region).is_some());
    overrides
}

#[test]
fn forced_storm_changes_nothing_before_it_and_nothing_elsewhere() {
    let world = world(5);
    let (people, nothing) = (people(&world), nothing());
    let plan = spans(&people, &skies(&world), &nothing);
    let forced = Arc::new(Skies::new(Weather::new(&world), storm(&world, "paris")));
    let outcome = spans(&people, &forced, &nothing);
    let paris = people.people_of(world.region_index("paris").unwrap()).collect::<Vec<_>>();
    let mut differ = 0;
    for person in 0..people.len() {
        let [was, is] = [&plan[person], &outcome[person]];
        assert_eq!(before(was, T), before(is, T), "{}", people.id(person));
        assert!(paris.contains(&person) || was == is, "{}", people.id(person));
        differ += usize::from(was != is);
    }
    assert!(differ > 20, "{differ} of {} in Paris", paris.len());
}

fn to_the_temple(people: &Population, target: Target, minutes: i64) -> Directive {
    Directive {
        rev: 1,
        target,
        activity: Activity::Worship,
        place: people.place_rank("paris-temple"),
        start: T,
        end: T + minutes,
    }
}

#[test]
fn directive_moves_those_in_reach_after_its_beginning_and_lets_them_go() {
    let world = world(6);
    let (people, skies) = (people(&world), skies(&world));
    let paris = world.region_index("paris").unwrap();
    let target = Target { region: Some(paris), ..Target::default() };
    let mut directives = Directives::default();
    let count = directives.push(&people, to_the_temple(&people, target, 5 * HOUR)).unwrap();
    assert_eq!(count, people.people_of(paris).count());
    let plan = spans(&people, &skies, &nothing());
    let outcome = spans(&people, &skies, &directives);
    let planner = Planner::new(Arc::clone(&people), Arc::clone(&skies), directives.clone());
    for person in 0..people.len() {
        let [was, is] = [&plan[person], &outcome[person]];
        assert_eq!(before(was, T), before(is, T));
        if usize::from(people.person(person).region) != paris {
            assert_eq!(was, is);
            continue;
        }
        let there = planner.activity(person, T + 3 * HOUR);
        assert_eq!((there.activity, there.cause), (Activity::Worship, Cause::Directive));
        assert_eq!((people.place_id(there.place), there.because), ("paris-temple".to_owned(), 1));
        // A day later everything is as it would have been, since each day begins at home.
        let next = T + 2 * DAY - HOUR;
        assert_eq!(before(was, next).last(), before(is, next).last());
    }
}

#[test]
fn directive_over_nights_keeps_people_away_from_home_and_leaves_no_gap() {
    let world = world(7);
    let (people, skies) = (people(&world), sky(&world, WeatherState::Clear, &[]));
    let person = people.people_of(3).next().unwrap();
    let target = Target { persons: vec![person], ..Target::default() };
    let mut directives = Directives::default();
    directives.push(&people, to_the_temple(&people, target, 4 * DAY)).unwrap();
    let planner = Planner::new(Arc::clone(&people), Arc::clone(&skies), directives.clone());
    let spans = planner.spans(person, 0, 7 * DAY);
    for pair in spans.windows(2) {
        assert_eq!(pair[0].until, pair[1].from);
        assert!(pair[0].place == pair[1].place || pair[1].activity == Activity::Travel);
    }
    let worship = spans
        .iter()
        .find(|span| span.cause == Cause::Directive && span.activity == Activity::Worship);
    let worship = worship.unwrap();
    assert!(worship.from < T + 2 * HOUR && worship.until == T + 4 * DAY, "{worship:?}");
    // Asked in the middle, days after the beginning, it is the same span.
    assert_eq!(planner.activity(person, T + 3 * DAY), *worship);
}

#[test]
fn directive_that_cannot_be_followed_is_refused() {
    let world = world(8);
    let people = people(&world);
    let mut directives = Directives::default();
    let mut refused = |directive: Directive| directives.push(&people, directive).unwrap_err();
    let paris = Target { region: world.region_index("paris"), ..Target::default() };
    let plain = to_the_temple(&people, paris.clone(), HOUR);
    assert_eq!(
        refused(Directive { target: Target::default(), ..plain.clone() }),
        DirectiveError::Target
    );
    assert_eq!(refused(Directive { end: T, ..plain.clone() }), DirectiveError::Length);
    assert_eq!(
        refused(Directive { activity: Activity::Travel, ..plain.clone() }),
        DirectiveError::Travel
    );
    let berlin = Target { region: world.region_index("berlin"), ..Target::default() };
    assert_eq!(refused(Directive { target: berlin, ..plain }), DirectiveError::OutOfReach);
}

#[test]
fn directive_to_a_small_place_takes_as_many_as_there_is_room_for() {
    let world = world(9);
    let (people, skies) = (people(&world), sky(&world, WeatherState::Clear, &[]));
    let paris = world.region_index("paris").unwrap();
    let hall = people.place_rank("paris-town-hall").unwrap();
    let target = Target { region: Some(paris), ..Target::default() };
    let mut directives = Directives::default();
    let gather = Directive {
        place: Some(hall),
        activity: Activity::Gather,
        ..to_the_temple(&people, target, 3 * HOUR)
    };
    let capacity = people.places()[hall].capacity;
    assert_eq!(directives.push(&people, gather.clone()), Ok(capacity as usize));
    let planner = Planner::new(Arc::clone(&people), Arc::clone(&skies), directives.clone());
    let crowd = planner.crowd(hall, at(0, 6) + T + 2 * HOUR);
    assert_eq!(crowd.count, capacity);
    // What is full is full for others, too.
    let baker = (0..people.len()).find(|person| {
        usize::from(people.person(*person).region) == paris && !crowd_has(&planner, *person, hall)
    });
    let other = Target { persons: vec![baker.unwrap()], ..Target::default() };
    let late = Directive { rev: 2, target: other, ..gather };
    assert_eq!(directives.push(&people, late), Err(DirectiveError::NoRoom));
}

fn crowd_has(planner: &Planner, person: usize, place: usize) -> bool {
    planner.activity(person, T + 2 * HOUR).place == place
}

#[test]
fn who_does_the_same_for_ever_has_a_plan_as_anyone_has() {
    let text = "
        id = \"m\"
        seed = 1
        epoch = 2024-03-01T06:00:00
        real_seconds_per_game_hour = 25
        climate = \"brussels\"
        [[regions]]
        id = \"r\"
        latitude = 50
        longitude = 4
        elevation_m = 10
        [people]
        per_region = 3
        [[places]]
        id = \"house\"
        kind = \"home\"
        people_per = 4
        capacity = 6
        roof_permille = 900
        [[roles]]
        id = \"sleeper\"
        share = 1
        [[roles.routines]]
        slots = [\"03:00 sleep\", \"21:00 sleep\"]";
    let world = World::parse("m.toml", text).unwrap();
    let planner = Planner::new(people(&world), skies(&world), Directives::default());
    let spans = planner.spans(0, 0, 100 * DAY);
    assert!(spans.iter().all(|span| span.activity == Activity::Sleep), "{spans:?}");
    assert!(spans.windows(2).all(|pair| pair[0].until == pair[1].from), "{spans:?}");
    assert!(spans.last().unwrap().until >= 100 * DAY);
}

#[test]
fn directives_that_have_ended_leave_room_for_others() {
    let people = people(&world(5));
    let of = |rev: usize, start: i64| Directive {
        place: None,
        rev: rev as u64,
        start,
        end: T + 60,
        ..to_the_temple(&people, Target { persons: vec![0], ..Target::default() }, 60)
    };
    let mut directives = nothing();
    for rev in 1..=DIRECTIVE_COUNT_MAX {
        directives.push(&people, of(rev, T)).unwrap();
    }
    let more = DIRECTIVE_COUNT_MAX + 1;
    assert_eq!(directives.push(&people, of(more, T)), Err(DirectiveError::TooMany));
    assert!(directives.end(1, T + 10));
    assert_eq!(directives.push(&people, of(more, T)), Err(DirectiveError::TooMany));
    assert_eq!(directives.push(&people, of(more, T + 10)), Ok(1));
}
