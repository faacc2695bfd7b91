//! `GET /api/time/calendar/rules`: what the calendar of a world is. Not here: how it is read from a
//! world file (`worldbus-world`).

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::desk::Desk;
use crate::rest::{Answer, Which};
use worldbus_service::{Json, Query};
use worldbus_world::CalendarRules;

/// What a calendar is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarRules)]
pub(in super::super) struct Rules {
    /// The calendar's name.
    name: String,
    hours_per_day: u8,
    minutes_per_hour: u8,
    /// In the order of a year.
    months: Vec<MonthRule>,
    /// The names of the days of a week in order; empty if there are no weeks.
    weekdays: Vec<String>,
    /// The days outside months and weeks.
    intercalary_days: Vec<IntercalaryRule>,
    /// Earliest first.
    eras: Vec<EraRule>,
    /// In the order in which they begin in a year of the north.
    seasons: Vec<SeasonRule>,
    moons: Vec<MoonRule>,
    holidays: Vec<HolidayRule>,
}

/// A month of a calendar.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarMonth)]
struct MonthRule {
    name: String,
    /// Days in a year that is no leap year.
    days: u8,
}

/// A day outside months and weeks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarIntercalaryDay)]
struct IntercalaryRule {
    name: String,
    /// The month that it follows, from 1.
    after_month: u8,
}

/// An era of a calendar.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarEra)]
struct EraRule {
    name: String,
    /// The year that is its year 1.
    year_one: i32,
    /// Its years are counted back from year 1.
    backwards: bool,
}

/// A season of a calendar.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarSeason)]
struct SeasonRule {
    id: String,
    name: String,
    /// The month of its first day in the north, from 1.
    month: u8,
    /// The day of that month, from 1.
    day: u8,
}

/// A moon of a calendar.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarMoon)]
struct MoonRule {
    name: String,
    /// Days of the calendar from new moon to new moon.
    period_days: f64,
}

/// A holiday of a calendar.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarHoliday)]
struct HolidayRule {
    /// As in events and schedules.
    id: String,
    name: String,
    /// How many days it lasts.
    days: u8,
}

/// What the calendar is: months, weekdays, eras, seasons, moons, holidays.
#[utoipa::path(get, path = "/api/time/calendar/rules", tag = "time", params(Which),
    responses((status = 200, description = "The calendar.", body = Rules),
        (status = 404, description = "No such clock.")))]
pub(in super::super) async fn rules(
    State(desk): State<Desk>,
    Query(which): Query<Which>,
) -> Answer<Rules> {
    let calendar = &desk.face(&which.clock)?.clockwork.calendar;
    Ok(Json(Rules::new(calendar.rules(), calendar.day_us())))
}

impl Rules {
    fn new(rules: &CalendarRules, day_us: i64) -> Self {
        let name = |name: &String| name.clone();
        let months = rules.months().iter().map(|m| MonthRule { name: name(&m.name), days: m.days });
        let intercalary_days = rules
            .intercalary()
            .iter()
            .map(|day| IntercalaryRule { name: name(&day.name), after_month: day.after_month() });
        let eras = rules.eras().iter().map(|era| EraRule {
            name: name(&era.name),
            year_one: era.year_one,
            backwards: era.backwards,
        });
        let seasons = rules.seasons().iter().map(|season| SeasonRule {
            id: name(&season.id),
            name: name(&season.name),
            month: season.month,
            day: season.day,
        });
        let moons = rules.moons().iter().map(|moon| MoonRule {
            name: name(&moon.name),
            period_days: moon.period_us as f64 / day_us as f64,
        });
        let holidays = rules.holidays().iter().map(|holiday| HolidayRule {
            id: name(&holiday.id),
            name: name(&holiday.name),
            days: holiday.days,
        });
        Self {
            name: rules.name().to_owned(),
            hours_per_day: rules.hours_per_day(),
            minutes_per_hour: rules.minutes_per_hour(),
            months: months.collect(),
            weekdays: rules.weekdays().to_vec(),
            intercalary_days: intercalary_days.collect(),
            eras: eras.collect(),
            seasons: seasons.collect(),
            moons: moons.collect(),
            holidays: holidays.collect(),
        }
    }
}
