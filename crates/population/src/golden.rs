//! What the people of the sample world do, as hashes of every change: the same in any build, on
//! every machine. `WORLDBUS_BLESS=1` writes the file again.

use std::fmt::Write as _;

use crate::{Directives, Planner, Population, Skies};
use worldbus_world::ids::mix;
use worldbus_world::{MODEL_VERSION, Overrides, Weather, World};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/golden/vectors.txt");
const COMMITTED: &str = include_str!("golden/vectors.txt");

const DAY_MINUTES: i64 = 1_440;
/// Coprime to a week, and in other seasons.
const DAYS_APART: i64 = 61;
const DAY_COUNT: i64 = 8;

/// A line for each region and day: the hash of what its people do, and how many changes that is.
fn vectors() -> String {
    let world = World::sample();
    let skies = Skies::new(Weather::new(&world), Overrides::default());
    let planner = Planner::new(Population::read(&world).unwrap(), skies, Directives::default());
    let people = planner.people();
    let mut text = format!("model version {MODEL_VERSION}\n");
    for (region, of) in world.regions.iter().enumerate() {
        for day in (0..DAY_COUNT).map(|number| (number - 2) * DAYS_APART) {
            let (mut hash, mut changes) = (0_u64, 0);
            for person in people.people_of(region) {
                let from = day * DAY_MINUTES;
                for span in planner.spans(person, from, from + DAY_MINUTES) {
                    changes += 1;
                    let fields = [
                        span.from,
                        span.until,
                        span.activity as i64,
                        span.from_place as i64,
                        span.place as i64,
                        span.cause as i64,
                        span.because,
                    ];
                    hash = fields.iter().fold(hash, |hash, field| mix(hash ^ *field as u64));
                }
            }
            let _ = writeln!(text, "{} {day} {hash:016x} {changes}", of.id);
        }
    }
    text
}

#[test]
fn people_do_the_same_in_any_build() {
    let is = vectors();
    if std::env::var_os("WORLDBUS_BLESS").is_some() {
        std::fs::write(FILE, &is).unwrap();
        return;
    }
    for (is, was) in is.lines().zip(COMMITTED.lines()) {
        assert_eq!(is, was, "what people do has changed: raise MODEL_VERSION");
    }
    assert_eq!(is.lines().count(), COMMITTED.lines().count());
}
