//! That the people of the sample world behave as people do, as bands over ten seeds.

use std::collections::HashMap;
use std::sync::Arc;

use crate::kit::{HOUR, at, does, nothing, of_roles, people, percent, skies, sky, world};
use worldbus_population::{Activity, Planner};
use worldbus_world::WeatherState;

const SEEDS: std::ops::Range<u64> = 1..11;
/// Who works by day.
const DAY_WORKERS: &[&str] =
    &["farmer", "artisan", "labourer", "merchant", "priest", "healer", "teacher", "clerk", "guard"];
/// A day on which all of them work: Tuesday, 5 March.
const TUESDAY: i64 = 4;
const SATURDAY: i64 = 1;

#[test]
fn at_night_day_workers_sleep_and_at_ten_they_are_at_work() {
    for seed in SEEDS {
        let world = world(seed);
        let (people, fair) = (people(&world), sky(&world, WeatherState::Cloudy, &[]));
        let own = skies(&world);
        let workers = of_roles(&people, DAY_WORKERS);
        for skies in [&fair, &own] {
            let planner = Planner::new(Arc::clone(&people), Arc::clone(skies), nothing());
            let asleep = percent(&workers, |person| {
                does(&planner, person, at(TUESDAY, 3)) == Activity::Sleep
            });
            assert!(asleep >= 90, "seed {seed}: {asleep} % sleep at 3");
        }
        let planner = Planner::new(Arc::clone(&people), Arc::clone(&fair), nothing());
        let at_work = percent(&workers, |person| {
            let span = planner.activity(person, at(TUESDAY, 10));
            matches!(span.activity, Activity::Work | Activity::Patrol)
                && people.workplace(person) == Some(span.place)
        });
        assert!(at_work >= 80, "seed {seed}: {at_work} % work at 10");
    }
}

#[test]
fn in_a_storm_people_are_under_a_roof_within_an_hour_and_come_out_again() {
    for seed in SEEDS {
        let world = world(seed);
        let people = people(&world);
        let all: Vec<usize> = (0..people.len()).collect();
        let (from, until) = (at(TUESDAY, 10) + 7, at(TUESDAY, 14));
        let skies = sky(&world, WeatherState::Cloudy, &[(from, until, WeatherState::Storm)]);
        let planner = Planner::new(Arc::clone(&people), skies, nothing());
        let under_roof = |person: usize, minute: i64| {
            let span = planner.activity(person, minute);
            span.activity != Activity::Travel && people.places()[span.place].roof_permille >= 500
        };
        let before = percent(&all, |person| under_roof(person, from - 1));
        let during = percent(&all, |person| under_roof(person, from + HOUR));
        let after = percent(&all, |person| under_roof(person, until + HOUR));
        assert!(before < 80, "seed {seed}: {before} % before");
        assert!(during >= 90, "seed {seed}: {during} % under a roof");
        assert!(after < 85, "seed {seed}: {after} % after");
    }
}

#[test]
fn market_days_draw_three_times_the_crowd_of_others() {
    for seed in SEEDS {
        let world = world(seed);
        let people = people(&world);
        let skies = sky(&world, WeatherState::Cloudy, &[]);
        let planner = Planner::new(Arc::clone(&people), skies, nothing());
        let shoppers = |day: i64| -> u32 {
            let market = people.place_rank("vienna-market").unwrap();
            let hours = 7..19;
            let shop = |hour| {
                let crowd = planner.crowd(market, at(day, hour) + 30);
                let counts = crowd.by_activity.iter();
                let shop = counts.filter(|(activity, _)| *activity == Activity::Shop);
                shop.map(|(_, count)| *count).sum::<u32>()
            };
            hours.map(shop).sum()
        };
        let (market_day, other) = (shoppers(SATURDAY), shoppers(TUESDAY));
        assert!(market_day >= 3 * other.max(1), "seed {seed}: {market_day} and {other}");
    }
}

#[test]
fn night_watchmen_keep_the_night() {
    for seed in SEEDS {
        let world = world(seed);
        let people = people(&world);
        let skies = sky(&world, WeatherState::Cloudy, &[]);
        let planner = Planner::new(Arc::clone(&people), skies, nothing());
        let watch = of_roles(&people, &["night-watch"]);
        for hour in [21, 24, 27] {
            let on_guard = percent(&watch, |person| {
                does(&planner, person, at(TUESDAY, hour)) == Activity::Patrol
            });
            assert!(on_guard >= 90, "seed {seed}: {on_guard} % at {hour}");
        }
        let asleep =
            percent(&watch, |person| does(&planner, person, at(TUESDAY, 12)) == Activity::Sleep);
        assert!(asleep >= 90, "seed {seed}: {asleep} % at noon");
    }
}

#[test]
fn no_person_is_in_two_places_or_arrives_before_it_leaves_and_no_place_is_too_full() {
    let world = world(3);
    let people = people(&world);
    let skies = skies(&world);
    let planner = Planner::new(Arc::clone(&people), skies, nothing());
    let (from, until) = (at(0, 8), at(3, 8));
    let mut there: HashMap<(usize, i64), u32> = HashMap::new();
    for person in 0..people.len() {
        let spans = planner.spans(person, from, until);
        for pair in spans.windows(2) {
            let [before, after] = pair else { continue };
            assert_eq!(before.until, after.from, "{}: a gap", people.id(person));
            let is_way = before.activity == Activity::Travel;
            // One leaves from where one is, and is somewhere else only after a way.
            let arrives = is_way && after.activity != Activity::Travel;
            let left = if arrives { before.from_place } else { before.place };
            assert_eq!(after.from_place, left, "{person}: {before:?} {after:?}");
            assert!(is_way || after.activity == Activity::Travel || after.place == before.place);
            if is_way {
                let way_m = {
                    let [a, b] = [before.from_place, before.place].map(|at| &people.places()[at]);
                    f64::from(a.east_m - b.east_m).hypot(f64::from(a.north_m - b.north_m))
                };
                let minutes = (before.until - before.from) as f64;
                assert!(minutes >= way_m / 90.0, "{way_m} m in {minutes} minutes");
                assert!(!arrives || after.place == before.place);
            }
        }
        for span in spans.iter().filter(|span| span.activity != Activity::Travel) {
            for quarter in (span.from.max(from) + 14) / 15..(span.until.min(until) + 14) / 15 {
                *there.entry((span.place, quarter)).or_default() += 1;
            }
        }
    }
    for ((place, quarter), count) in there {
        let (id, capacity) = (people.place_id(place), people.places()[place].capacity);
        assert!(count <= capacity, "{id} holds {count} at {}", quarter * 15);
    }
}
