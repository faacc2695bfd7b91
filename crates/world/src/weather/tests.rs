//! Claims about the weather that hold for every hour: random access, agreement of state and
//! numbers, forecast and outcome, the same bits everywhere.

mod guess;
mod many;
mod overrides;

use proptest::prelude::*;

use super::conditions::Numbers;
use super::*;
use crate::preset::{Season, Shift};

fn weather() -> (World, Weather) {
    let world = World::sample();
    let weather = Weather::new(&world);
    (world, weather)
}

/// A state set in Brussels.
fn forced(rev: u64, state: WeatherState, start: GameTime, end: Option<GameTime>) -> Override {
    record(rev, Kind::SetState { state, intensity_permille: 500 }, start, end)
}

/// An override of Brussels.
fn record(rev: u64, kind: Kind, start: GameTime, end: Option<GameTime>) -> Override {
    Override {
        id: rev.to_string(),
        rev,
        regions: vec!["brussels".to_owned()],
        kind,
        start,
        end,
        fade_in_us: 0,
        fade_out_us: 0,
        priority: 0,
        author: "test".to_owned(),
        lifted: Vec::new(),
    }
}

/// State and numbers agree, by the rules that name states.
#[track_caller]
fn assert_agrees(c: &Conditions, preset: &Preset) {
    let n = Numbers::of(c);
    let thunder = c.state == WeatherState::Storm;
    let blizzard = c.state == WeatherState::Blizzard;
    assert_eq!(classify::classify(&n, thunder, blizzard, preset), c.state, "{c:?}");
    if blizzard {
        assert!(classify::is_blizzard_hour(&n), "{c:?}");
    }
    if c.snow_umph > 0 {
        assert!(thermo::wet_bulb_c(n.temperature_dc, n.dew_point_dc) <= 2.0, "{c:?}");
    } else if c.precipitation_umph > 0 {
        assert!(c.temperature_dc > -50, "{c:?}");
    }
    assert!(c.dew_point_dc <= c.temperature_dc && c.gust_dmps >= c.wind_dmps, "{c:?}");
    assert!(c.humidity_permille <= 1000 && c.cloud_permille <= 1000, "{c:?}");
    assert!(c.wind_direction_deg < 360 && c.intensity_permille <= 1000, "{c:?}");
}

#[test]
fn philox_gives_its_published_answers() {
    use super::plan::noise::philox;
    let zero = philox([[0; 1]; 4], [0; 2]);
    assert_eq!(zero, [[0x5f6f_b709], [0x0d89_3f64], [0x4f12_1f81], [0x4f73_0a48]]);
    let ones = philox([[u32::MAX; 1]; 4], [u32::MAX; 2]);
    assert_eq!(ones, [[0x5207_ddc2], [0x4516_5e59], [0x4d8e_e751], [0x8c52_f662]]);
    let counter = [[0x243f_6a88; 2], [0x85a3_08d3; 2], [0x1319_8a2e; 2], [0x0370_7344; 2]];
    let pi = philox(counter, [0xa409_3822, 0x299f_31d0]);
    let answer = [0x4dfc_caba, 0x190a_87f0, 0xc473_62ba, 0xb6b5_242a_u32];
    assert_eq!(pi, answer.map(|word| [word; 2]));
}

#[test]
fn no_hour_has_a_state_against_its_own_numbers() {
    let (_, weather) = weather();
    let none = Overrides::default();
    for region in 0..weather.region_count() {
        for step in 0..2500 {
            // 3.7 h apart: hours and instants between them.
            let time = GameTime(step * 37 * GameTime::HOUR_US / 10);
            assert_agrees(&weather.conditions(region, time, &none), &weather.climates[0].preset);
        }
    }
}

#[test]
fn a_whole_hour_is_in_the_band_of_its_state_as_it_is() {
    let weather = Weather::new(&golden::world());
    for at in 0..50_000 {
        let region = at as usize % weather.region_count();
        let hour = weather.hour(region, at);
        let state = weather.state_of(&hour, region, at);
        let mut moved = hour.numbers;
        constrain::constrain(&mut moved, state, &weather.climate(region).preset);
        assert_eq!(moved, hour.numbers, "{state:?}");
    }
}

#[test]
fn forecast_comes_true_for_every_region_with_and_without_overrides() {
    let (_, weather) = weather();
    let mut overrides = Overrides::default();
    for round in 0..2 {
        for region in 0..weather.region_count() {
            let now = GameTime::from_hours(1000).plus_us(123_456_789);
            let forecast = weather.forecast(region, now, FORECAST_HOURS_MAX, &overrides);
            assert_eq!(forecast.len(), 168);
            for entry in forecast {
                assert_eq!(entry.conditions, weather.conditions(region, entry.time, &overrides));
                let later = entry.time.plus_us(GameTime::MINUTE_US);
                if round == 0 {
                    assert_eq!(entry.conditions.state, weather.state(region, later, &overrides));
                }
            }
        }
        let start = GameTime::from_hours(1010).plus_us(7);
        let end = Some(GameTime::from_hours(1030));
        overrides.insert(forced(1, WeatherState::Blizzard, start, end)).unwrap();
    }
    let during = GameTime::from_hours(1011);
    assert_eq!(weather.state(0, during, &overrides), WeatherState::Blizzard);
    assert_ne!(weather.state(0, GameTime::from_hours(1030), &overrides), WeatherState::Blizzard);
}

#[test]
fn shuffled_evaluation_equals_ordered_evaluation() {
    let (_, weather) = weather();
    let none = Overrides::default();
    let at = |i: i64| weather.conditions((i % 12) as usize, GameTime::from_hours(i), &none);
    let ordered: Vec<_> = (0..3000).map(at).collect();
    for i in 0..3000 {
        let shuffled = i * 1009 % 3000;
        assert_eq!(at(shuffled), ordered[shuffled as usize]);
    }
}

#[test]
fn every_state_can_be_forced_in_every_season() {
    let (_, weather) = weather();
    for state in WeatherState::ALL {
        for intensity in [0, 1, 500, 999, 1000] {
            let kind = Kind::SetState { state, intensity_permille: intensity };
            let record = record(1, kind, GameTime(0), None);
            let mut overrides = Overrides::default();
            overrides.insert(record).unwrap();
            for month in 0..24 {
                let time = GameTime(month * 365 * GameTime::HOUR_US * 3 / 2 + 1);
                let c = weather.conditions(0, time, &overrides);
                assert_eq!((c.state, c.intensity_permille, c.forced), (state, intensity, true));
                assert_agrees(&c, &weather.climates[0].preset);
            }
        }
    }
}

#[test]
fn a_forced_spell_begins_and_ends_with_its_override() {
    let (_, weather) = weather();
    let mut overrides = Overrides::default();
    let (start, end) = (GameTime(90 * GameTime::MINUTE_US), GameTime(200 * GameTime::MINUTE_US));
    overrides.insert(forced(1, WeatherState::Blizzard, start, Some(end))).unwrap();
    let spell = weather.spells_beginning(0, 1, &overrides)[0];
    assert_eq!((spell.onset, spell.end, spell.forced), (start, end, true));
    assert_eq!((spell.state, spell.severity), (WeatherState::Blizzard, Severity::Extreme));
    assert_eq!(weather.spell_at(0, GameTime::from_hours(2), &overrides), Some(spell));
    assert_eq!(weather.spells_beginning(0, 2, &overrides), []);
    assert_eq!(weather.state_end(0, start, &overrides), end);
}

#[test]
fn each_natural_spell_begins_once_and_covers_its_hours() {
    let (_, weather) = weather();
    let none = Overrides::default();
    let mut spells = 0;
    for hour in 2000..8000 {
        let [spell] = weather.spells_beginning(0, hour, &none)[..] else { continue };
        spells += 1;
        assert_eq!(spell.onset, GameTime::from_hours(hour));
        for h in hour..spell.end.hours() {
            assert_eq!(weather.spell_at(0, GameTime::from_hours(h), &none), Some(spell));
        }
        assert!(!weather.state(0, spell.end, &none).is_severe());
    }
    assert!(spells > 3, "{spells}");
}

#[test]
fn names_of_states_read_back() {
    for state in WeatherState::ALL {
        assert_eq!(state.name().parse(), Ok(state));
    }
    let error = "sunny".parse::<WeatherState>().unwrap_err().to_string();
    assert!(error.contains("heavy_rain") && error.ends_with("found sunny"), "{error}");
}

#[test]
fn the_onset_of_rain_moves_from_month_to_month_without_a_jump() {
    use super::plan::moment::Moment;
    let (world, weather) = weather();
    let calendar = world.calendar();
    let onset = |hour: i64| {
        let position = calendar.climate_position(GameTime::from_hours(hour));
        Moment::new(&weather.climates[0].preset, &Season::new(position, Shift::default())).onset_z
    };
    let values = weather.climates[0].preset.rain_onset_z;
    let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (v.min(l), v.max(h)));
    // From one middle of a month to the next there are at least 28 days.
    let step_max = (high - low) / (28.0 * 24.0) + 1e-12;
    for hour in 0..2 * 366 * 24 {
        let step = (onset(hour + 1) - onset(hour)).abs();
        assert!(step <= step_max, "{step} at {hour} h");
    }
    // Neighbouring months differ by no more than the record's do.
    for month in 0..12 {
        let step = (values[(month + 1) % 12] - values[month]).abs();
        assert!(step < 1.0, "{step} after month {month}");
    }
}

proptest! {
    #[test]
    fn any_instant_agrees_with_itself(us in i64::MIN / 2..i64::MAX / 2, region in 0..12_usize) {
        let world = World::sample();
        let weather = Weather::new(&world);
        let c = weather.conditions(region, GameTime(us), &Overrides::default());
        assert_agrees(&c, &weather.climates[0].preset);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sweep_says_what_single_looks_say_in_any_order(
        seed in any::<u32>(),
        hours in proptest::collection::vec(-2_000_000_i64..2_000_000, 1..8),
        steps in 1_i64..40,
    ) {
        // Neighbours of one climate; all climates, on both sides of the equator.
        for mut world in [World::sample(), golden::world()] {
            world.seed = seed.into();
            let weather = Weather::new(&world);
            let mut sweep = weather.sweep(0);
            for hour in hours.iter().flat_map(|hour| *hour..*hour + steps) {
                sweep.go_to(hour);
                for region in (0..weather.region_count()).rev() {
                    let time = GameTime::from_hours(hour);
                    let single = weather.conditions(region, time, &Overrides::default());
                    prop_assert_eq!(sweep.conditions(region), single);
                }
            }
        }
    }
}

#[test]
fn a_day_ends_when_the_calendar_sets_it() {
    let text = "id = \"w\"\nseed = 1\nepoch = \"1-1-1T06:00\"\nreal_seconds_per_game_hour = 25\n\
                climate = \"brussels\"\ncalendar = \"short-year\"\n\
                [[regions]]\nid = \"r\"\nlatitude = 50.0\nlongitude = 4.0\nelevation_m = 1\n";
    let weather = Weather::new(&World::parse("w.toml", text).unwrap());
    let ended = (0..60).filter_map(|hour| {
        let (start, hours) = weather.day_ended(GameTime::from_hours(hour))?;
        Some((hour, start.hours(), hours.map(GameTime::hours).collect::<Vec<_>>()))
    });
    let days: Vec<_> = ended.collect();
    let day = |start: i64| (start + 20, start, (start..start + 20).collect::<Vec<_>>());
    assert_eq!(days, [day(-6), day(14), day(34)]);
}

#[test]
fn kept_hours_say_what_single_looks_say() {
    let (_, weather) = weather();
    let mut keeping = weather.clone();
    let none = Overrides::default();
    for first in [0, 3, -40, 5000] {
        keeping.keep(&(first..first + 24).step_by(2).collect());
        for (hour, region) in (first - 2..first + 26).zip((0..weather.region_count()).cycle()) {
            for us in [0, 1, GameTime::HOUR_US / 3] {
                let at = GameTime::from_hours(hour).plus_us(us);
                let kept = keeping.conditions(region, at, &none);
                assert_eq!(kept, weather.conditions(region, at, &none), "{hour} h");
                assert_eq!(keeping.state(region, at, &none), kept.state);
            }
        }
    }
}

/// The hour of the world's clock at which a region is warmest on average of half a year.
fn warmest_hour(longitude: f64, by_longitude: bool) -> i64 {
    let text = format!(
        "id = \"far\"\nseed = 7\nepoch = 2024-04-01T00:00:00\nreal_seconds_per_game_hour = 25\n\
         climate = \"brussels\"\n[sun]\nby_longitude = {by_longitude}\n[[regions]]\n\
         id = \"there\"\n\
         latitude = 50.8\nlongitude = {longitude}\nelevation_m = 50\n",
    );
    let weather = Weather::new(&World::parse("far.toml", &text).unwrap());
    let none = Overrides::default();
    let sum = |hour: i64| {
        let at = (0..180).map(|day| GameTime::from_hours(day * 24 + hour));
        at.map(|at| i64::from(weather.conditions(0, at, &none).temperature_dc)).sum::<i64>()
    };
    (0..24).max_by_key(|hour| sum(*hour)).unwrap()
}

#[test]
fn course_of_the_day_follows_the_sun_of_the_region() {
    let near = |hour: i64, wanted: i64| {
        let apart = (hour - wanted).rem_euclid(24);
        assert!(apart.min(24 - apart) <= 1, "warmest at {hour}, not about {wanted}");
    };
    let at_home = warmest_hour(0.0, true);
    near(at_home, 15);
    for longitude in [-120.0, 90.0, 180.0] {
        near(warmest_hour(longitude, true), at_home - (longitude / 15.0) as i64);
        assert_eq!(warmest_hour(longitude, false), warmest_hour(0.0, false));
    }
}
