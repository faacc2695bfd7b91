//! Claims about comparing world files.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use super::*;

const EUROPE: &str = include_str!("../../../../worlds/europe.toml");

fn changed(from: &str, to: &str) -> Vec<(String, Meaning)> {
    assert!(EUROPE.contains(from), "{from}");
    let world = |text: &str| World::parse("europe.toml", text).unwrap().facts();
    let found = Difference::between(&world(EUROPE), &world(&EUROPE.replacen(from, to, 1)));
    found.into_iter().map(|difference| (difference.name.clone(), difference.meaning())).collect()
}

#[test]
fn each_difference_of_a_world_file_is_found_with_what_it_means() {
    use Meaning::{Identity, Ignored, Otherwise};
    let is = |found: Vec<(String, Meaning)>, wanted: &[(&str, Meaning)]| {
        let found: Vec<_> = found.iter().map(|(name, meaning)| (name.as_str(), *meaning)).collect();
        assert_eq!(found, wanted);
    };
    is(changed("seed = ", "seed = 1"), &[("seed", Identity)]);
    is(changed("epoch = 2024", "epoch = 2023"), &[("epoch", Identity)]);
    is(changed("seed = ", "calendar = \"twin-moons\"\nseed = "), &[("calendar", Identity)]);
    let scale = "real_seconds_per_game_hour = ";
    is(changed(scale, &format!("{scale}1")), &[("real_seconds_per_game_hour", Ignored)]);
    let renamed = changed("id = \"paris\"", "id = \"lutetia\"");
    let two = ("region lutetia", "region paris");
    is(renamed, &[(two.0, Otherwise), (two.1, Otherwise), ("regions", Identity)]);
    is(changed("name = \"Paris\"", "name = \"Lutetia\""), &[]);
}

#[test]
fn calendars_that_count_days_alike_are_alike_and_others_are_not() {
    let facts = |name: &str| calendar(&CalendarRules::built_in(name).unwrap());
    let all: Vec<String> = crate::CALENDAR_NAMES.into_iter().map(facts).collect();
    assert!(all[0] != all[1] && all[1] != all[2] && all[0] == facts("gregorian"), "{all:?}");
}
