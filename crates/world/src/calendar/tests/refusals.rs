//! Claims about calendars that make no sense: each is refused with line, key and what was
//! expected.

use crate::calendar::{CalendarRules, NAMES};

const SOUND: &str = "name = \"Test\"
weekdays = [\"One\", \"Two\"]
epoch_weekday = \"One\"
months = [{ name = \"A\", days = 10 }, { name = \"B\", days = 11 }]
leap = [{ every = 4, except_every = 100, add_day_to = \"B\" }]
intercalary = [{ name = \"Feast\", after = \"A\" }]
seasons = [{ id = \"wet\", month = \"A\" }, { id = \"dry\", month = \"B\" }]
eras = [{ name = \"Old\", ends = 0 }, { name = \"New\", begins = 1 }]
moons = [{ name = \"Moon\", period_days = 8.5 }]
holidays = [{ id = \"rest\", month = \"B\", weekday = \"Two\", nth = -1 }]
";

fn error(from: &str, to: &str) -> String {
    let text = SOUND.replacen(from, to, 1);
    assert_ne!(text, SOUND, "{from}");
    CalendarRules::parse("c.toml", &text).unwrap_err().to_string()
}

#[test]
fn sound_calendars_are_taken() {
    CalendarRules::parse("c.toml", SOUND).unwrap();
    for name in NAMES {
        assert!(CalendarRules::built_in(name).is_some(), "{name}");
    }
    assert_eq!(CalendarRules::built_in("mayan"), None);
    let least = "name = \"Least\"\nmonths = [{ name = \"All\", days = 12 }]\n";
    let least = CalendarRules::parse("c.toml", least).unwrap();
    let seasons: Vec<_> = least.seasons().iter().map(|s| (s.id.as_str(), s.day)).collect();
    assert_eq!(seasons, [("spring", 2), ("summer", 5), ("autumn", 8), ("winter", 11)]);
}

#[test]
fn months_and_hours_must_make_a_year() {
    let months = "months = [{ name = \"A\", days = 10 }, { name = \"B\", days = 11 }]";
    assert!(
        error(months, "months = []").starts_with(
            "c.toml:4: months: expected 1 to 64 tables [[months]], found an array of 0"
        )
    );
    assert!(
        error("days = 10", "days = 0").starts_with("c.toml:4: months[0].days: expected a whole")
    );
    assert!(error("days = 10", "days = nan").contains("months[0].days: expected a whole number"));
    assert!(
        error("name = \"B\"", "name = \"A\"")
            .starts_with("c.toml:4: months[1].name: expected each name once, found \"A\" again")
    );
    assert!(
        error("weekdays", "hours_per_day = 0\nweekdays")
            .starts_with("c.toml:2: hours_per_day: expected a whole number from 1 to 96, found 0")
    );
    assert!(
        error("weekdays", "hours_per_day = 2\nminutes_per_hour = 20\nweekdays")
            .starts_with("c.toml:2: hours_per_day: expected a day of at least 60 minutes")
    );
    assert!(
        error("name = \"Test\"", "nam = \"Test\"")
            .contains("nam: unknown key; did you mean `name`")
    );
    assert!(
        error("moons", "suns").contains(": suns: unknown key; known keys: name, hours_per_day")
    );
}

#[test]
fn leap_rules_must_end_and_make_sense() {
    assert!(
        error("except_every = 100", "except_every = 6")
            .starts_with("c.toml:5: leap[0].except_every: expected a multiple of every = 4")
    );
    assert!(
        error("except_every = 100", "except_every = 4").contains("multiple of every = 4 above")
    );
    assert!(
        error("every = 4", "every = 0").starts_with(
            "c.toml:5: leap[0].every: expected a whole number from 1 to 10000, found 0"
        )
    );
    let endless = "leap = [{ every = 9973, add_day_to = \"A\" }, { every = 4";
    assert!(
        error("leap = [{ every = 4", endless)
            .starts_with("c.toml:5: leap: expected leap rules that repeat together within 10000")
    );
    assert!(
        error("add_day_to = \"B\"", "add_day_to = \"C\"")
            .contains("leap[0].add_day_to: expected a month, one of A, B, found \"C\"")
    );
    assert!(
        error("after = \"A\"", "after = \"Nowhere\"")
            .contains("intercalary[0].after: expected a month, one of A, B, found \"Nowhere\"")
    );
    assert!(
        error("after = \"A\"", "every = 2").contains("intercalary[0].after: expected this key")
    );
}

#[test]
fn weeks_eras_and_seasons_must_be_distinct() {
    assert!(error("\"One\", \"Two\"]", "\"One\", \"One\"]").contains("found \"One\" again"));
    assert!(error("[\"One\", \"Two\"]", "[1]").contains(":2: weekdays: expected 1 to 64 names"));
    assert!(error("epoch_weekday = \"One\"", "").contains("epoch_weekday: expected this key"));
    assert!(
        error("epoch_weekday = \"One\"", "epoch_weekday = \"Three\"")
            .contains("epoch_weekday: expected the weekday that year 1 begins on, one of One, Two")
    );
    assert!(error("begins = 1", "begins = 5").contains("eras: expected Old to end in the year"));
    assert!(error("begins = 1", "ends = 5").contains("found a second"));
    assert!(error("name = \"New\"", "name = \"Old\"").contains("eras[1].name: expected each name"));
    assert!(error("id = \"dry\"", "id = \"wet\"").contains("seasons[1].id: expected each id once"));
    assert!(
        error("{ id = \"wet\", month = \"A\" }", "{ id = \"wet\", month = \"B\", day = 11 }")
            .contains("seasons[1].month: expected seasons in the order")
    );
    let three = "opposite_in_south = true\nseasons = [{ id = \"hot\", month = \"A\" }]\n#";
    assert!(error("seasons", three).contains("opposite_in_south: expected false with 1 seasons"));
}

#[test]
fn moons_and_holidays_must_come_about() {
    assert!(
        error("period_days = 8.5", "period_days = nan")
            .starts_with("c.toml:9: moons[0].period_days: expected a number of days from 1")
    );
    assert!(error("period_days = 8.5", "period_days = 0.5").contains("found 0.5"));
    assert!(
        error("period_days = 8.5", "period_days = 8, phase_offset = inf")
            .contains("moons[0].phase_offset: expected a number of cycles from 0 to 1")
    );
    let rule = "month = \"B\", weekday = \"Two\", nth = -1";
    let holiday = |to: &str| error(rule, to);
    assert!(
        holiday("month = \"B\", day = 13").starts_with(
            "c.toml:10: holidays[0].day: expected a whole number from 1 to 12, found 13"
        )
    );
    assert!(holiday("month = \"A\", day = 11").contains("from 1 to 10, found 11"));
    assert!(holiday("month = \"B\", weekday = \"Two\", nth = 7").contains("from -1 to 6, found 7"));
    assert!(holiday("month = \"B\", weekday = \"Two\", nth = 0").contains("or -1 for the last"));
    assert!(
        holiday("month = \"B\", weekday = \"Six\", nth = 1").contains("expected a weekday, one")
    );
    assert!(holiday("moon = \"Sun\", phase = \"full\"").contains("expected a moon, one of Moon"));
    assert!(holiday("moon = \"Moon\", phase = \"half\"").contains("expected a phase, one of new"));
    assert!(holiday("intercalary = \"Fast\"").contains("an intercalary day, one of Feast"));
    assert!(holiday("day = 3").contains("holidays[0].month: expected this key"));
    assert!(error("id = \"rest\"", "id = \"Rest!\"").contains("holidays[0].id: expected 1 to 64"));
}
