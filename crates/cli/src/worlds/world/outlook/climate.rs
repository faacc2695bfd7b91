//! The weather of a region over simulated years: means by month, states by season.

use std::collections::BTreeMap;

use serde::Serialize;

use super::first_year;
use worldbus_world::{Calendar, Conditions, GameTime, Overrides, Weather, WeatherState, World};

/// Millimetres that make a day a wet one.
const WET_DAY_UM: u64 = 1000;

/// A month, averaged over the simulated years.
#[derive(Debug, Serialize)]
pub(in crate::worlds::world) struct MonthOutlook {
    pub(in crate::worlds::world) month: String,
    /// Mean of the days' highest and lowest temperatures.
    pub(in crate::worlds::world) max_c: f64,
    pub(in crate::worlds::world) min_c: f64,
    /// Rain and melted snow of a whole month.
    pub(in crate::worlds::world) precipitation_mm: f64,
    /// Days with at least 1 mm.
    pub(in crate::worlds::world) wet_days: f64,
    pub(in crate::worlds::world) wind_mps: f64,
}

/// A season and how its hours are shared out among the states of weather.
#[derive(Debug, Serialize)]
pub(in crate::worlds::world) struct SeasonOutlook {
    pub(in crate::worlds::world) season: String,
    /// Percent of hours, of states that occur.
    pub(in crate::worlds::world) percent: BTreeMap<&'static str, f64>,
}

/// Sums over the hours of a month.
#[derive(Clone, Copy, Default)]
struct Month {
    days: u32,
    max_dc: i64,
    min_dc: i64,
    wet_days: u32,
    hours: u32,
    rain_um: u64,
    wind_dmps: u64,
}

/// A day that is not over yet.
struct Today {
    number: i64,
    month: usize,
    season: usize,
    max_dc: i64,
    min_dc: i64,
    rain_um: u64,
}

struct Sums {
    months: Vec<Month>,
    /// Hours of each state by season.
    states: Vec<[u32; WeatherState::ALL.len()]>,
    today: Option<Today>,
}

/// Months and seasons of a region over so many years.
pub(super) fn of(
    world: &World,
    calendar: &Calendar,
    weather: &Weather,
    region: usize,
    years: u32,
) -> (Vec<MonthOutlook>, Vec<SeasonOutlook>) {
    let begin = first_year(calendar);
    let end = (0..years).try_fold(begin, |at, _| calendar.next_year(at));
    let end = end.unwrap_or(GameTime(i64::MAX));
    let rules = calendar.rules();
    let mut sums = Sums {
        months: vec![Month::default(); rules.months().len()],
        states: vec![[0; WeatherState::ALL.len()]; rules.seasons().len()],
        today: None,
    };
    let none = Overrides::default();
    let mut hour = begin;
    while hour < end {
        sums.day(world, calendar, region, hour);
        sums.hour(&weather.conditions(region, hour, &none));
        hour = hour.plus_us(GameTime::HOUR_US);
    }
    sums.finish_day();
    let months = rules.months().iter().zip(&sums.months);
    let months = months.map(|(month, sums)| sums.outlook(&month.name, years)).collect();
    let seasons = rules.seasons().iter().zip(&sums.states);
    (months, seasons.map(|(season, hours)| season_outlook(&season.name, hours)).collect())
}

impl Sums {
    /// Begins another day if the hour is of one.
    fn day(&mut self, world: &World, calendar: &Calendar, region: usize, hour: GameTime) {
        let number = calendar.day_number(hour);
        if self.today.as_ref().is_some_and(|today| today.number == number) {
            return;
        }
        self.finish_day();
        let day = calendar.day_of_number(number);
        let season = calendar.season_of_day(&day, world.regions[region].hemisphere());
        let seasons = calendar.rules().seasons();
        let season = seasons.iter().position(|known| known == season).unwrap_or(0);
        let month = usize::from(day.month) - 1;
        let (max_dc, min_dc) = (i64::MIN, i64::MAX);
        self.today = Some(Today { number, month, season, max_dc, min_dc, rain_um: 0 });
    }

    fn hour(&mut self, conditions: &Conditions) {
        let Some(today) = &mut self.today else { return };
        let temperature = i64::from(conditions.temperature_dc);
        today.max_dc = today.max_dc.max(temperature);
        today.min_dc = today.min_dc.min(temperature);
        today.rain_um += u64::from(conditions.precipitation_umph);
        let month = &mut self.months[today.month];
        month.hours += 1;
        month.wind_dmps += u64::from(conditions.wind_dmps);
        let state = WeatherState::ALL.iter().position(|known| *known == conditions.state);
        self.states[today.season][state.unwrap_or(0)] += 1;
    }

    fn finish_day(&mut self) {
        let Some(today) = self.today.take() else { return };
        let month = &mut self.months[today.month];
        month.days += 1;
        month.max_dc += today.max_dc;
        month.min_dc += today.min_dc;
        month.rain_um += today.rain_um;
        month.wet_days += u32::from(today.rain_um >= WET_DAY_UM);
    }
}

impl Month {
    fn outlook(&self, name: &str, years: u32) -> MonthOutlook {
        let (days, years) = (f64::from(self.days.max(1)), f64::from(years.max(1)));
        MonthOutlook {
            month: name.to_owned(),
            max_c: tenths(self.max_dc as f64 / 10.0 / days),
            min_c: tenths(self.min_dc as f64 / 10.0 / days),
            precipitation_mm: tenths(self.rain_um as f64 / 1000.0 / years),
            wet_days: tenths(f64::from(self.wet_days) / years),
            wind_mps: tenths(self.wind_dmps as f64 / 10.0 / f64::from(self.hours.max(1))),
        }
    }
}

fn season_outlook(name: &str, hours: &[u32; WeatherState::ALL.len()]) -> SeasonOutlook {
    let all = f64::from(hours.iter().sum::<u32>().max(1));
    let occurs = WeatherState::ALL.iter().zip(hours).filter(|(_, hours)| **hours > 0);
    let percent = |(state, hours): (&WeatherState, &u32)| {
        (state.name(), (f64::from(*hours) / all * 10_000.0).round() / 100.0)
    };
    SeasonOutlook { season: name.to_owned(), percent: occurs.map(percent).collect() }
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
