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
    Ok(format.page(&log, || listed(&log)))
}

fn listed(log: &Value) -> String {
    let heading = [
        "REVISION",
        "STATE",
        "VERB",
        "ID",
        "WHO",
        "ACTIVITY",
        "PLACE",
        "PEOPLE",
        "GAME TIME",
        "ACTOR",
    ];
    let mut table = Table::new(&heading);
    for command in items(log, "commands") {
        let of = |key| cell(command, key);
        let verb = match of("undone") {
            undone if undone.is_empty() => of("verb"),
            undone => format!("{} {undone}", of("verb")),
        };
        table.row([
            of("revision"),
            of("state"),
            verb,
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
}

async fn post(rest: &Rest, format: Format, path: &str, body: Value, by: &By) -> Result<String> {
    let taken = rest.post(path, &[], &by.sign(body)).await?;
    Ok(shown(format, &taken))
}

fn shown(format: Format, taken: &Value) -> String {
    format.page(taken, || taken_text(taken))
}

/// A command that was taken.
fn taken_text(taken: &Value) -> String {
    let command = &taken["command"];
    pairs(&[
        ("command", cell(command, "verb")),
        ("directive", cell(command, "id")),
        ("undone", undone(taken)),
        ("who", who(command)),
        ("people", cell(command, "person_count")),
        ("game time", cell(command, "game_time")),
        ("effective at", cell(taken, "effective_at")),
    ])
}

/// What an undo undid: what, for whom, since when, and who had commanded it.
fn undone(taken: &Value) -> String {
    let command = &taken["undone"];
    if command.is_null() {
        return cell(&taken["command"], "undone");
    }
    let of = |key| cell(command, key);
    let parts = [of("verb"), of("id"), who(command), of("activity"), of("place")];
    let what = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let [since, actor, reason] = ["game_time", "actor", "reason"].map(of);
    let by = if actor.is_empty() { String::new() } else { format!(", by {actor}") };
    let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    format!("{what}, since {since}{by}{why}")
}

/// Whom a command is for.
fn who(command: &Value) -> String {
    let parts = ["people", "role", "region"].map(|key| cell(command, key));
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn undo_states_what_it_undid_and_directives_state_what_became_of_them() {
        let directive = json!({
            "revision": 3, "verb": "direct", "state": "undone", "id": "directive-3", "people": [],
            "region": "paris", "activity": "worship", "place": "paris-temple",
            "game_time": "2024-03-01T10:00:00", "actor": "anna", "reason": "the feast",
        });
        let undo = json!({
            "revision": 4, "verb": "undo", "state": "active", "undone": 3, "people": [],
            "game_time": "2024-03-01T11:00:00", "actor": "bert", "reason": "",
        });
        let taken = json!({"command": undo, "undone": directive, "effective_at": "soon"});
        let undone = "undone        direct directive-3 paris worship paris-temple, \
                      since 2024-03-01T10:00:00, by anna: the feast\n";
        assert!(taken_text(&taken).contains(undone), "{}", taken_text(&taken));

        let listed = listed(&json!({"commands": [undo, directive]}));
        let lines: Vec<Vec<&str>> =
            listed.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0][..3], ["REVISION", "STATE", "VERB"]);
        assert_eq!(lines[1][..4], ["4", "active", "undo", "3"]);
        assert_eq!(lines[2][..4], ["3", "undone", "direct", "directive-3"]);
    }
}
