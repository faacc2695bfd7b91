//! Claims about comparing world files.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::sync::LazyLock;

use super::*;

const WHOLE: &str = include_str!("../../../../../worlds/europe.toml");
/// Without holidays, which are in the months of its own calendar.
static EUROPE: LazyLock<&str> = LazyLock::new(|| WHOLE.split("# The days on").next().unwrap());

fn changed(from: &str, to: &str) -> Vec<(String, Meaning)> {
    assert!(EUROPE.contains(from), "{from}");
    let world = |text: &str| World::parse("europe.toml", text).unwrap().facts();
    let found = Difference::between(&world(&EUROPE), &world(&EUROPE.replacen(from, to, 1)));
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
    let (gone, come) = (["name of region paris", "region paris"], "region lutetia");
    let otherwise = |name| (name, Otherwise);
    is(renamed, &[otherwise(gone[0]), otherwise(come), otherwise(gone[1]), ("regions", Identity)]);
    is(changed("name = \"Paris\"", "name = \"Lutetia\""), &[("name of region paris", Otherwise)]);
    let clock = "[clocks.dungeon]\nreal_seconds_per_game_hour = 7\n";
    let file =
        |clock: &str| World::parse("e.toml", &format!("{}\n{clock}", *EUROPE)).unwrap().facts();
    let between = |was: &str, is: &str| Difference::between(&file(was), &file(is));
    assert_eq!(between("", clock), [], "a new clock begins with its speed");
    let [gone] = &between(clock, "")[..] else { panic!("one difference") };
    assert_eq!(gone.meaning(), Otherwise);
    let [faster] = &between(clock, &clock.replace('7', "8"))[..] else { panic!("one difference") };
    assert_eq!(faster.meaning(), Ignored);
}

#[test]
fn calendars_that_count_days_alike_are_alike_and_others_are_not() {
    let facts = |name: &str| calendar(&CalendarRules::built_in(name).unwrap());
    let all: Vec<String> = crate::CALENDAR_NAMES.into_iter().map(facts).collect();
    assert!(all[0] != all[1] && all[1] != all[2] && all[0] == facts("gregorian"), "{all:?}");
}

#[test]
fn differences_are_shown_in_words() {
    let text = |name: &str, was: &str, is: &str| {
        Difference { name: name.into(), was: was.into(), is: is.into() }.to_string()
    };
    assert_eq!(text("seed", "7", "8"), "seed: was 7, is 8");
    assert_eq!(text("climate desert", "", "fbe7"), "climate desert: is new");
    assert_eq!(text("climate desert", "fbe7", ""), "climate desert: is gone");
    assert_eq!(text("climate desert", "fbe7", "0a11"), "climate desert: is another than it was");
    assert_eq!(text("calendar", "Moons (fb)", "Sun (0a)"), "calendar: was Moons, is Sun");
    assert_eq!(text("calendar", "Moons (fb)", "Moons (0a)"), "calendar: is another than it was");
    let long = text("regions", &"paris,".repeat(100), "paris");
    assert!(long.len() < 120 && long.ends_with("..., is paris"), "{long}");
    let file =
        |more: &str| World::parse("e.toml", &format!("{}\n{more}", *EUROPE)).unwrap().facts();
    let clock = "[clocks.dungeon]\nreal_seconds_per_game_hour = 7\nphase_speeds = { night = 2.5 }";
    for [was, is] in [[clock, ""], [clock, "[clocks.dungeon]\nreal_seconds_per_game_hour = 8"]] {
        for difference in Difference::between(&file(was), &file(is)) {
            let text = difference.to_string();
            assert!(text.starts_with("speed of clock dungeon: ") && !text.contains(['{', '[']));
            assert!(text.contains("7 real seconds a game hour, night 2.5 times as fast"), "{text}");
        }
    }
}
