//! The commands of the weather: each answers with what it makes, and when.

use anyhow::Result;
use serde_json::{Value, json};

use super::arguments::{By, ClearArguments, LockArguments, SetArguments};
use super::look;
use crate::output::format::Format;
use crate::output::table::{cell, pairs};
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
pub(super) async fn lock(rest: &Rest, format: Format, wish: &LockArguments) -> Result<String> {
    let body = object([
        ("regions", Some(wish.regions.clone().into())),
        ("effect", Some(json!({ "kind": "lock" }))),
        ("duration_game_minutes", wish.minutes.map(Value::from)),
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

async fn post(rest: &Rest, path: &str, mut body: Value, by: &By) -> Result<Value> {
    body["actor"] = by.actor.clone().into();
    if let Some(reason) = &by.reason {
        body["reason"] = reason.clone().into();
    }
    rest.post(path, &[], &body).await
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
