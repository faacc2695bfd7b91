//! What `worldbus chronicle` shows: entries, digests, stories.

use anyhow::Result;
use serde_json::Value;

use super::arguments::{ArcsArguments, DigestArguments, Filters, SearchArguments, ShowArguments};
use crate::output::table::{Table, cell, items, pairs};
use crate::output::terminal::printable;
use crate::session::rest::{Parameter, Rest};

/// Entries.
pub(super) async fn search(rest: &Rest, asked: SearchArguments) -> Result<String> {
    let words = (!asked.words.is_empty()).then(|| asked.words.join(" "));
    let mut query = parameters(&asked.filters);
    query.extend([
        ("q", words),
        ("limit", Some(asked.limit.to_string())),
        ("cursor", asked.cursor),
    ]);
    let answer = rest.get("/api/chronicle", &query).await?;
    Ok(asked.format.page(&answer, || {
        let mut page = entries(&answer);
        if let Some(next) = answer["next"].as_str() {
            page.push_str(&format!("\nThere are more: --cursor {}\n", printable(next)));
        }
        page
    }))
}

/// What happened lately.
pub(super) async fn digest(rest: &Rest, asked: DigestArguments) -> Result<String> {
    let query = [
        ("region", asked.region),
        ("hours", Some(asked.hours.to_string())),
        ("limit", Some(asked.limit.to_string())),
    ];
    let answer = rest.get("/api/chronicle/digest", &query).await?;
    Ok(asked.format.page(&answer, || entries(&answer)))
}

/// One entry.
pub(super) async fn show(rest: &Rest, asked: ShowArguments) -> Result<String> {
    let id: String = asked.id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let entry = rest.get(&format!("/api/chronicle/{id}"), &[]).await?;
    Ok(asked.format.page(&entry, || {
        let of = |key| cell(&entry, key);
        let model = of("model");
        let original = if model.is_empty() { String::new() } else { of("original_text") };
        pairs(&[
            ("id", of("id")),
            ("game time", of("game_time")),
            ("region", of("region_name")),
            ("significance", of("significance")),
            ("text", of("text")),
            ("written by", model),
            ("before that", original),
            ("rule", of("rule")),
            ("story", of("arc")),
            ("events", of("event_ids")),
        ])
    }))
}

/// Stories.
pub(super) async fn arcs(rest: &Rest, asked: ArcsArguments) -> Result<String> {
    let query = [
        ("region", asked.region),
        ("kind", asked.kind),
        ("open", asked.open.then(|| "true".to_owned())),
        ("limit", Some(asked.limit.to_string())),
    ];
    let answer = rest.get("/api/chronicle/arcs", &query).await?;
    Ok(asked.format.page(&answer, || {
        let mut table = Table::new(&["STORY", "STAGE", "SINCE", "ID"]);
        for arc in items(&answer, "arcs") {
            let over = if arc["ended"].as_bool() == Some(true) { " (over)" } else { "" };
            let stage = format!("{}{over}", cell(arc, "stage"));
            table.row([cell(arc, "title"), stage, time(arc, "since"), cell(arc, "id")]);
        }
        if table.is_empty() { "No stories yet.\n".to_owned() } else { table.to_string() }
    }))
}

/// The parameters of filters.
pub(super) fn parameters(filters: &Filters) -> Vec<Parameter<'static>> {
    vec![
        ("region", filters.region.clone()),
        ("from", filters.from.clone()),
        ("to", filters.to.clone()),
        ("arc", filters.arc.clone()),
        ("min_significance", filters.min_significance.map(|least| least.to_string())),
    ]
}

fn entries(answer: &Value) -> String {
    let mut table = Table::new(&["GAME TIME", "SIGNIFICANCE", "ENTRY"]);
    for entry in items(answer, "entries") {
        table.row([time(entry, "game_time"), cell(entry, "significance"), cell(entry, "text")]);
    }
    if table.is_empty() { "No entries.\n".to_owned() } else { table.to_string() }
}

/// Without seconds: `2024-03-01 06:00`.
fn time(entry: &Value, key: &str) -> String {
    let text = cell(entry, key).replace('T', " ");
    text.get(..text.len().saturating_sub(3)).unwrap_or_default().to_owned()
}
