//! Claims about the sun: it is where another implementation has it, and phases follow it.

use proptest::prelude::*;

use super::*;
use crate::calendar::{CalendarRules, DateTime, Phase};

const TABLE: &str = include_str!("../../tests/sun/table.csv");

fn calendar() -> Calendar {
    let epoch = DateTime { year: 2024, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
    Calendar::new(epoch).unwrap()
}

fn sun(rules: SunRules) -> Sun {
    Sun::new(calendar(), rules)
}

fn by_the_sun() -> Sun {
    sun(SunRules { phases: PhasePolicy::Astronomical, ..SunRules::default() })
}

fn day_of(date: &str) -> i64 {
    let part = |at: std::ops::Range<usize>| date[at].parse::<u8>().unwrap();
    let (month, day) = (part(5..7), part(8..10));
    let date = DateTime { year: 2024, month, day, hour: 0, minute: 0, second: 0 };
    calendar().day_number(calendar().game_time(&date).unwrap())
}

/// Minutes that an instant is after the beginning of a day.
fn minutes(number: i64, game: GameTime) -> f64 {
    (game.0 - calendar().day_begins(number).unwrap().0) as f64 / GameTime::MINUTE_US as f64
}

/// Minutes of error that are allowed below 55 degrees. Beyond, the sun crosses at an angle so flat
/// that a moment shows little; there our sun is at the altitude at the other's moment.
const MINUTES_MAX: f64 = 1.5;
const DEGREES_MAX: f64 = 0.15;

#[test]
fn sun_times_are_those_of_another_implementation() {
    let sun = sun(SunRules::default());
    let (mut compared, mut disagreed) = (0, 0);
    for row in TABLE.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let number = |index: usize| cells[index].parse::<f64>().unwrap();
        let (latitude, longitude, day) = (number(1), number(2), day_of(cells[3]));
        let found = sun.day(day, latitude, longitude).unwrap();
        assert!((minutes(day, found.noon) - number(4)).abs() < 1.0, "noon: {row}");
        let nine = calendar().day_begins(day).unwrap().plus_us(9 * GameTime::HOUR_US);
        let altitude = sun.altitude_deg(nine, latitude, longitude);
        assert!((altitude - number(5)).abs() < DEGREES_MAX, "altitude {altitude}: {row}");
        let lights = [(found.daylight, 6, RISE_DEG), (found.civil, 8, CIVIL_DEG), {
            (found.nautical, 10, NAUTICAL_DEG)
        }];
        for (light, cell, wanted) in lights {
            let Daylight::Between { from, until } = light else {
                disagreed += usize::from(!cells[cell].is_empty());
                continue;
            };
            if cells[cell].is_empty() {
                disagreed += 1;
                continue;
            }
            for (at, cell) in [(from, cell), (until, cell + 1)] {
                let error = (minutes(day, at) - number(cell)).abs();
                let steep = latitude.abs() < 55.0;
                assert!(!steep || error < MINUTES_MAX, "{error} min in cell {cell}: {row}");
                let other = calendar().day_begins(day).unwrap();
                let other = other.plus_us((number(cell) * 60e6) as i64);
                let off = sun.altitude_deg(other, latitude, longitude) - wanted;
                assert!(off.abs() < DEGREES_MAX, "{off} degrees in cell {cell}: {row}");
                compared += 1;
            }
        }
    }
    assert!(compared > 900, "{compared}");
    // One: the other skips a dawn that comes within minutes of midnight in UTC.
    assert!(disagreed <= 1, "{disagreed} crossings are only one's");
}

#[test]
fn polar_day_and_night_have_no_sunrise() {
    let sun = by_the_sun();
    let light = |date, latitude| sun.day(day_of(date), latitude, 18.95).unwrap();
    let midsummer = light("2024-06-21", 69.65);
    assert_eq!(midsummer.daylight, Daylight::Always);
    assert_eq!(midsummer.daylight.length_us(GameTime::DAY_US), GameTime::DAY_US);
    let midwinter = light("2024-12-21", 69.65);
    assert_eq!(midwinter.daylight, Daylight::Never);
    assert!(midwinter.noon_altitude_deg < 0.0);
    assert!(matches!(midwinter.civil, Daylight::Between { .. }));
    assert_eq!(light("2024-12-21", 90.0).nautical, Daylight::Never);
    assert_eq!(light("2024-06-21", 90.0).daylight, Daylight::Always);
    assert_eq!(light("2024-06-21", -90.0).daylight, Daylight::Never);
    // From midnight sun to the first sunset there is no other phase.
    let noon = calendar().day_begins(day_of("2024-06-21")).unwrap();
    let (next, phase) = sun.next_phase(noon, 69.65, 18.95).unwrap();
    assert_eq!(phase, Phase::Dusk);
    assert_eq!(calendar().at(next).month, 7);
}

#[test]
fn a_world_without_tilt_has_no_seasons() {
    let sun = sun(SunRules { obliquity_deg: 0.0, ..SunRules::default() });
    let lengths: Vec<i64> = (0..366)
        .map(|day| sun.day(day_of("2024-01-01") + day, 52.0, 0.0).unwrap().daylight)
        .map(|light| light.length_us(GameTime::DAY_US) / GameTime::MINUTE_US)
        .collect();
    let (shortest, longest) = (lengths.iter().min().unwrap(), lengths.iter().max().unwrap());
    assert!(longest - shortest <= 1 && (725..735).contains(longest), "{shortest} to {longest}");
    let pole = Sun::new(
        calendar(),
        SunRules { obliquity_deg: 0.0, phases: PhasePolicy::Astronomical, ..SunRules::default() },
    );
    assert_eq!(pole.next_phase(GameTime(0), 90.0, 0.0), None);
}

#[test]
fn more_tilt_makes_longer_summer_days() {
    let length = |obliquity_deg| {
        let sun = sun(SunRules { obliquity_deg, ..SunRules::default() });
        let light = sun.day(day_of("2024-06-21"), 40.0, 0.0).unwrap().daylight;
        light.length_us(GameTime::DAY_US)
    };
    assert!(length(10.0) < length(EARTH_OBLIQUITY_DEG));
    assert!(length(EARTH_OBLIQUITY_DEG) < length(40.0));
    assert_eq!(length(60.0), GameTime::DAY_US);
}

#[test]
fn longitude_moves_noon_unless_the_world_sets_it_otherwise() {
    let noon = |by_longitude, longitude| {
        let sun = sun(SunRules { by_longitude, ..SunRules::default() });
        let day = day_of("2024-04-15");
        minutes(day, sun.day(day, 45.0, longitude).unwrap().noon)
    };
    assert!((noon(true, 0.0) - 720.0).abs() < 1.0);
    assert!((noon(true, 15.0) - 660.0).abs() < 1.0);
    assert_eq!(noon(false, 15.0), noon(false, -100.0));
}

#[test]
fn a_year_of_another_calendar_has_its_seasons_too() {
    let rules = CalendarRules::built_in("short-year").unwrap();
    let epoch = DateTime { year: 1, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
    let calendar = Calendar::with_rules(rules, epoch).unwrap();
    let sun = Sun::new(calendar.clone(), SunRules::default());
    let first = calendar.day_number(GameTime(0));
    let length = |day: i64| {
        let light = sun.day(first + day, 50.0, 0.0).unwrap().daylight;
        light.length_us(calendar.day_us()) as f64 / calendar.day_us() as f64
    };
    // Midsummer is after 172 of 365 days, as on Earth: day 43 of 92.
    let longest = (0..92).max_by(|a, b| length(*a).total_cmp(&length(*b))).unwrap();
    assert!((42..=44).contains(&longest), "{longest}");
    assert!((0.66..0.70).contains(&length(longest)), "{}", length(longest));
}

#[test]
fn light_follows_the_altitude_from_twilight_to_full_day() {
    let sun = by_the_sun();
    let begins = calendar().day_begins(day_of("2024-03-20")).unwrap();
    let mut last = None;
    for minute in 0..720 {
        let game = begins.plus_us(minute * GameTime::MINUTE_US);
        let reached =
            (sun.altitude_centidegrees(game, 50.0, 0.0), sun.light_permille(game, 50.0, 0.0));
        match reached {
            (..=-600, light) => assert_eq!(light, 0),
            (600.., light) => assert_eq!(light, 1000),
            (altitude, light) => {
                let share = f64::from(altitude + 600) / 1.2;
                assert!((f64::from(light) - share).abs() <= 1.0, "{altitude}, {light}");
            }
        }
        // After solar midnight it only rises.
        if let Some((altitude, light)) = last.filter(|_| minute > 20) {
            assert!(altitude <= reached.0 && light <= reached.1, "{minute}");
        }
        last = Some(reached);
    }
    assert_eq!(last.map(|(_, light)| light), Some(1000));
}

proptest! {
    #[test]
    fn a_phase_lasts_until_the_next_begins(
        day in -200_000..200_000_i64,
        minute in 0..1440_i64,
        latitude in -90.0..90.0_f64,
        longitude in -180.0..180.0_f64,
        fixed: bool,
    ) {
        let phases = if fixed { PhasePolicy::Fixed } else { PhasePolicy::Astronomical };
        let sun = sun(SunRules { phases, ..SunRules::default() });
        let now = GameTime::from_minutes(day * 1440 + minute).plus_us(7);
        let phase = |game| sun.phase(game, latitude, longitude);
        let (next, new) = sun.next_phase(now, latitude, longitude).unwrap();
        prop_assert!(next > now && phase(next) == new && new != phase(now));
        let minutes = (next.minutes() - now.minutes()).min(3 * 1440);
        for ahead in 0..minutes {
            prop_assert_eq!(phase(now.plus_us(ahead * GameTime::MINUTE_US)), phase(now));
        }
        prop_assert_eq!(phase(next.plus_us(-1)), phase(now));
    }
}
