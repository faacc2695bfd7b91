//! The commands on people: each answers with what it makes, and when.

use anyhow::Result;
use serde_json::Value;

use super::arguments::{ClearArguments, DirectArguments, RemoveArguments, SpawnArguments};
use super::look;
use crate::output::format::Format;
use crate::output::table::{Table, cell, items, pairs};
use crate::session::by::By;
use crate::session::rest::{Rest, object};

/// Directs people.
pub(super) async fn direct(rest: &Rest, format: Format, wish: &DirectArguments) -> Result<String> {
    let named = !wish.people.is_empty();
    let body = object([
        ("people", named.then(|| wish.people.clone().into())),
        ("role", wish.role.clone().map(Value::from)),
        ("region", wish.region.clone().map(Value::from)),
        ("activity", Some(wish.activity.clone().into())),
        ("place", wish.place.clone().map(Value::from)),
        ("duration_game_minutes", Some(wish.minutes.into())),
    ]);
    post(rest, format, "/api/people/directives", body, &wish.by).await
}

/// Ends a directive.
pub(super) async fn clear(rest: &Rest, format: Format, wish: &ClearArguments) -> Result<String> {
    let body = object([("id", Some(wish.id.clone().into()))]);
    post(rest, format, "/api/people/clear", body, &wish.by).await
}

/// Adds a person.
pub(super) async fn spawn(rest: &Rest, format: Format, wish: &SpawnArguments) -> Result<String> {
    let body = object([
        ("id", Some(wish.id.clone().into())),
        ("name", wish.name.clone().map(Value::from)),
        ("region", Some(wish.region.clone().into())),
        ("role", Some(wish.role.clone().into())),
        ("home", wish.home.clone().map(Value::from)),
        ("workplace", wish.workplace.clone().map(Value::from)),
    ]);
    post(rest, format, "/api/people", body, &wish.by).await
}

/// Removes a person.
pub(super) async fn remove(rest: &Rest, format: Format, wish: &RemoveArguments) -> Result<String> {
    let body = wish.by.sign(object([]));
    let taken = rest.delete(&look::path(&wish.person, ""), &body).await?;
    Ok(shown(format, &taken))
}

/// Undoes the last command.
pub(super) async fn undo(rest: &Rest, format: Format, by: &By) -> Result<String> {
    post(rest, format, "/api/people/undo", object([]), by).await
}

/// The commands.
pub(super) async fn list(rest: &Rest, format: Format) -> Result<String> {
    let log = rest.get("/api/people/directives", &[]).await?;
    let text = || {
        let heading =
            ["REVISION", "VERB", "ID", "WHO", "ACTIVITY", "PLACE", "PEOPLE", "GAME TIME", "ACTOR"];
        let mut table = Table::new(&heading);
        for command in items(&log, "commands") {
            let of = |key| cell(command, key);
            table.row([
                of("revision"),
                of("verb"),
                of("id"),
                who(command),
                of("activity"),
                of("place"),
                of("person_count"),
                of("game_time"),
                of("actor"),
            ]);
        }
        if table.is_empty() { "no commands\n".to_owned() } else { table.to_string() }
    };
    Ok(format.page(&log, text))
}

async fn post(rest: &Rest, format: Format, path: &str, body: Value, by: &By) -> Result<String> {
    let taken = rest.post(path, &[], &by.sign(body)).await?;
    Ok(shown(format, &taken))
}

/// A command that was taken.
fn shown(format: Format, taken: &Value) -> String {
    let text = || {
        let command = &taken["command"];
        pairs(&[
            ("command", cell(command, "verb")),
            ("directive", cell(command, "id")),
            ("undone", cell(command, "undone")),
            ("who", who(command)),
            ("people", cell(command, "person_count")),
            ("game time", cell(command, "game_time")),
            ("effective at", cell(taken, "effective_at")),
        ])
    };
    format.page(taken, text)
}

/// Whom a command is for.
fn who(command: &Value) -> String {
    let parts = ["people", "role", "region"].map(|key| cell(command, key));
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
