//! The weather at other times than now: at an instant, over a stretch, in figures, and the
//! alerts in view. Not here: the forecast from now on (`rest`).

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::document::{Alerts, History, Moment, RegionWeather, Statistics};
use super::{Answer, Computed, Shared};
use worldbus_service::{Json, Problem, Query};
use worldbus_world::GameTime;

/// Entries that a history has at most.
const HISTORY_COUNT_MAX: i64 = 744;
/// Game hours that statistics may cover: a leap year.
const STATISTICS_HOURS_MAX: i64 = 8_784;
/// Regions whose alerts are looked up at once.
const ALERT_REGION_COUNT_MAX: usize = 500;

/// Where and when.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct AtQuery {
    /// A region's id.
    region: String,
    /// `2024-03-01T06:00:00`, or whole game minutes since the world's epoch; now if left out.
    game_time: Option<String>,
}

/// Where, and from when to when.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct StretchQuery {
    /// A region's id.
    region: String,
    /// The first game time.
    from: String,
    /// The game time behind the last; may be still to come.
    to: String,
    /// Game hours from one entry to the next; 1 if left out.
    #[param(minimum = 1, maximum = 8784)]
    step_hours: Option<i64>,
}

/// Where.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertsQuery {
    /// A region's id; all regions if left out.
    region: Option<String>,
}

/// The weather of a region at any game time: what was, is, or is going to be.
#[utoipa::path(get, path = "/api/weather/at", tag = "weather", params(AtQuery),
    responses((status = 200, description = "The weather.", body = RegionWeather),
        (status = 404, description = "No such region.")))]
pub(super) async fn at(
    State(shared): State<Shared>,
    Query(query): Query<AtQuery>,
) -> Answer<RegionWeather> {
    let region = shared.region(&query.region)?;
    shared.follower.catch_up().await;
    let (overrides, now) = shared.known()?;
    let asked = query.game_time.as_deref().map(|text| shared.game_time("game_time", text));
    let moment = Moment::new(&shared.world, asked.transpose()?.unwrap_or(now));
    Ok(Json(RegionWeather::new(&shared, region, &moment, &overrides)))
}

/// The weather of a region over a stretch of game time, at most 744 entries.
#[utoipa::path(get, path = "/api/weather/history", tag = "weather", params(StretchQuery),
    responses((status = 200, description = "The weather, entry by entry.", body = History),
        (status = 404, description = "No such region.")))]
pub(super) async fn history(
    State(shared): State<Shared>,
    Query(query): Query<StretchQuery>,
) -> Computed {
    let region = shared.region(&query.region)?;
    let times = shared.stretch(&query, HISTORY_COUNT_MAX)?;
    let history = move |shared: &Shared| {
        let (overrides, _) = shared.known()?;
        Ok(History::new(shared, region, &times, &overrides))
    };
    shared.compute(history).await
}

/// The weather of a region over a stretch of game time in figures, at most 8,784 hours.
#[utoipa::path(get, path = "/api/weather/statistics", tag = "weather", params(StretchQuery),
    responses((status = 200, description = "The figures.", body = Statistics),
        (status = 404, description = "No such region.")))]
pub(super) async fn statistics(
    State(shared): State<Shared>,
    Query(query): Query<StretchQuery>,
) -> Computed {
    let region = shared.region(&query.region)?;
    let times = shared.stretch(&query, STATISTICS_HOURS_MAX)?;
    let statistics = move |shared: &Shared| {
        let (overrides, _) = shared.known()?;
        Ok(Statistics::new(shared, region, times, &overrides))
    };
    shared.compute(statistics).await
}

/// The alerts of severe weather that are raised.
#[utoipa::path(get, path = "/api/weather/alerts", tag = "weather", params(AlertsQuery),
    responses((status = 200, description = "The alerts.", body = Alerts),
        (status = 404, description = "No such region.")))]
pub(super) async fn alerts(
    State(shared): State<Shared>,
    Query(query): Query<AlertsQuery>,
) -> Computed {
    let count = shared.world.regions.len();
    let regions = match query.region {
        Some(name) => vec![shared.region(&name)?],
        None if count <= ALERT_REGION_COUNT_MAX => (0..count).collect(),
        None => {
            let text = format!(
                "query parameter `region`: expected, since the world has {count} regions and \
                 alerts of at most {ALERT_REGION_COUNT_MAX} are looked up at once"
            );
            return Err(Problem::bad_request(text).with_field("region"));
        }
    };
    let alerts = move |shared: &Shared| {
        let (overrides, now) = shared.in_effect()?;
        Ok(Alerts::new(shared, &regions, now, &overrides))
    };
    shared.compute(alerts).await
}

impl Shared {
    /// The instants of a stretch.
    fn stretch(&self, query: &StretchQuery, count_max: i64) -> Result<Vec<GameTime>, Problem> {
        let from = self.game_time("from", &query.from)?;
        let to = self.game_time("to", &query.to)?;
        let step = query.step_hours.unwrap_or(1);
        let refuse = |field: &'static str, text: String| {
            Err(Problem::bad_request(format!("query parameter `{field}`: {text}"))
                .with_field(field))
        };
        if !(1..=8_784).contains(&step) {
            return refuse("step_hours", format!("expected 1 to 8784, found {step}"));
        }
        let step_us = step * GameTime::HOUR_US;
        let length_us = to.0.saturating_sub(from.0);
        if length_us <= 0 {
            return refuse("to", "expected a game time after `from`".to_owned());
        }
        let count = (length_us - 1) / step_us + 1;
        if count > count_max {
            let text = format!("expected at most {count_max} entries, found {count}");
            return refuse("to", format!("{text}; a larger `step_hours` makes fewer"));
        }
        Ok((0..count).map(|at| from.plus_us(at * step_us)).collect())
    }
}
