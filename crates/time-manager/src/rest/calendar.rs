//! `GET /api/time/calendar`: what the calendar calls now, or another instant. Not here: what the
//! calendar is (`rules`), and what follows from it (`worldbus-world`).

pub(super) mod rules;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Answer;
use crate::desk::{Desk, Face};
use worldbus_service::{Json, Problem, Query};
use worldbus_world::{Calendar, DateTime, GameTime, World};

/// Characters of a wrong `at` that its refusal shows.
const SHOWN_CHARS_MAX: usize = 40;

/// Which instant, by which clock.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    /// A date of the world, `2024-03-01`, `2024-03-01T06:00` or `2024-03-01T06:00:00`; or whole
    /// game minutes since the world's epoch. Now if left out.
    at: Option<String>,
    /// The name of a clock of the world file; the world's own if left out.
    #[serde(default)]
    clock: String,
}

/// What a calendar calls an instant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarNames)]
pub(super) struct Names {
    /// The season's name for people.
    season_name: String,
    /// `March`; of a day outside the months the month before it.
    month_name: String,
    /// `1 March`, or the name of a day outside the months.
    day_name: String,
    /// The weekday by name; null on a day outside weeks.
    weekday: Option<String>,
    /// Null before the first era.
    era: Option<EraYear>,
    /// In the order of the calendar.
    moons: Vec<MoonNow>,
    /// The holidays that the day is in.
    holidays: Vec<HolidayNow>,
}

/// A year as an era counts it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarEraYear)]
struct EraYear {
    /// The era.
    name: String,
    /// From 1.
    year: i64,
}

/// A moon at an instant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarMoonNow)]
struct MoonNow {
    name: String,
    /// `new`, `waxing_crescent`, `first_quarter`, `waxing_gibbous`, `full`, `waning_gibbous`,
    /// `last_quarter` or `waning_crescent`.
    phase: &'static str,
    /// How much of its cycle has passed since new moon, 0 to 999.
    cycle_permille: u16,
    /// How much of its disc is lit, 0 to 1000.
    lit_permille: u16,
}

/// A holiday of a day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarHolidayNow)]
struct HolidayNow {
    /// As in events and schedules.
    id: String,
    name: String,
}

/// An instant by the calendar of a world.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarInstant)]
pub(super) struct Instant {
    /// The world's id.
    world: String,
    /// The calendar's name.
    calendar: String,
    /// `2024-03-01T06:00:00`.
    date_time: String,
    year: i32,
    /// From 1; of a day outside the months the month before it.
    month: u8,
    /// From 1; of a day outside the months beyond its month's last.
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    /// From 1.
    day_of_year: u16,
    /// Days of the year.
    year_days: u16,
    /// The day is outside months and weeks.
    intercalary: bool,
    /// `dawn`, `day`, `dusk` or `night`; by the sun, that of the world's first region.
    phase: &'static str,
    /// The season's id; `/api/time/calendar/rules` lists them.
    season: String,
    #[serde(flatten)]
    names: Names,
    /// Whole game minutes since the world's epoch.
    total_minutes: i64,
}

/// What the calendar says of now, or of any date or instant.
#[utoipa::path(get, path = "/api/time/calendar", tag = "time", params(When),
    responses((status = 200, description = "The instant.", body = Instant),
        (status = 404, description = "No such clock.")))]
pub(super) async fn calendar(
    State(desk): State<Desk>,
    Query(when): Query<When>,
) -> Answer<Instant> {
    let face = desk.face(&when.clock)?;
    let game = match &when.at {
        Some(text) => instant(&face.clockwork.calendar, text)?,
        None => face.clockwork.view().log.clock().game_at(face.clockwork.now()),
    };
    Ok(Json(Instant::new(face, game)))
}

fn instant(calendar: &Calendar, text: &str) -> Result<GameTime, Problem> {
    if let Ok(minutes) = text.parse() {
        return Ok(GameTime::from_minutes(minutes));
    }
    let invalid = |why: String| {
        let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
        let detail = format!(
            "query parameter `at`: {why}; or whole game minutes since the world's epoch; \
             found {shown:?}"
        );
        Problem::bad_request(detail).with_field("at")
    };
    let date: DateTime = text.parse().map_err(|error| invalid(format!("{error}")))?;
    calendar.game_time(&date).map_err(|error| invalid(error.to_string()))
}

impl Names {
    pub(super) fn new(world: &World, game: GameTime) -> Self {
        let calendar = world.calendar();
        let (rules, day) = (calendar.rules(), calendar.day(game));
        let era = rules.era(day.year).map(|(era, year)| EraYear { name: era.name.clone(), year });
        let moons = calendar.moons(game).map(|(moon, state)| MoonNow {
            name: moon.name.clone(),
            phase: state.phase.name(),
            cycle_permille: state.cycle_permille,
            lit_permille: state.lit_permille,
        });
        let holidays = calendar
            .holidays(&day)
            .map(|holiday| HolidayNow { id: holiday.id.clone(), name: holiday.name.clone() });
        Self {
            season_name: calendar.season(game, world.hemisphere()).name.clone(),
            month_name: rules.months()[usize::from(day.month) - 1].name.clone(),
            day_name: calendar.day_name(&day),
            weekday: calendar.weekday_name(&day).map(str::to_owned),
            era,
            moons: moons.collect(),
            holidays: holidays.collect(),
        }
    }
}

impl Instant {
    fn new(face: &Face, game: GameTime) -> Self {
        let (world, calendar) = (&face.world, &face.clockwork.calendar);
        let (date, day) = (calendar.at(game), calendar.day(game));
        Self {
            world: world.id.clone(),
            calendar: calendar.rules().name().to_owned(),
            date_time: date.to_string(),
            year: date.year,
            month: date.month,
            day: date.day,
            hour: date.hour,
            minute: date.minute,
            second: date.second,
            day_of_year: day.day_of_year,
            year_days: day.year_days,
            intercalary: day.intercalary.is_some(),
            phase: world.phase(game).name(),
            season: calendar.season(game, world.hemisphere()).id.clone(),
            names: Names::new(world, game),
            total_minutes: game.minutes(),
        }
    }
}
