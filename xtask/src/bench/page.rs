//! The page about performance, of the figures alone: the same figures make the same page.

use std::fmt::Write as _;

use serde_json::Value;

use super::FOLDER;
use super::curves_page;
use super::numbers::{count, list, median, ms, number};
use super::rows::{CONTENDERS, Contender, Figure, ROWS, Row, SINGLE};

/// A sync that takes so many times what it took before means that the machine changed meanwhile.
const DRIFT_MAX: f64 = 1.5;

/// The whole page.
pub(super) fn text(figures: &Value) -> String {
    let mut page = head(figures);
    for row in &ROWS {
        let measured = list(figures, "rows").iter().find(|measured| measured["name"] == row.name);
        if let Some(measured) = measured {
            page += &table(row, measured, number(&figures["before"], "sync_p50_ms"));
        }
    }
    if !list(figures, "rows").is_empty() {
        page += "\nWhat is not equal:\n\n";
        for Contender { title, not_equal, .. } in &CONTENDERS {
            // Writing to a String cannot fail.
            let _ = writeln!(page, "- {title}: {not_equal}");
        }
        page += "- Peers get their best client: one that writes requests from one buffer, counts \
                 answers, and neither retries nor matches them. In the first row both decode each \
                 event to its type, ours from batches of columns, theirs from a protobuf message \
                 of its own (75 bytes).\n";
    }
    for (name, _) in SINGLE {
        page += &single(name, &figures["single"][name]);
    }
    if !list(figures, "curves").is_empty() {
        let _ = write!(
            page,
            "\n## Curves\n\nEach point is one run on an engine of its own, with a window of 1,000, \
             one topic, one subscription and plain events but for what the curve changes. \
             Latencies are from publish to handler.\n\n{}",
            curves_page::text(figures)
        );
    }
    let mut errors = Vec::new();
    find_errors(figures, &mut errors);
    if !errors.is_empty() {
        page += "\n## What failed\n\nThese runs have no figures:\n\n";
        errors.iter().for_each(|error| page += &format!("- {error}\n"));
    }
    page.trim_end().to_owned() + "\n"
}

/// All errors in a document, in its order.
fn find_errors<'a>(value: &'a Value, errors: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| find_errors(item, errors)),
        Value::Object(entries) => {
            errors.extend(entries.get("error").and_then(Value::as_str));
            entries.values().for_each(|item| find_errors(item, errors));
        }
        _ => {}
    }
}

/// A value as it stands in a text.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// Which command, when, at which commit, on which machine.
pub(super) fn when_and_where(figures: &Value) -> String {
    let machine = &figures["machine"];
    let of = text_of;
    format!(
        "`{}` on {} at commit {}: {}, {} cores, {} GiB, {}, {}",
        of(&figures["command"]),
        of(&machine["day"]),
        of(&machine["commit"]),
        of(&machine["processor"]),
        machine["cores"],
        machine["memory_gib"],
        of(&machine["system"]),
        of(&machine["compiler"]),
    )
}

fn head(figures: &Value) -> String {
    let versions = &figures["versions"];
    let of = text_of;
    let packages: Vec<String> = list(versions, "packages").iter().map(of).collect();
    let page = format!(
        "# Performance\n\nWritten by {}. {}; {}; {}; {}; {}. Seeds: {}.\nEvery run is in \
         `{FOLDER}/figures.json`. Client and server share the machine, over loopback. All runs of \
         a table are one interleaved sitting: compare within a table\nonly. A figure is the median \
         of its runs, and the spread is the distance of its lowest and highest run as a part of \
         it. Measure your own engine by `worldbus bench`\n([how](how-to/bench.md)).\n\n",
        when_and_where(figures),
        of(&versions["worldbus"]),
        of(&versions["redis"]),
        of(&versions["nats"]),
        of(&versions["python"]),
        packages.join(", "),
        of(&figures["seeds"]),
    );
    page + &probes(figures)
}

/// How quiet the machine was before and after; while a run goes on, before alone.
pub(super) fn probes(figures: &Value) -> String {
    let mut page = "| the machine | cores busy with other work | load | 4 KiB appended and \
                    synced, p50 | p99 |\n\
                    | --- | --- | --- | --- | --- |\n"
        .to_owned();
    let there = |when: &&str| figures[when].is_object();
    for when in ["before", "after"].into_iter().filter(there) {
        let probe = &figures[when];
        let _ = writeln!(
            page,
            "| {when} | {:.0} % | {} | {} | {} |",
            number(probe, "busy").unwrap_or_default() * 100.0,
            text_of(&probe["load"]),
            ms(number(probe, "sync_p50_ms")),
            ms(number(probe, "sync_p99_ms"))
        );
    }
    let sync = |when: &str| number(&figures[when], "sync_p50_ms");
    if let (Some(before), Some(after)) = (sync("before"), sync("after"))
        && (after > before * DRIFT_MAX || before > after * DRIFT_MAX)
    {
        page += "\n**The disk was not the same before and after: measure again.**\n";
    }
    page
}

/// A row: all contenders with their medians, and how many times the figure of ours is.
fn table(row: &Row, measured: &Value, sync_ms: Option<f64>) -> String {
    let figure = row.figure.path();
    let ours = value(measured, "remote", figure);
    let mut text = format!(
        "\n## {}\n\nTarget: {}.\n\n| | events/s | answer p50 | p99 | p99.9 | handler p50 | p99 | \
         p99.9 | spread | ours is |\n| {}\n",
        row.title,
        row.target,
        ["---"; 10].join(" | ") + " |"
    );
    for Contender { name, title, .. } in &CONTENDERS {
        let of = |path: &str| value(measured, name, path);
        let rate = of("handled.events_per_s").map_or_else(String::new, count);
        let times = ["published", "handled"].map(|side| {
            ["p50_ms", "p99_ms", "p999_ms"].map(|key| ms(of(&format!("{side}.{key}")))).join(" | ")
        });
        let ratio = match (ours, of(figure)) {
            (Some(ours), Some(theirs)) if *name != "remote" && *name != "embedded" => {
                let times = ours / theirs;
                match row.figure {
                    Figure::Rate => format!("{times:.1} times as many"),
                    _ => format!("{times:.2} times as long"),
                }
            }
            _ => String::new(),
        };
        let spread = spread(measured, name, figure);
        let _ = writeln!(text, "| {title} | {rate} | {} | {spread} | {ratio} |", times.join(" | "));
    }
    let single = value(measured, "embedded", "published.p50_ms");
    if let (Figure::Published, Some(single), Some(sync)) = (row.figure, single, sync_ms) {
        let times = single / sync;
        let _ = writeln!(text, "\nIn one process that is {times:.1} times the disk's own.");
    }
    let _ = writeln!(text, "\nWhere the time goes: {}", row.why);
    text
}

fn runs<'a>(measured: &'a Value, contender: &str) -> &'a [Value] {
    let mut all = list(measured, "contenders").iter();
    all.find(|one| one["name"] == contender).map(|one| list(one, "runs")).unwrap_or_default()
}

/// The median of a figure.
fn value(measured: &Value, contender: &str, path: &str) -> Option<f64> {
    median(runs(measured, contender).iter().filter_map(|run| number(run, path)))
}

fn spread(measured: &Value, contender: &str, path: &str) -> String {
    let values: Vec<f64> =
        runs(measured, contender).iter().filter_map(|run| number(run, path)).collect();
    let (low, high) =
        (values.iter().copied().reduce(f64::min), values.iter().copied().reduce(f64::max));
    match (low, high, median(values.iter().copied())) {
        (Some(low), Some(high), Some(median)) if values.len() > 1 => {
            format!("{:.0} %", (high - low) / median * 100.0)
        }
        _ => "one run".to_owned(),
    }
}

/// What has no load of ours: rows as `worldbus-bench` makes them.
fn single(name: &str, rows: &Value) -> String {
    let Some(rows) = rows.as_array() else { return String::new() };
    let (title, about) = match name {
        "codec" => (
            "Codec",
            "One `time.updated`, ours in a batch of 1,000, the others alone. Python's bytes are \
             those of one message. JSON has the names that the system before had. All are built \
             for any x86-64, so sonic-rs has no instructions of newer ones.",
        ),
        "idle" => ("At rest", "`worldbus up`, a world of 12 regions."),
        _ => (
            "Over SNS and SQS",
            "An emulator on this machine: requests and billed units are AWS's, events a second are \
             mostly the emulator's. boto3 is the peer.",
        ),
    };
    let mut text =
        format!("\n## {title}\n\n{about}\n\n| figure | median | target |\n| --- | --- | --- |\n");
    for row in rows {
        let of = |key: &str| row[key].as_str().unwrap_or_default();
        let figure = of("name").trim_start_matches("codec: ").trim_start_matches("idle: ");
        let value = count(number(row, "value").unwrap_or_default());
        let _ = writeln!(text, "| {figure} | {value} {} | {} |", of("unit"), of("target"));
    }
    text
}
