//! `worldbus state watch`: steps as they come, one after the other, without a gap.

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::arguments::WatchArguments;
use super::look::{row, short};
use crate::output::format::Format;
use crate::output::table::{cell, items};
use crate::output::terminal::printable;
use crate::session::rest::Rest;
use worldbus_service::shutdown;

/// The service holds a request for so long while nothing comes; shorter than a call may take.
const WAIT_SECONDS: u64 = 5;

/// Writes steps until there are enough, or a signal.
pub(super) async fn run(rest: &Rest, format: Format, asked: WatchArguments) -> Result<ExitCode> {
    let shutdown = shutdown::on_signal().context("cannot listen for signals")?;
    let watched = shutdown.run_until_cancelled(watch(rest, format, asked)).await;
    watched.unwrap_or(Ok(()))?;
    Ok(ExitCode::SUCCESS)
}

async fn watch(rest: &Rest, format: Format, asked: WatchArguments) -> Result<()> {
    let mut from = match asked.from_version {
        Some(version) => version,
        None => {
            let page = rest.get("/api/state", &[("limit", Some("1".to_owned()))]).await?;
            page["world_version"].as_u64().context("the answer has no world_version")?
        }
    };
    let prefix = asked.prefix.unwrap_or_default();
    let mut left = asked.count.unwrap_or(u64::MAX);
    while left > 0 {
        let query = [
            ("from_version", Some(from.to_string())),
            ("wait_seconds", Some(WAIT_SECONDS.to_string())),
            ("limit", Some("1000".to_owned())),
        ];
        let mut page = rest.get("/api/state/changes", &query).await?;
        from = page["next"].as_u64().context("the answer has no next")?;
        for step in page["changes"].as_array_mut().into_iter().flatten() {
            if left > 0 && keep(step, &prefix) {
                write(&format.line(step, || line(step)))?;
                left -= 1;
            }
        }
    }
    Ok(())
}

/// Leaves the changes under a prefix; whether there are any.
fn keep(step: &mut Value, prefix: &str) -> bool {
    let Some(changes) = step["changes"].as_array_mut() else { return false };
    changes.retain(|delta| delta["entity"].as_str().is_some_and(|of| of.starts_with(prefix)));
    prefix.is_empty() || !changes.is_empty()
}

fn line(step: &Value) -> String {
    let change = |delta: &Value| {
        let path = format!("{}/{}", cell(delta, "entity"), cell(delta, "field"));
        match delta["op"].as_str() {
            Some("set") => format!("{path}={}", short(&delta["value"])),
            _ => format!("-{path}"),
        }
    };
    let changes = items(step, "changes").map(change).collect::<Vec<_>>().join(" ");
    let cells = row(step, changes);
    let there = cells.iter().filter(|cell| !cell.is_empty());
    printable(&there.map(String::as_str).collect::<Vec<_>>().join("  "))
}

fn write(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn step_is_a_line_and_only_what_is_under_the_prefix_is_shown() {
        let mut step = json!({
            "version": 7, "game_time": "2024-03-01T06:00:00", "actor": "anna",
            "changes": [
                {"entity": "region/ghent", "field": "ruler", "op": "set", "value": "anna\u{1b}"},
                {"entity": "city/ghent", "field": "mood", "op": "remove"},
            ],
        });
        assert!(keep(&mut step, "region/"));
        let shown = line(&step);
        assert_eq!(shown, "7  2024-03-01T06:00:00  region/ghent/ruler=anna\\u{1b}  anna");
        assert!(!keep(&mut step, "npc/"));
    }
}
