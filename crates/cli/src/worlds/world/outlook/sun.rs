//! The days of a region over a year: the longest, the shortest, and those without sunrise.

use serde::Serialize;

use super::first_year;
use worldbus_world::{Calendar, Daylight, GameTime, Region, Sun, SunDay};

/// Days of a region over its first whole year.
#[derive(Debug, Serialize)]
pub(in crate::worlds::world) struct SunOutlook {
    pub(in crate::worlds::world) longest: DayOutlook,
    pub(in crate::worlds::world) shortest: DayOutlook,
    /// Days on which the sun does not set, and on which it does not rise.
    pub(in crate::worlds::world) polar_days: u32,
    pub(in crate::worlds::world) polar_nights: u32,
    /// Mean hours of daylight, of the calendar's hours, over the year.
    pub(in crate::worlds::world) mean_hours: f64,
}

/// A day and its sun. Times are of the world's clock, `-` before midnight and `+` after the day.
#[derive(Debug, Serialize)]
pub(in crate::worlds::world) struct DayOutlook {
    pub(in crate::worlds::world) date: String,
    /// Hours of daylight, of the calendar's hours.
    pub(in crate::worlds::world) hours: f64,
    /// None where the sun does not rise or not set.
    pub(in crate::worlds::world) sunrise: Option<String>,
    pub(in crate::worlds::world) sunset: Option<String>,
    pub(in crate::worlds::world) noon_altitude_deg: f64,
}

impl SunOutlook {
    pub(super) fn new(calendar: &Calendar, sun: &Sun, region: &Region) -> Self {
        let first = calendar.day(first_year(calendar));
        let numbers = first.number..first.number + i64::from(first.year_days);
        let days: Vec<(i64, SunDay)> = numbers
            .filter_map(|n| Some((n, sun.day(n, region.latitude, region.longitude)?)))
            .collect();
        let length = |day: &SunDay| day.daylight.length_us(calendar.day_us());
        let total: i128 = days.iter().map(|(_, day)| i128::from(length(day))).sum();
        let hour_us = calendar.rules().hour_us() as f64;
        let is =
            |wanted: Daylight| days.iter().filter(|(_, day)| day.daylight == wanted).count() as u32;
        // Of days of one length, as in polar day, the one with the sun highest or lowest.
        let key = |day: &SunDay| (length(day), (day.noon_altitude_deg * 1000.0) as i64);
        let outlook = |found: Option<&(i64, SunDay)>| {
            found.map(|(number, day)| DayOutlook::new(calendar, *number, day)).unwrap_or_default()
        };
        Self {
            longest: outlook(days.iter().max_by_key(|(_, day)| key(day))),
            shortest: outlook(days.iter().min_by_key(|(_, day)| key(day))),
            polar_days: is(Daylight::Always),
            polar_nights: is(Daylight::Never),
            mean_hours: round(total as f64 / hour_us / days.len().max(1) as f64, 100.0),
        }
    }
}

impl Default for DayOutlook {
    /// A day beyond what game time holds.
    fn default() -> Self {
        Self {
            date: "-".to_owned(),
            hours: 0.0,
            sunrise: None,
            sunset: None,
            noon_altitude_deg: 0.0,
        }
    }
}

impl DayOutlook {
    fn new(calendar: &Calendar, number: i64, sun: &SunDay) -> Self {
        let day = calendar.day_of_number(number);
        let begins = calendar.day_begins(number).unwrap_or(GameTime(0));
        let clock = |game: GameTime| clock(calendar, game.0 - begins.0);
        let (sunrise, sunset) = match sun.daylight {
            Daylight::Between { from, until } => (Some(clock(from)), Some(clock(until))),
            Daylight::Always | Daylight::Never => (None, None),
        };
        let hours = sun.daylight.length_us(calendar.day_us()) as f64;
        Self {
            date: calendar.day_name(&day),
            hours: round(hours / calendar.rules().hour_us() as f64, 100.0),
            sunrise,
            sunset,
            noon_altitude_deg: round(sun.noon_altitude_deg, 10.0),
        }
    }
}

/// A time of day such as `05:31`; `-23:10` is on the day before, `+00:20` on the day after.
fn clock(calendar: &Calendar, since_us: i64) -> String {
    let day_us = calendar.day_us();
    let sign = match since_us.div_euclid(day_us) {
        0 => "",
        days if days < 0 => "-",
        _ => "+",
    };
    let minutes = since_us.rem_euclid(day_us) / GameTime::MINUTE_US;
    let hour = i64::from(calendar.rules().minutes_per_hour());
    format!("{sign}{:02}:{:02}", minutes / hour, minutes % hour)
}

fn round(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}
