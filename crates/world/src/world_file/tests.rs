//! Claims about world files: the sample is right, and each mistake is named.

use super::*;
use crate::calendar::{DateTime, Hemisphere};
use crate::clock::PhaseSpeeds;

fn error(from: &str, to: &str) -> String {
    let text = SAMPLE.replacen(from, to, 1);
    assert_ne!(text, SAMPLE, "{from}");
    World::parse(SAMPLE_NAME, &text).unwrap_err().to_string()
}

#[test]
fn sample_world_is_a_dozen_cities() {
    let world = World::sample();
    assert_eq!((world.id.as_str(), world.regions.len()), ("europe", 12));
    assert_eq!(world.scale.to_string(), "25");
    assert_eq!(world.region_index("brussels"), Some(0));
    assert_eq!(world.region_index("atlantis"), None);
    assert_eq!(world.hemisphere(), Hemisphere::North);
}

#[test]
fn a_mistake_names_file_line_key_and_what_was_expected() {
    let line = |needle: &str| 1 + SAMPLE.lines().position(|l| l == needle).unwrap();
    assert_eq!(
        error("latitude = 48.86", "latitude = 123"),
        format!(
            "worlds/europe.toml:{}: regions[3].latitude: expected a number of degrees from -90 \
             to 90, found 123",
            line("latitude = 48.86")
        )
    );
    assert!(
        error("id = \"london\"", "id = \"paris\"")
            .contains("regions[3].id: expected an id of its own")
    );
    assert!(
        error("id = \"london\"\n", "").contains("regions[2].id: expected this key, found none")
    );
    assert!(error("elevation_m = 25", "elevation_m = \"high\"").contains("found \"high\""));
    assert!(
        error("elevation_m = 25", "height = 25")
            .contains("regions[2].height: unknown key; known keys: id, name, latitude")
    );
    assert!(error("seed = 20240301", "seed = -1").contains("seed: expected a whole number"));
    let sead = format!(":{}: sead: unknown key; did you mean `seed`?", line("seed = 20240301"));
    assert!(error("seed = 20240301", "sead = 20240301").contains(&sead));
    assert!(error("[[regions]]", "[[region]]").contains(" region: unknown key; did you mean `reg"));
    let known = error("seed = 20240301", "seed = 20240301\ncolour = 2");
    assert!(
        known.ends_with(
            "known keys: id, name, seed, calendar, holidays, epoch, sun, \
         real_seconds_per_game_hour, climate, regions, clock, clocks, people, names, places, roles"
        ),
        "{known}"
    );
    assert!(
        error("hour = 25", "hour = 0")
            .contains("real_seconds_per_game_hour: expected real seconds")
    );
    assert!(error("hour = 25", "hour = true").contains("expected a number such as 25, found true"));
    assert!(
        error("T06:00:00", "T06:30:00").contains("epoch: expected a local date and whole hour")
    );
    assert!(
        error("climate = \"brussels\"", "climate = \"mars\"")
            .contains("ending in .toml, found \"mars\"")
    );
    assert!(
        error("id = \"europe\"", "id = \"Europe!\"")
            .contains(":3: id: expected 1 to 64 lower case")
    );
}

#[test]
fn a_world_names_its_calendar_or_describes_it() {
    // Its holidays are in the months of its own calendar.
    let sample = SAMPLE.split("# The days on which").next().unwrap();
    let parse = |from: &str, to: &str| {
        let text = sample.replacen(from, to, 1);
        assert_ne!(text, sample, "{from}");
        World::parse("w.toml", &text)
    };
    let named = "epoch = \"0901-02-30T06:00\"\ncalendar = \"twin-moons\"";
    let world = parse("epoch = 2024-03-01T06:00:00", named).unwrap();
    assert_eq!(world.epoch.to_string(), "0901-02-30T06:00:00");
    assert_eq!(world.calendar().rules().name(), "Twin Moons");
    assert_eq!(World::sample().calendar().rules().name(), "Gregorian");
    let table = "[calendar]\nname = \"Own\"\nhours_per_day = 30\nmonths = [{ name = \"All\", \
                 days = 40 }]\n[[regions]]";
    let text = sample.replacen("2024-03-01T06:00:00", "\"-7-01-40T29:00:00\"", 1);
    let text = text.replacen("[[regions]]", table, 1);
    let world = World::parse("w.toml", &text).unwrap();
    assert_eq!((world.epoch.year, world.epoch.day, world.epoch.hour), (-7, 40, 29));
    let error = World::parse("w.toml", &text.replace("days = 40", "days = 400")).unwrap_err();
    assert_eq!(error.key, "calendar.months[0].days");
    assert_eq!(text.lines().nth(error.line - 1).unwrap().find("months"), Some(0));
    let error = |to: &str| parse("epoch = 2024-03-01T06:00:00", to).unwrap_err().to_string();
    assert!(
        error("epoch = 2024-03-01T06:00:00\ncalendar = \"mayan\"")
            .contains("calendar: expected one of the calendars gregorian, twin-moons, short-year")
    );
    let late = "epoch = 2024-03-31T06:00:00\ncalendar = \"twin-moons\"";
    assert!(error(late).contains("epoch: day: expected a day from 1 to 30"));
    assert!(error("epoch = \"2024-03-01T06:30\"").contains("epoch: expected a local date and"));
}

#[test]
fn a_world_states_how_its_sun_moves() {
    let parse = |keys: &str| {
        let text = SAMPLE.replacen("[[regions]]", &format!("[sun]\n{keys}\n[[regions]]"), 1);
        World::parse("w.toml", &text)
    };
    assert_eq!(World::sample().sun, SunRules::default());
    assert_eq!(parse("").unwrap().sun, SunRules::default());
    let sun = parse("obliquity_deg = 5\nphases = \"astronomical\"\nby_longitude = false");
    let sun = sun.unwrap().sun;
    assert_eq!((sun.obliquity_deg, sun.phases, sun.by_longitude), {
        (5.0, PhasePolicy::Astronomical, false)
    });
    let error = |keys: &str| parse(keys).unwrap_err().to_string();
    assert!(error("obliquity_deg = nan").contains("sun.obliquity_deg: expected a number of"));
    assert!(error("obliquity_deg = 91").contains("from 0 to 90, found 91"));
    assert!(error("phases = \"moody\"").contains("sun.phases: expected \"fixed\" or"));
    assert!(error("by_longitude = 1").contains("sun.by_longitude: expected true or false"));
    assert!(error("tilt = 3").contains("sun.tilt: unknown key; known keys: obliquity_deg"));
}

#[test]
fn text_that_is_no_toml_is_refused_with_its_line() {
    let error = World::parse("w.toml", "id = \"a\"\nname = = 3\n").unwrap_err();
    assert_eq!((error.line, error.key.as_str()), (2, ""));
}

#[test]
fn a_world_without_regions_is_refused() {
    let text = SAMPLE.split("[[regions]]").next().unwrap();
    let error = World::parse("w.toml", text).unwrap_err().to_string();
    assert!(
        error.contains("regions: expected 1 to 10000 tables [[regions]], found none"),
        "{error}"
    );
}

#[test]
fn a_region_may_have_a_climate_of_its_own() {
    let text = SAMPLE.replace("id = \"paris\"", "climate = \"here/mine.toml\"\nid = \"paris\"");
    let read = |name: &str| match name {
        "here/mine.toml" => Ok(include_str!("../../presets/brussels.toml").to_owned()),
        _ => Err("no such file".to_owned()),
    };
    let world = World::parse_with(SAMPLE_NAME, &text, &read).unwrap();
    let climate = |region: usize| world.regions[region].climate.as_str();
    let paris = world.region_index("paris").unwrap();
    assert_eq!((climate(0), climate(paris)), ("brussels", "here/mine.toml"));

    let refused = |text: &str, read: &dyn Fn(&str) -> Result<String, String>| {
        World::parse_with(SAMPLE_NAME, text, read).unwrap_err().to_string()
    };
    let error = refused(&text.replace("mine", "yours"), &read);
    assert!(error.contains("climate: expected a preset's file, found here/yours.toml: no such"));
    let error = refused(&text, &|_| Ok("name = \"a\"\nsource = \"b\"".to_owned()));
    assert!(error.starts_with("here/mine.toml:1: validated: expected this key"), "{error}");
    let error = World::parse(SAMPLE_NAME, &text).unwrap_err().to_string();
    assert!(error.contains("climate: expected a preset's file"), "{error}");
}

#[test]
fn clocks_and_phase_speeds_are_read_or_refused_with_their_key() {
    let text = |more: &str| include_str!("../../../../worlds/europe.toml").to_owned() + more;
    let good = "\n[clock]\nphase_speeds = { night = 2, dawn = 0.5 }\n\
                [clocks.dungeon]\nreal_seconds_per_game_hour = 60\n[clocks.arena]\n";
    let world = World::parse("w.toml", &text(good)).unwrap();
    let names: Vec<_> = world.clocks.iter().map(|clock| clock.name.as_str()).collect();
    assert_eq!(names, ["arena", "dungeon"]);
    assert_eq!(world.clocks[0].scale, world.scale);
    assert_ne!(world.phase_speeds, PhaseSpeeds::default());
    let dungeon = world.of_clock(&world.clocks[1]);
    assert_eq!((dungeon.id.as_str(), dungeon.scale.seconds()), ("europe:dungeon", 60.0));
    assert_eq!(dungeon.phase_speeds, PhaseSpeeds::default());
    let cases = [
        ("[clock]\nspeeds = 1", "clock: expected the key phase_speeds, found speeds"),
        ("[clock]\nphase_speeds = 2", "clock: expected a table such as"),
        ("[clock]\nphase_speeds = { noon = 2 }", "dawn, day, dusk, night, found noon"),
        ("[clock]\nphase_speeds = { night = nan }", "phase_speeds.night: expected a speed"),
        ("[clocks]", "clocks: expected 1 to 16 tables"),
        ("[clocks.Dungeon]", "lower case letters"),
        ("[clocks.a]\nreal_seconds_per_game_hour = 0", "a.real_seconds_per_game_hour: expected"),
        ("[clocks.a]\nscale = 1", "a.scale: expected one of the keys"),
    ];
    for (more, expected) in cases {
        let error = World::parse("w.toml", &text(&format!("\n{more}\n"))).unwrap_err();
        assert!(error.to_string().contains(expected), "{more}: {error}");
        assert!(error.line > 10, "{error}");
    }
}

/// The keys that a table may have, as the refusal of another one lists them.
fn keys_of(text: &str) -> Vec<String> {
    let error = World::parse("w.toml", text).unwrap_err().message;
    let list = ["known keys: ", "one of the keys ", "the key "].iter().find_map(|before| {
        let (_, list) = error.split_once(before)?;
        list.split(", found").next()
    });
    let list = list.unwrap_or_else(|| panic!("no keys in `{error}`"));
    list.split(", ").map(str::to_owned).collect()
}

#[test]
fn every_key_is_on_the_page_about_world_files() {
    let page = include_str!("../../../../docs/reference/world-file.md");
    let mut keys = keys_of("nonsense_of_a_key = 1");
    for table in ["[sun]", "[clock]", "[clocks.dungeon]", "[[regions]]"] {
        keys.extend(keys_of(&format!("{SAMPLE}\n{table}\nnonsense_of_a_key = 1\n")));
    }
    let calendar = "id = \"w\"\nseed = 1\n[calendar]\nname = \"c\"\n";
    keys.extend(keys_of(&format!("{calendar}nonsense_of_a_key = 1")));
    keys.extend(keys_of(&format!("{calendar}months = [{{ nonsense_of_a_key = 1 }}]")));
    for part in ["leap", "intercalary", "eras", "seasons", "moons", "holidays"] {
        let months = "months = [{ name = \"m\", days = 30 }]";
        let text = format!("{calendar}{months}\n{part} = [{{ nonsense_of_a_key = 1 }}]");
        keys.extend(keys_of(&text));
    }
    assert!(keys.len() > 40, "{keys:?}");
    let code = page.split('`').skip(1).step_by(2);
    let words = code.flat_map(|code| code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    let words: Vec<&str> = words.collect();
    for key in keys {
        assert!(words.contains(&key.as_str()), "`{key}` is not on the page");
    }
}

#[test]
fn world_file_adds_holidays_to_its_calendar() {
    let sample = World::sample();
    let calendar = sample.calendar();
    let midsummer = DateTime { year: 2024, month: 6, day: 24, hour: 0, minute: 0, second: 0 };
    let day = calendar.day(calendar.game_time(&midsummer).unwrap());
    let ids: Vec<&str> = calendar.holidays(&day).map(|holiday| holiday.id.as_str()).collect();
    assert_eq!(ids, ["midsummer"]);
    let text = SAMPLE.replacen("id = \"europe\"", "id = \"europe\"\ncalendar = \"short-year\"", 1);
    let error = World::parse("w.toml", &text).unwrap_err();
    assert_eq!(error.key, "holidays[0].month");
    let twice = "[calendar]\nname = \"c\"\nmonths = [{ name = \"January\", days = 30 }]\n\
                 holidays = [{ id = \"h\", month = \"January\", day = 1 }]\n[[holidays]]\n\
                 id = \"h\"\nmonth = \"January\"\nday = 2\n";
    let text = format!("id = \"w\"\nseed = 1\nepoch = 2024-01-01T00:00:00\n{twice}");
    let error = World::parse("w.toml", &text).unwrap_err();
    assert!(error.message.contains("found \"h\" in the calendar, too"), "{error}");
}
