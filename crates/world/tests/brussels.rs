//! Thirty simulated years at Brussels against the observed record of 1976-1990 (aquacrop 3.1) and,
//! for the states, against fourteen German test reference years. A tolerance is the larger of a
//! pass band and twice the record's own standard error. Not here: other places, hourly figures.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::OnceLock;

use worldbus_world::{GameTime, Overrides, Weather, WeatherState, World};

const YEAR_COUNT: i64 = 30;
const FIRST_YEAR: i32 = 2001;

const WORLD: &str = r#"
id = "validation"
seed = 4711
epoch = 2001-01-01T00:00:00
real_seconds_per_game_hour = 25
climate = "brussels"
[[regions]]
id = "uccle"
latitude = 50.8
longitude = 4.35
elevation_m = 100
"#;

struct Day {
    month: usize,
    min: f64,
    max: f64,
    rain: f64,
}
struct Hour {
    of_day: u8,
    state: WeatherState,
}

fn mean(v: impl IntoIterator<Item = f64>) -> f64 {
    let (mut s, mut n) = (0.0, 0.0);
    for x in v {
        s += x;
        n += 1.0;
    }
    s / n
}

fn simulate() -> (Vec<Day>, Vec<Hour>) {
    let world = World::parse("validation", WORLD).unwrap();
    let weather = Weather::new(&world);
    let calendar = world.calendar();
    let (mut days, mut hours) = (Vec::new(), Vec::new());
    for h in 0.. {
        let t = GameTime::from_hours(h);
        let date = calendar.at(t);
        if date.year >= FIRST_YEAR + YEAR_COUNT as i32 {
            break;
        }
        let month = usize::from(date.month) - 1;
        let c = weather.conditions(0, t, &Overrides::default());
        if date.hour == 0 {
            days.push(Day { month, min: 99.0, max: -99.0, rain: 0.0 });
        }
        let day = days.last_mut().unwrap();
        let temp = f64::from(c.temperature_dc) / 10.0;
        day.min = day.min.min(temp);
        day.max = day.max.max(temp);
        day.rain += f64::from(c.precipitation_umph) / 1000.0;
        hours.push(Hour { of_day: date.hour, state: c.state });
    }
    (days, hours)
}

struct Years {
    days: Vec<Day>,
    hours: Vec<Hour>,
}

fn years() -> &'static Years {
    static YEARS: OnceLock<Years> = OnceLock::new();
    YEARS.get_or_init(|| {
        let (days, hours) = simulate();
        Years { days, hours }
    })
}

impl Years {
    fn wet(&self) -> Vec<bool> {
        self.days.iter().map(|d| d.rain >= 1.0).collect()
    }

    fn of_month(&self, month: usize) -> impl Iterator<Item = &Day> {
        self.days.iter().filter(move |d| d.month == month)
    }

    /// Lengths of the spells of wet or dry days, sorted.
    fn spells(&self, wet: bool) -> Vec<f64> {
        let days = self.wet();
        let runs = days.chunk_by(|a, b| a == b).filter(|run| run[0] == wet);
        let mut lengths: Vec<f64> = runs.map(|run| run.len() as f64).collect();
        lengths.sort_by(f64::total_cmp);
        lengths
    }

    fn share(&self, state: WeatherState) -> f64 {
        mean(self.hours.iter().map(|h| f64::from(h.state == state)))
    }
}

fn quantile(sorted: &[f64], part: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * part) as usize]
}

#[track_caller]
fn close(found: f64, wanted: f64, tolerance: f64) {
    assert!(
        (found - wanted).abs() <= tolerance,
        "found {found:.3}, wanted {wanted} +- {tolerance}"
    );
}

const WET_SHARE: [f64; 12] =
    [0.480, 0.333, 0.480, 0.344, 0.391, 0.371, 0.295, 0.292, 0.311, 0.368, 0.424, 0.432];
const MAX_C: [f64; 12] =
    [4.76, 5.89, 9.55, 12.71, 17.51, 19.95, 22.17, 21.96, 18.65, 14.99, 9.20, 6.55];
const MIN_C: [f64; 12] =
    [0.16, 0.28, 2.87, 4.59, 8.67, 11.49, 13.33, 13.03, 10.77, 8.33, 3.90, 2.09];

#[test]
fn each_month_has_its_share_of_wet_days() {
    for (month, wanted) in WET_SHARE.into_iter().enumerate() {
        let share = mean(years().of_month(month).map(|d| f64::from(d.rain >= 1.0)));
        // Twice the standard error of 15 months of days with a lag-1 correlation of a third.
        close(share, wanted, 0.066);
    }
    close(mean(years().wet().into_iter().map(f64::from)), 0.377, 0.03);
}

#[test]
fn rain_persists_as_observed() {
    let wet = years().wet();
    let after =
        |first: bool| mean(wet.windows(2).filter(|w| w[0] == first).map(|w| f64::from(w[1])));
    close(after(true), 0.588, 0.04);
    close(after(false), 0.249, 0.04);
    close(mean(years().spells(true)), 2.43, 2.43 * 0.08);
    let dry = years().spells(false);
    close(quantile(&dry, 0.9), 10.0, 1.5);
    close(quantile(&dry, 0.99), 20.0, 5.0);
    close(mean(dry), 4.01, 4.01 * 0.08);
}

#[test]
fn wet_days_bring_the_observed_amounts() {
    let amounts: Vec<f64> =
        years().days.iter().map(|d| d.rain).filter(|rain| *rain >= 1.0).collect();
    let middle = mean(amounts.iter().copied());
    let sd = mean(amounts.iter().map(|a| (a - middle) * (a - middle))).sqrt();
    close(middle, 5.79, 5.79 * 0.1);
    close(sd, 5.47, 5.47 * 0.2);
    let mut sorted = amounts;
    sorted.sort_by(f64::total_cmp);
    close(quantile(&sorted, 0.95), 15.8, 15.8 * 0.15);
}

#[test]
fn temperatures_have_the_observed_means_and_persistence() {
    for month in 0..12 {
        // Half a kelvin where the record is exact; its own winters allow 0.6.
        close(mean(years().of_month(month).map(|d| d.max)), MAX_C[month], 0.65);
        close(mean(years().of_month(month).map(|d| d.min)), MIN_C[month], 0.65);
    }
    let middle = |d: &Day| (d.min + d.max) / 2.0;
    let usual: Vec<f64> = (0..12).map(|m| mean(years().of_month(m).map(middle))).collect();
    let rest: Vec<f64> = years().days.iter().map(|d| middle(d) - usual[d.month]).collect();
    let variance = mean(rest.iter().map(|r| r * r));
    let lag = |k: usize| mean((k..rest.len()).map(|i| rest[i] * rest[i - k])) / variance;
    close(variance.sqrt(), 3.57, 3.57 * 0.12);
    close(lag(1), 0.82, 0.06);
    close(lag(2), 0.61, 0.06);
}

#[test]
fn wet_days_have_a_smaller_range_of_temperature() {
    let range = |wet: bool| {
        let days = years().days.iter().filter(move |d| (d.rain >= 1.0) == wet);
        mean(days.map(|d| d.max - d.min))
    };
    close(range(true) - range(false), -1.81, 0.7);
}

#[test]
fn common_states_have_plausible_shares_of_the_hours() {
    use WeatherState::{Clear, Cloudy, Fog, Mist, PartlyCloudy, Rain, Storm};
    let german = [
        (Clear, 0.1823),
        (PartlyCloudy, 0.1547),
        (Cloudy, 0.3920),
        (Mist, 0.0726),
        (Fog, 0.0249),
        (Rain, 0.1257),
        (Storm, 0.0069),
    ];
    for (state, wanted) in german {
        let ratio = years().share(state) / wanted;
        assert!((1.0 / 1.5..1.5).contains(&ratio), "{state}: {ratio:.2} times the share");
    }
}

#[test]
fn heavy_rain_is_rare_and_passes_within_an_hour_or_two() {
    let ratio = years().share(WeatherState::HeavyRain) / 0.0024;
    assert!((1.0 / 3.0..3.0).contains(&ratio), "{ratio:.2} times the share");
    let runs = years().hours.chunk_by(|a, b| a.state == b.state);
    let heavy = runs.filter(|run| run[0].state == WeatherState::HeavyRain);
    close(mean(heavy.map(|run| run.len() as f64)), 1.11, 1.11 * 0.25);
}

#[test]
fn fog_comes_at_dawn_and_storms_in_the_afternoon() {
    let share = |state: WeatherState, hours: std::ops::Range<u8>| {
        let within = years().hours.iter().filter(|h| hours.contains(&h.of_day));
        mean(within.map(|h| f64::from(h.state == state)))
    };
    assert!(share(WeatherState::Fog, 5..9) >= 2.0 * share(WeatherState::Fog, 13..18));
    assert!(share(WeatherState::Storm, 12..19) >= 5.0 * share(WeatherState::Storm, 0..7));
}
