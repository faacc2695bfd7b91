//! Changes of the state: each a step of one change.

use anyhow::Result;
use serde_json::{Value, json};

use super::arguments::{IncrementArguments, RemoveArguments, SetArguments, Wish};
use crate::output::failure::WrongUse;
use crate::output::format::Format;
use crate::output::table::{cell, pairs};
use crate::session::rest::{Rest, object};

/// Sets a field.
pub(super) async fn set(rest: &Rest, format: Format, asked: &SetArguments) -> Result<String> {
    // What is no JSON is text.
    let value = serde_json::from_str(&asked.value).unwrap_or_else(|_| asked.value.clone().into());
    let change = object([
        ("entity", Some(asked.entity.clone().into())),
        ("field", Some(asked.field.clone().into())),
        ("op", Some("set".into())),
        ("value", Some(value)),
    ]);
    post(rest, format, change, &asked.wish, asked.expires_at_game).await
}

/// Removes a field or an entity.
pub(super) async fn remove(rest: &Rest, format: Format, asked: &RemoveArguments) -> Result<String> {
    let change = object([
        ("entity", Some(asked.entity.clone().into())),
        ("field", asked.field.clone().map(Value::from)),
        ("op", Some("remove".into())),
    ]);
    post(rest, format, change, &asked.wish, None).await
}

/// Adds a number to a field.
pub(super) async fn increment(
    rest: &Rest,
    format: Format,
    asked: &IncrementArguments,
) -> Result<String> {
    let number: serde_json::Number = serde_json::from_str(&asked.number).map_err(|_| {
        WrongUse(format!("NUMBER: expected a number such as 50, found {:?}", asked.number))
    })?;
    let change = object([
        ("entity", Some(asked.entity.clone().into())),
        ("field", Some(asked.field.clone().into())),
        ("op", Some("increment".into())),
        ("value", Some(number.into())),
    ]);
    post(rest, format, change, &asked.wish, None).await
}

async fn post(
    rest: &Rest,
    format: Format,
    mut change: Value,
    wish: &Wish,
    expires_at_game: Option<i64>,
) -> Result<String> {
    if let Some(version) = wish.if_version {
        change["if_version"] = version.into();
    }
    let body = object([
        ("changes", Some(json!([change]))),
        ("idempotency_key", wish.idempotency_key.clone().map(Value::from)),
        ("expires_at_game", expires_at_game.map(Value::from)),
    ]);
    let taken = rest.post("/api/state/commands", &[], &wish.by.sign(body)).await?;
    Ok(format.page(&taken, || pairs(&[("world version", cell(&taken, "world_version"))])))
}
