//! Claims about forecasts that may be wrong, and about the ground.

use super::*;

fn hour(hours: i64) -> GameTime {
    GameTime::from_hours(hours)
}

#[test]
fn a_guess_is_the_truth_now_and_the_same_whoever_asks() {
    let (_, weather) = weather();
    let none = Overrides::default();
    let now = hour(5000).plus_us(99);
    let guess = weather.guess(3, now, 200, &none);
    assert_eq!(guess.len(), FORECAST_HOURS_MAX as usize);
    assert_eq!(guess[0].conditions, weather.conditions(3, now, &none));
    assert_eq!(guess[0].confidence.temperature_permille, 1000);
    assert_eq!(guess, weather.guess(3, hour(5000).plus_us(7_000_000), 200, &none).tap(&guess[0]));
    assert_ne!(guess[1..], weather.guess(3, hour(5001), 168, &none)[..167], "issued again");
    for entry in &guess {
        assert_agrees(&entry.conditions, &weather.climate(3).preset);
    }
}

trait Tap {
    fn tap(self, first: &Guess) -> Self;
}

impl Tap for Vec<Guess> {
    /// With another first entry, which is that of the instant that was asked.
    fn tap(mut self, first: &Guess) -> Self {
        self[0] = *first;
        self
    }
}

/// With k the part of an octave that is kept and a^2 its share, truth and guess correlate by
/// c = sum a^2 k, and the confidence sum a^2 k^2 lies between c^2 and c.
#[test]
fn confidence_shows_how_wrong_a_guess_is() {
    let (_, weather) = weather();
    let none = Overrides::default();
    let leads = [1, 6, 24, 72, 160];
    let (mut hits, mut errors, mut stated) = ([0; 5], [0.0; 5], [0; 5]);
    let mut unrelated = 0.0;
    let issues = 250;
    for issue in 0..issues {
        let guess = weather.guess((issue % 12) as usize, hour(issue * 97), 168, &none);
        for (i, lead) in leads.into_iter().enumerate() {
            let truth = weather.conditions((issue % 12) as usize, guess[lead].time, &none);
            hits[i] += i32::from(guess[lead].conditions.state == truth.state);
            let off = f64::from(guess[lead].conditions.temperature_dc - truth.temperature_dc);
            errors[i] += off * off;
            let year = guess[lead].time.plus_us(365 * GameTime::DAY_US);
            let other = weather.conditions((issue % 12) as usize, year, &none);
            let off = f64::from(other.temperature_dc - truth.temperature_dc);
            unrelated += off * off / 5.0;
            stated[i] = guess[lead].confidence.temperature_permille;
        }
    }
    assert!(hits[0] > hits[2] && hits[2] > hits[4], "{hits:?}");
    assert!(i64::from(hits[0]) * 10 > issues * 6, "an hour ahead it is mostly right: {hits:?}");
    assert!(stated.is_sorted_by(|a, b| a > b), "{stated:?}");
    assert!(errors.is_sorted_by(|a, b| a < b), "{errors:?}");
    for (error, stated) in errors.into_iter().zip(stated) {
        let (correlation, stated) = (1.0 - error / unrelated, f64::from(stated) / 1000.0);
        let wanted = correlation.max(0.0).powi(2) - 0.12..=correlation + 0.12;
        assert!(wanted.contains(&stated), "{stated} for a correlation of {correlation}");
    }
}

#[test]
fn forecast_comes_true_in_every_hour_of_many_regions_without_overrides() {
    let (_, weather) = weather();
    let none = Overrides::default();
    let mut hours = 0;
    for region in 0..weather.region_count() {
        for start in [0, 4_000, 9_000] {
            for entry in weather.forecast(region, hour(start), 168, &none) {
                let late = weather.forecast(region, entry.time, 1, &none);
                assert_eq!(late[0], entry);
                hours += 1;
            }
        }
    }
    assert_eq!(hours, 12 * 3 * 168);
}

#[test]
fn snow_lies_until_it_melts_and_rain_wets_the_ground() {
    let (_, weather) = weather();
    let snow = Kind::SetState { state: WeatherState::HeavySnow, intensity_permille: 500 };
    let cold = Kind::Offset { temperature_dc: -300, wind_dmps: 0, rain_permille: 0 };
    let warm = Kind::Offset { temperature_dc: 300, wind_dmps: 0, rain_permille: 0 };
    let rain = Kind::SetState { state: WeatherState::HeavyRain, intensity_permille: 500 };
    let mut overrides = Overrides::default();
    let spans = [(snow, 0, 48), (cold, 48, 96), (warm, 96, 240), (rain, 240, 246)];
    for (rev, (kind, from, to)) in (1..).zip(spans) {
        let at = |h: i64| hour(4000 + h);
        overrides.insert(record(rev, kind, at(from), Some(at(to)))).unwrap();
    }
    let at = |h: i64| weather.ground(0, hour(4000 + h), &overrides);
    let deep = at(48).snow_depth_mm;
    assert!(deep > 300, "{deep}");
    assert_eq!((at(90).snow_depth_mm, at(90).frozen), (at(60).snow_depth_mm, true), "it lies");
    assert_eq!((at(239).snow_depth_mm, at(239).frozen), (0, false), "it melted");
    assert!(at(246).wetness_permille > at(239).wetness_permille);
}
