//! The commands of the weather: each answers with what it makes, and when.

use anyhow::Result;
use serde_json::{Value, json};

use super::arguments::{ClearArguments, OffsetArguments, OverrideArguments};
use super::arguments::{SeasonShiftArguments, SetArguments, StormCellArguments};
use super::look;
use crate::output::format::Format;
use crate::output::table::{cell, pairs};
use crate::session::by::By;
use crate::session::rest::{Rest, object};

/// Forces a state on a region.
pub(super) async fn set(rest: &Rest, format: Format, wish: &SetArguments) -> Result<String> {
    let body = object([
        ("region", Some(wish.region.clone().into())),
        ("state", Some(wish.state.clone().into())),
        ("intensity", wish.intensity.map(Value::from)),
        ("duration_game_minutes", wish.minutes.map(Value::from)),
    ]);
    let changed = post(rest, "/api/weather/set", body, &wish.by).await?;
    Ok(format.page(&changed, || look::one(&changed)))
}

/// Lets the weather stand still.
pub(super) async fn lock(rest: &Rest, format: Format, wish: &OverrideArguments) -> Result<String> {
    add(rest, format, wish, json!({ "kind": "lock" })).await
}

/// Adds to what is planned.
pub(super) async fn offset(rest: &Rest, format: Format, wish: &OffsetArguments) -> Result<String> {
    let effect = object([
        ("kind", Some("offset".into())),
        ("temperature_c", wish.temperature_c.map(Value::from)),
        ("wind_mps", wish.wind_mps.map(Value::from)),
        ("rain_factor", wish.rain_factor.map(Value::from)),
    ]);
    add(rest, format, &wish.common, effect).await
}

/// Takes the plan of another time of the year.
pub(super) async fn season_shift(
    rest: &Rest,
    format: Format,
    wish: &SeasonShiftArguments,
) -> Result<String> {
    add(rest, format, &wish.common, json!({ "kind": "season_shift", "days": wish.days })).await
}

/// Lets a storm cross the map.
pub(super) async fn storm_cell(
    rest: &Rest,
    format: Format,
    wish: &StormCellArguments,
) -> Result<String> {
    let path = wish.path.iter();
    let path = path.map(|at| json!({ "latitude": at.latitude, "longitude": at.longitude }));
    let effect = object([
        ("kind", Some("storm_cell".into())),
        ("path", Some(path.collect())),
        ("radius_km", Some(wish.radius_km.into())),
        ("speed_kmh", Some(wish.speed_kmh.into())),
        ("state", Some(wish.state.clone().into())),
        ("intensity", wish.intensity.map(Value::from)),
    ]);
    add(rest, format, &wish.common, effect).await
}

/// Adds an override; those that are there stay.
async fn add(
    rest: &Rest,
    format: Format,
    wish: &OverrideArguments,
    effect: Value,
) -> Result<String> {
    let body = object([
        ("regions", Some(wish.regions.clone().into())),
        ("effect", Some(effect)),
        ("start", wish.start.clone().map(Value::from)),
        ("duration_game_minutes", wish.minutes.map(Value::from)),
        ("fade_in_game_minutes", wish.fade_in_minutes.map(Value::from)),
        ("fade_out_game_minutes", wish.fade_out_minutes.map(Value::from)),
        ("priority", wish.priority.map(Value::from)),
    ]);
    let taken = post(rest, "/api/weather/overrides", body, &wish.by).await?;
    Ok(format.page(&taken, || command(&taken)))
}

/// Ends what is forced.
pub(super) async fn clear(rest: &Rest, format: Format, wish: &ClearArguments) -> Result<String> {
    let body = object([
        ("region", wish.region.clone().map(Value::from)),
        ("id", wish.id.clone().map(Value::from)),
    ]);
    let taken = post(rest, "/api/weather/clear", body, &wish.by).await?;
    Ok(format.page(&taken, || command(&taken)))
}

/// Undoes the last command.
pub(super) async fn undo(rest: &Rest, format: Format, by: &By) -> Result<String> {
    let taken = post(rest, "/api/weather/undo", object([]), by).await?;
    Ok(format.page(&taken, || command(&taken)))
}

async fn post(rest: &Rest, path: &str, body: Value, by: &By) -> Result<Value> {
    rest.post(path, &[], &by.sign(body)).await
}

/// A command that was taken.
fn command(taken: &Value) -> String {
    let command = &taken["command"];
    let regions = match cell(command, "regions") {
        regions if regions.is_empty() => "(all)".to_owned(),
        regions => regions,
    };
    pairs(&[
        ("command", cell(command, "verb")),
        ("override", cell(command, "id")),
        ("undone", cell(command, "undone")),
        ("regions", regions),
        ("game time", cell(command, "game_time")),
        ("effective at", cell(taken, "effective_at")),
    ])
}
