//! Reading how the director works, and what it may propose. Not here: proposing (`director`).

use super::Reading;
use super::texts::{strings, templates};
use crate::grammar::{Shape, Template};
use crate::rules::plan::{Incident, IncidentCommand, Plan};
use worldbus_events::v1::WeatherState;
use worldbus_world::WorldFileError;
use worldbus_world::source::{Keys, Table};

pub(super) const KEYS: Keys = &[
    "cycle_hours",
    "on_hours",
    "calm_permille",
    "peak_permille",
    "gap_hours",
    "gap_region_hours",
    "valid_hours",
    "incidents",
];
const INCIDENT_KEYS: Keys = &["kind", "seasons", "weather", "minutes", "field", "value", "texts"];

/// A year.
const HOURS_MAX: i64 = 8_784;
/// What an override may last.
const MINUTES_MAX: i64 = 14_400;
const INCIDENT_COUNT_MAX: usize = 50;
const SEASON_COUNT_MAX: usize = 12;
const VALUE_CHARS_MAX: usize = 100;

pub(super) fn plan(reading: &Reading<'_>, mut table: Table<'_>) -> Result<Plan, WorldFileError> {
    let cycle_hours = table.integer("cycle_hours", 1, HOURS_MAX)?;
    let calm_permille = table.integer("calm_permille", 0, 1000)?;
    let mut plan = Plan {
        cycle_hours,
        on_hours: table.integer("on_hours", 1, cycle_hours)?,
        calm_permille,
        peak_permille: table.integer("peak_permille", calm_permille, 1000)?,
        gap_hours: table.integer("gap_hours", 1, HOURS_MAX)?,
        gap_region_hours: table.integer("gap_region_hours", 1, HOURS_MAX)?,
        valid_hours: table.integer("valid_hours", 1, HOURS_MAX)?,
        incidents: Vec::new(),
    };
    for within in table.tables("incidents", INCIDENT_KEYS, INCIDENT_COUNT_MAX)? {
        let incident = incident(reading, within)?;
        plan.incidents.push(incident);
    }
    table.finish()?;
    Ok(plan)
}

fn incident(reading: &Reading<'_>, mut table: Table<'_>) -> Result<Incident, WorldFileError> {
    let kind = table.id("kind")?;
    let seasons = match table.has("seasons") {
        true => strings(&mut table, "seasons", SEASON_COUNT_MAX)?,
        false => Vec::new(),
    };
    let seasons = seasons.into_iter().map(|(_, season)| season.to_owned()).collect();
    let command = match table.has("weather") {
        true => weather(&mut table)?,
        false => {
            IncidentCommand::State { field: table.id("field")?, value: text(&mut table, "value")? }
        }
    };
    let known = |field: &str| (field == "region").then_some(Shape::Text);
    let check = |template: &Template| template.check(reading.phrases, &known);
    let texts = templates(&mut table, &check)?;
    table.finish()?;
    Ok(Incident { kind, seasons, command, texts })
}

fn weather(table: &mut Table<'_>) -> Result<IncidentCommand, WorldFileError> {
    let state = table.with("weather", |value| {
        let name = value.as_str().unwrap_or_default();
        let full = format!("WEATHER_STATE_{}", name.to_ascii_uppercase());
        let known = WeatherState::from_str_name(&full);
        let known = known.filter(|state| *state != WeatherState::Unspecified);
        known.ok_or_else(|| format!("expected a weather state such as heavy_rain, found {name:?}"))
    })?;
    let minutes = table.integer("minutes", 1, MINUTES_MAX)?;
    Ok(IncidentCommand::Weather { state, minutes: u32::try_from(minutes).unwrap_or(1) })
}

fn text(table: &mut Table<'_>, key: &'static str) -> Result<String, WorldFileError> {
    table.with(key, |value| {
        let text = value.as_str().unwrap_or_default();
        match (1..=VALUE_CHARS_MAX).contains(&text.chars().count()) {
            true => Ok(text.to_owned()),
            false => Err(format!("expected a text of 1 to {VALUE_CHARS_MAX} characters")),
        }
    })
}
