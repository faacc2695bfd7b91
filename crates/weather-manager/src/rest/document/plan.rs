//! The JSON documents about other times than now: histories, statistics, alerts.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::super::Shared;
use super::Weather;
use crate::agenda::{alert_id, in_view};
use worldbus_world::{GameTime, Overrides, Severity, Spell, WeatherState};

/// The weather of a region over a stretch of time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeatherHistory)]
pub(in super::super) struct History {
    /// The region's id.
    region: String,
    entries: Vec<Entry>,
}

/// The weather at a game time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeatherHistoryEntry)]
struct Entry {
    /// `2024-03-01T06:00:00`.
    game_time: String,
    /// Whole game minutes since the world's epoch.
    total_minutes: i64,
    #[serde(flatten)]
    weather: Weather,
}

impl History {
    pub(in super::super) fn new(
        shared: &Shared,
        region: usize,
        times: &[GameTime],
        overrides: &Overrides,
    ) -> Self {
        let entry = |time: &GameTime| Entry {
            game_time: shared.game_text(*time),
            total_minutes: time.minutes(),
            weather: Weather::new(&shared.weather.conditions(region, *time, overrides)),
        };
        let region = shared.world.regions[region].id.clone();
        Self { region, entries: times.iter().map(entry).collect() }
    }
}

/// The weather of a region over a stretch of time, in figures of its instants.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeatherStatistics)]
pub(in super::super) struct Statistics {
    /// The region's id.
    region: String,
    /// How many instants were looked at.
    count: u32,
    temperature_min_c: f64,
    temperature_mean_c: f64,
    temperature_max_c: f64,
    wind_mean_mps: f64,
    wind_gust_max_mps: f64,
    /// What falls in an hour, in the mean.
    precipitation_mean_mm_per_h: f64,
    /// Part of the instants at which something fell, 0 to 1.
    wet_share: f64,
    /// Part of the instants in each state that there was, 0 to 1.
    state_shares: BTreeMap<String, f64>,
}

impl Statistics {
    pub(in super::super) fn new(
        shared: &Shared,
        region: usize,
        times: Vec<GameTime>,
        overrides: &Overrides,
    ) -> Self {
        let sum = shared.weather.summary(region, times.into_iter(), overrides);
        let count = f64::from(sum.hours.max(1));
        let states = WeatherState::ALL.into_iter().zip(sum.state_hours);
        let share = |(state, hours): (WeatherState, u32)| {
            (hours > 0).then(|| (state.name().to_owned(), f64::from(hours) / count))
        };
        Self {
            region: shared.world.regions[region].id.clone(),
            count: sum.hours,
            temperature_min_c: f64::from(sum.temperature_min_dc) / 10.0,
            temperature_mean_c: sum.temperature_sum_dc as f64 / 10.0 / count,
            temperature_max_c: f64::from(sum.temperature_max_dc) / 10.0,
            wind_mean_mps: sum.wind_sum_dmps as f64 / 10.0 / count,
            wind_gust_max_mps: f64::from(sum.gust_max_dmps) / 10.0,
            precipitation_mean_mm_per_h: sum.precipitation_um as f64 / 1000.0 / count,
            wet_share: f64::from(sum.wet_hours) / count,
            state_shares: states.filter_map(share).collect(),
        }
    }
}

/// Alerts, region by region.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeatherAlerts)]
pub(in super::super) struct Alerts {
    alerts: Vec<Alert>,
}

/// Severe weather that is under way or coming.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeatherAlert)]
struct Alert {
    /// As in the events.
    alert_id: String,
    /// The region's id.
    region: String,
    /// The state at its onset.
    state: String,
    /// `advisory`, `watch`, `warning` or `extreme`.
    severity: String,
    /// Game time.
    onset: String,
    /// Game time.
    end: String,
    peak_wind_gust_mps: f64,
    peak_precipitation_mm_per_h: f64,
    /// A part of it is forced by an override.
    forced: bool,
}

impl Alerts {
    pub(in super::super) fn new(
        shared: &Shared,
        regions: &[usize],
        now: GameTime,
        overrides: &Overrides,
    ) -> Self {
        let of = |region: &usize| {
            let spells = in_view(&shared.weather, *region, now, overrides);
            let alert = |spell: &Spell| Alert::new(shared, *region, spell);
            spells.iter().map(alert).collect::<Vec<_>>()
        };
        Self { alerts: regions.iter().flat_map(of).collect() }
    }
}

impl Alert {
    fn new(shared: &Shared, region: usize, spell: &Spell) -> Self {
        let severity = match spell.severity {
            Severity::Advisory => "advisory",
            Severity::Watch => "watch",
            Severity::Warning => "warning",
            Severity::Extreme => "extreme",
        };
        let id = &shared.world.regions[region].id;
        Self {
            alert_id: alert_id(id, spell),
            region: id.clone(),
            state: spell.state.name().to_owned(),
            severity: severity.to_owned(),
            onset: shared.game_text(spell.onset),
            end: shared.game_text(spell.end),
            peak_wind_gust_mps: f64::from(spell.peak_gust_dmps) / 10.0,
            peak_precipitation_mm_per_h: f64::from(spell.peak_precipitation_umph) / 1000.0,
            forced: spell.forced,
        }
    }
}
