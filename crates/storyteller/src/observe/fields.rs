//! Values of events as fields: enums as the short names that JSON and world files have.
//! Not here: which event has which (`time`, `weather`, `npc`, `state`).

use crate::grammar::Value;
use worldbus_events::v1;
use worldbus_world::{Calendar, DateTime, GameTime};

/// The short name of an enum's value: `WEATHER_STATE_HEAVY_RAIN` is `heavy_rain`.
fn short(name: &str, prefix: &str) -> Value {
    let rest = name.strip_prefix(prefix).unwrap_or(name);
    Value::Text(rest.to_ascii_lowercase())
}

pub(super) fn weather(state: v1::WeatherState) -> Value {
    short(state.as_str_name(), "WEATHER_STATE_")
}

pub(super) fn severity(severity: v1::Severity) -> Value {
    short(severity.as_str_name(), "SEVERITY_")
}

pub(super) fn season(season: v1::Season) -> Value {
    short(season.as_str_name(), "SEASON_")
}

pub(super) fn phase(phase: v1::Phase) -> Value {
    short(phase.as_str_name(), "PHASE_")
}

pub(super) fn moon_phase(phase: v1::MoonPhase) -> Value {
    short(phase.as_str_name(), "MOON_PHASE_")
}

pub(super) fn activity(activity: v1::NpcActivity) -> Value {
    short(activity.as_str_name(), "NPC_ACTIVITY_")
}

pub(super) fn operation(operation: v1::StateOperation) -> Value {
    short(operation.as_str_name(), "STATE_OPERATION_")
}

pub(super) fn number(number: impl Into<i64>) -> Value {
    Value::Number(number.into())
}

/// Whole game hours from one instant to another, rounded; 0 if the second is unknown.
pub(super) fn hours(from_us: i64, to_us: i64) -> Value {
    let us = if to_us == 0 { 0 } else { to_us.saturating_sub(from_us) };
    number(us.saturating_add(GameTime::HOUR_US / 2).div_euclid(GameTime::HOUR_US))
}

/// The first instant of a date; none if the calendar does not have it.
pub(super) fn midnight(calendar: &Calendar, date: Option<&v1::Date>) -> Option<i64> {
    let date = date?;
    let (month, day) = (u8::try_from(date.month).ok()?, u8::try_from(date.day).ok()?);
    let date = DateTime { year: date.year, month, day, hour: 0, minute: 0, second: 0 };
    calendar.game_time(&date).ok().map(|game| game.0)
}
