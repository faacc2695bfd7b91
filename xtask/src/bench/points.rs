//! The points that `worldbus plan` has built in: a median for each load of ours that was measured
//! as fast as it goes. Written in the step that writes the page, from the same figures, so that the
//! two never differ.
//!
//! Not here: what follows from them for another load, which is in `crates/cost/src/plan`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::numbers::{list, median, number};

/// Where they are built in from.
pub(super) const FILE: &str = "crates/cost/src/plan/measured.json";

/// What `worldbus plan` calls the engines, with the names of contenders and of series.
const ENGINES: [(&str, &str, &str); 2] =
    [("embedded", "embedded", "one process"), ("remote", "remote", "two processes")];
/// The curve whose points are no loads of their own: it is the log that differs.
const WITHOUT: &str = "log size";
/// What is a load, by the keys of `worldbus bench`.
const LOAD: [&str; 5] = ["window", "payload_bytes", "topics", "subscribers", "batch_events"];

/// The file.
pub(super) fn text(figures: &Value) -> String {
    let machine = &figures["machine"];
    let source = json!({
        "command": figures["command"],
        "commit": machine["commit"],
        "day": machine["day"],
        "processor": machine["processor"],
        "cores": machine["cores"],
    });
    let points: Vec<String> = ENGINES
        .iter()
        .flat_map(|(name, contender, series)| points(name, &runs(figures, contender, series)))
        .map(|point| format!("    {point}"))
        .collect();
    format!("{{\n  \"source\": {source},\n  \"points\": [\n{}\n  ]\n}}\n", points.join(",\n"))
}

/// All runs of one of our engines: those of its rows, and those of its curves.
fn runs<'a>(figures: &'a Value, contender: &str, series: &str) -> Vec<&'a Value> {
    let named = |items: &'a [Value], name: &str| {
        let name = name.to_owned();
        items.iter().filter(move |item| item["name"] == name.as_str())
    };
    let rows = list(figures, "rows").iter();
    let of_rows = rows.flat_map(|row| named(list(row, "contenders"), contender));
    let curves = list(figures, "curves").iter().filter(|curve| curve["name"] != WITHOUT);
    let of_curves = curves.flat_map(|curve| named(list(curve, "series"), series));
    let of_curves = of_curves.flat_map(|series| list(series, "points"));
    let all = of_rows.flat_map(|one| list(one, "runs"));
    all.chain(of_curves.map(|point| &point["run"])).collect()
}

/// A point for each load, in the order of loads. A run that failed has no window; one with a pace
/// does not show what an engine carries.
fn points(engine: &str, runs: &[&Value]) -> Vec<String> {
    let mut by_load: BTreeMap<[Option<u64>; LOAD.len()], Vec<&Value>> = BTreeMap::new();
    let counted = runs.iter().filter(|run| run["window"].is_u64() && run["rate"].is_null());
    for run in counted {
        by_load.entry(LOAD.map(|key| run[key].as_u64())).or_default().push(run);
    }
    let point = |(load, runs): (&[Option<u64>; LOAD.len()], &Vec<&Value>)| {
        let of = |path: &str| median(runs.iter().filter_map(|run| number(run, path)));
        let rate = of("handled.events_per_s")?.round();
        let load = LOAD.iter().zip(load).map(|(key, value)| format!("\"{key}\":{}", json!(value)));
        let ms = ["p50_ms", "p99_ms"].map(|key| {
            let ms = of(&format!("handled.{key}")).map(|ms| (ms * 1000.0).round() / 1000.0);
            format!("\"{key}\":{}", json!(ms))
        });
        let load = load.collect::<Vec<_>>().join(",");
        let ms = ms.join(",");
        Some(format!("{{\"engine\":\"{engine}\",{load},\"events_per_s\":{rate},{ms}}}"))
    };
    by_load.iter().filter_map(point).collect()
}
