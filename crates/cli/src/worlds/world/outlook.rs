//! What a world would be like: its calendar, and days, climate and states of weather in some of its
//! regions. Not here: how it is written.

mod climate;
mod people;
mod sun;

use std::sync::Arc;

use serde::Serialize;

use worldbus_population::Population;
use worldbus_world::{Calendar, CalendarRules, GameTime, Hemisphere, PhasePolicy, Weather, World};

pub(super) use climate::{MonthOutlook, SeasonOutlook};
pub(super) use people::PeopleOutlook;
pub(super) use sun::{DayOutlook, SunOutlook};

/// A world, foreseen.
#[derive(Debug, Serialize)]
pub(super) struct Outlook {
    pub(super) world: String,
    pub(super) name: String,
    pub(super) region_count: usize,
    pub(super) calendar: CalendarOutlook,
    pub(super) obliquity_deg: f64,
    /// `fixed` or `astronomical`.
    pub(super) phases: &'static str,
    /// Years of weather behind the figures.
    pub(super) simulated_years: u32,
    pub(super) regions: Vec<RegionOutlook>,
    /// None if the world has no people.
    pub(super) people: Option<PeopleOutlook>,
}

/// A calendar in a few figures and names.
#[derive(Debug, Serialize)]
pub(super) struct CalendarOutlook {
    pub(super) name: String,
    /// The date at which game time is 0, and the description of that day.
    pub(super) epoch: String,
    pub(super) epoch_day: String,
    pub(super) hours_per_day: u8,
    pub(super) minutes_per_hour: u8,
    pub(super) year_days: YearDays,
    pub(super) months: Vec<String>,
    pub(super) weekdays: Vec<String>,
    pub(super) intercalary: Vec<String>,
    pub(super) seasons: Vec<String>,
    pub(super) moons: Vec<MoonOutlook>,
    pub(super) holidays: Vec<HolidayOutlook>,
    /// Real minutes of a game day, and real hours of a game year, at the world's scale.
    pub(super) real_minutes_per_day: f64,
    pub(super) real_hours_per_year: f64,
}

/// Days of the years from the epoch's on.
#[derive(Debug, Serialize)]
pub(super) struct YearDays {
    pub(super) least: u16,
    pub(super) most: u16,
}

/// A moon at the epoch.
#[derive(Debug, Serialize)]
pub(super) struct MoonOutlook {
    pub(super) name: String,
    pub(super) period_days: f64,
    pub(super) epoch_phase: &'static str,
}

/// A holiday and when it comes first.
#[derive(Debug, Serialize)]
pub(super) struct HolidayOutlook {
    pub(super) id: String,
    pub(super) name: String,
    /// None if it does not come within ten years of the epoch.
    pub(super) first: Option<String>,
}

/// A region, foreseen.
#[derive(Debug, Serialize)]
pub(super) struct RegionOutlook {
    pub(super) region: String,
    pub(super) name: String,
    pub(super) latitude: f64,
    pub(super) climate: String,
    pub(super) sun: SunOutlook,
    pub(super) months: Vec<MonthOutlook>,
    pub(super) seasons: Vec<SeasonOutlook>,
}

/// Years that are looked at for the length of a year and the first holidays.
const YEARS: i64 = 10;

impl Outlook {
    /// Foresees a world and its people, with so many years of the weather of some of its regions.
    pub(super) fn new(
        world: &World,
        people: &Arc<Population>,
        regions: &[usize],
        years: u32,
    ) -> Self {
        let (calendar, sun, weather) = (world.calendar(), world.sun(), Weather::new(world));
        let region = |index: &usize| {
            let region = &world.regions[*index];
            let (months, seasons) = climate::of(world, &calendar, &weather, *index, years);
            RegionOutlook {
                region: region.id.clone(),
                name: region.name.clone(),
                latitude: region.latitude,
                climate: region.climate.clone(),
                sun: SunOutlook::new(&calendar, &sun, region),
                months,
                seasons,
            }
        };
        Self {
            world: world.id.clone(),
            name: world.name.clone(),
            region_count: world.regions.len(),
            calendar: CalendarOutlook::new(world, &calendar),
            obliquity_deg: world.sun.obliquity_deg,
            phases: match world.sun.phases {
                PhasePolicy::Fixed => "fixed",
                PhasePolicy::Astronomical => "astronomical",
            },
            simulated_years: years,
            regions: regions.iter().map(region).collect(),
            people: PeopleOutlook::new(world, people),
        }
    }
}

impl CalendarOutlook {
    fn new(world: &World, calendar: &Calendar) -> Self {
        let rules = calendar.rules();
        let year_days = year_days(calendar);
        let real_seconds = calendar.day_us() as f64 / GameTime::HOUR_US as f64;
        let real_minutes_per_day = real_seconds * world.scale.seconds() / 60.0;
        let moon = |(moon, state): (&worldbus_world::Moon, worldbus_world::MoonState)| {
            let days = moon.period_us as f64 / calendar.day_us() as f64;
            let period_days = (days * 1e6).round() / 1e6;
            let epoch_phase = state.phase.name();
            MoonOutlook { name: moon.name.clone(), period_days, epoch_phase }
        };
        let names = |names: &mut dyn Iterator<Item = &String>| names.cloned().collect();
        Self {
            name: rules.name().to_owned(),
            epoch: world.epoch.to_string(),
            epoch_day: epoch_day(world, calendar),
            hours_per_day: rules.hours_per_day(),
            minutes_per_hour: rules.minutes_per_hour(),
            months: names(&mut rules.months().iter().map(|month| &month.name)),
            weekdays: rules.weekdays().to_vec(),
            intercalary: names(&mut rules.intercalary().iter().map(|day| &day.name)),
            seasons: names(&mut rules.seasons().iter().map(|season| &season.name)),
            moons: calendar.moons(GameTime(0)).map(moon).collect(),
            holidays: holidays(calendar, rules),
            real_hours_per_year: real_minutes_per_day * f64::from(year_days.least) / 60.0,
            real_minutes_per_day,
            year_days,
        }
    }
}

/// The description of the epoch's day: `Friday, 1 March 2024 CE, spring`.
fn epoch_day(world: &World, calendar: &Calendar) -> String {
    let day = calendar.day(GameTime(0));
    let weekday = calendar.weekday_name(&day).map_or(String::new(), |name| format!("{name}, "));
    let year = match calendar.rules().era(day.year) {
        Some((era, count)) => format!("{count} {}", era.name),
        None => day.year.to_string(),
    };
    let season = &calendar.season_of_day(&day, world.hemisphere()).name;
    format!("{weekday}{} {year}, {}", calendar.day_name(&day), season.to_lowercase())
}

fn year_days(calendar: &Calendar) -> YearDays {
    let mut at = Some(GameTime(0));
    let mut days = Vec::new();
    while let (Some(game), true) = (at, days.len() < YEARS as usize) {
        days.push(calendar.day(game).year_days);
        at = calendar.next_year(game);
    }
    let (least, most) = (days.iter().min().copied(), days.iter().max().copied());
    YearDays { least: least.unwrap_or(0), most: most.unwrap_or(0) }
}

fn holidays(calendar: &Calendar, rules: &CalendarRules) -> Vec<HolidayOutlook> {
    let first = calendar.day(GameTime(0));
    let last = first.number + YEARS * i64::from(first.year_days);
    let holiday = |holiday: &worldbus_world::Holiday| {
        let mut days = (first.number..last).map(|number| calendar.day_of_number(number));
        let day = days.find(|day| calendar.holidays(day).any(|found| found.id == holiday.id));
        let first = day.map(|day| format!("{} {}", calendar.day_name(&day), day.year));
        HolidayOutlook { id: holiday.id.clone(), name: holiday.name.clone(), first }
    };
    rules.holidays().iter().map(holiday).collect()
}

/// The beginning of the first whole year of a world.
fn first_year(calendar: &Calendar) -> GameTime {
    let day = calendar.day(GameTime(0));
    if day.day_of_year == 1 && calendar.time_of_day_us(GameTime(0)) == 0 {
        return GameTime(0);
    }
    calendar.next_year(GameTime(0)).unwrap_or(GameTime(0))
}

/// Half of the globe, for people.
pub(super) fn side(latitude: f64) -> &'static str {
    match Hemisphere::of_latitude(latitude) {
        Hemisphere::North => "N",
        Hemisphere::South => "S",
    }
}
