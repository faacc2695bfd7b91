//! What `worldbus state` shows: entities, lists of them, their history.

use anyhow::{Result, bail};
use serde_json::Value;

use super::arguments::{At, GetArguments, HistoryArguments, ListArguments};
use crate::output::format::Format;
use crate::output::table::{Table, cell, items, pairs};
use crate::output::terminal::for_output;
use crate::session::rest::Rest;

/// Characters of a value in a table.
const SHOWN_CHARS_MAX: usize = 60;

/// An entity, or a field of it.
pub(super) async fn get(rest: &Rest, format: Format, asked: GetArguments) -> Result<String> {
    let At { at_version, at_game_time } = asked.at;
    let query =
        [("at_version", at_version.map(|at| at.to_string())), ("at_game_time", at_game_time)];
    let entity = rest.get(&format!("/api/state/{}", path(&asked.entity)), &query).await?;
    let Some(field) = asked.field else {
        return Ok(format.page(&entity, || one(&entity)));
    };
    match entity["fields"].get(&field) {
        Some(value) => Ok(format.page(value, || for_output(format!("{}\n", text(value))))),
        None => bail!("{} has no field {field}", asked.entity),
    }
}

/// Entities.
pub(super) async fn list(rest: &Rest, format: Format, asked: ListArguments) -> Result<String> {
    let At { at_version, at_game_time } = asked.at;
    let query = [
        ("prefix", asked.prefix),
        ("where", asked.conditions),
        ("limit", Some(asked.limit.to_string())),
        ("cursor", asked.cursor),
        ("at_version", at_version.map(|at| at.to_string())),
        ("at_game_time", at_game_time),
    ];
    let page = rest.get("/api/state", &query).await?;
    let text = || {
        let mut table = Table::new(&["ENTITY", "VERSION", "FIELDS"]);
        for entity in items(&page, "entities") {
            table.row([cell(entity, "entity"), cell(entity, "version"), fields(entity)]);
        }
        let shown = if table.is_empty() { "no entities\n".to_owned() } else { table.to_string() };
        match page["next"].as_str() {
            Some(next) => format!("{shown}more: --cursor '{next}'\n"),
            None => shown,
        }
    };
    Ok(format.page(&page, text))
}

/// What changed an entity.
pub(super) async fn history(
    rest: &Rest,
    format: Format,
    asked: HistoryArguments,
) -> Result<String> {
    let query = [("entity", Some(asked.entity)), ("limit", Some(asked.limit.to_string()))];
    let history = rest.get("/api/state/history", &query).await?;
    let text = || {
        let mut table = Table::new(&["VERSION", "GAME TIME", "CHANGES", "ACTOR", "REASON"]);
        items(&history, "history").for_each(|step| table.row(row(step, field_changes(step))));
        if table.is_empty() { "nothing that is kept\n".to_owned() } else { table.to_string() }
    };
    Ok(format.page(&history, text))
}

/// A step in a line.
pub(super) fn row(step: &Value, changes: String) -> [String; 5] {
    let of = |key| cell(step, key);
    [of("version"), of("game_time"), changes, of("actor"), of("reason")]
}

/// The path of an entity's name within a URL: what no name has is encoded, so that it is refused.
fn path(entity: &str) -> String {
    let segments = entity.split('/');
    let encoded = segments.map(|segment| {
        form_urlencoded::byte_serialize(segment.as_bytes()).collect::<String>().replace('+', "%20")
    });
    encoded.collect::<Vec<_>>().join("/")
}

fn one(entity: &Value) -> String {
    let head = pairs(&[
        ("entity", cell(entity, "entity")),
        ("version", cell(entity, "version")),
        ("world version", cell(entity, "world_version")),
    ]);
    let fields = entity["fields"].as_object().into_iter().flatten();
    let fields: Vec<_> = fields.map(|(name, value)| (name.as_str(), text(value))).collect();
    format!("{head}\n{}", pairs(&fields))
}

fn fields(entity: &Value) -> String {
    let fields = entity["fields"].as_object().into_iter().flatten();
    let fields = fields.map(|(name, value)| format!("{name}={}", short(value)));
    fields.collect::<Vec<_>>().join(" ")
}

fn field_changes(step: &Value) -> String {
    let change = |delta: &Value| match delta["op"].as_str() {
        Some("set") => format!("{}={}", cell(delta, "field"), short(&delta["value"])),
        _ => format!("-{}", cell(delta, "field")),
    };
    items(step, "changes").map(change).collect::<Vec<_>>().join(" ")
}

/// A value for people: text without its quotes.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The same in few characters.
pub(super) fn short(value: &Value) -> String {
    let whole = text(value);
    match whole.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &whole[..end]),
        None => whole,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_are_short_and_text_stands_without_quotes() {
        let step = json!({"changes": [
            {"field": "ruler", "op": "set", "value": "anna"},
            {"field": "siege", "op": "set", "value": {"men": 4000}},
            {"field": "curfew", "op": "remove"},
            {"field": "tale", "op": "set", "value": "x".repeat(100)},
        ]});
        let tale = format!("tale={}…", "x".repeat(SHOWN_CHARS_MAX));
        assert_eq!(
            field_changes(&step),
            format!("ruler=anna siege={{\"men\":4000}} -curfew {tale}")
        );
    }

    #[test]
    fn names_that_are_none_do_not_leave_their_path() {
        assert_eq!(path("region/ghent"), "region/ghent");
        assert_eq!(path("a b?at_version=1#x/%"), "a%20b%3Fat_version%3D1%23x/%25");
    }
}
