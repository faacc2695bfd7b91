//! The figures as a table for people and JSON for machines, with what they depend on.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Serialize;

/// What stands around a table of figures.
pub(crate) struct Page {
    pub(crate) title: &'static str,
    /// How anyone gets these figures.
    pub(crate) command: &'static str,
    /// What holds for all of them.
    pub(crate) conditions: &'static str,
}

/// One figure.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// What was measured.
    pub(crate) name: String,
    /// The median.
    pub(crate) value: f64,
    /// Of what.
    pub(crate) unit: &'static str,
    /// All runs, in their order.
    pub(crate) runs: Vec<f64>,
    /// What we aim at.
    pub(crate) target: &'static str,
}

impl Row {
    pub(crate) fn new(
        name: impl Into<String>,
        unit: &'static str,
        runs: Vec<f64>,
        target: &'static str,
    ) -> Self {
        Self { name: name.into(), value: median(&runs), unit, runs, target }
    }
}

pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

pub(crate) fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}

pub(crate) fn print(rows: &[Row]) {
    print!("{}", table(rows));
}

/// For a program that puts them next to others.
pub(crate) fn print_json(rows: &[Row]) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(rows)?);
    Ok(())
}

fn table(rows: &[Row]) -> String {
    let mut text = String::from("| figure | median | runs | target |\n| --- | --- | --- | --- |\n");
    for row in rows {
        let runs: Vec<String> = row.runs.iter().map(|value| number(*value)).collect();
        let (name, value, unit) = (&row.name, number(row.value), row.unit);
        let (runs, target) = (runs.join(", "), row.target);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {name} | {value} {unit} | {runs} | {target} |");
    }
    text
}

fn number(value: f64) -> String {
    match value.abs() {
        1e6.. => format!("{:.2} M", value / 1e6),
        1e4.. => format!("{:.0}", value),
        100.0.. => format!("{value:.0}"),
        _ => format!("{value:.2}"),
    }
}

#[derive(Serialize)]
struct Report<'a> {
    commit: String,
    machine: String,
    command: String,
    rows: &'a [Row],
}

pub(crate) fn write(page: &Page, folder: &Path, rows: &[Row]) -> Result<()> {
    let report = Report {
        commit: output("git", &["describe", "--always", "--dirty"]),
        machine: machine(),
        command: page.command.to_owned(),
        rows,
    };
    let text = format!(
        "# {}\n\nMeasured by `{}` at commit {} on {}.\n{} `figures.json` has the same for \
         machines.\n\n{}",
        page.title,
        report.command,
        report.commit,
        report.machine,
        page.conditions,
        table(rows)
    );
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(folder.join("README.md"), text))
        .with_context(|| format!("cannot write to {}", folder.display()))?;
    let json = serde_json::to_string_pretty(&report)?;
    std::fs::write(folder.join("figures.json"), json + "\n")?;
    println!("written to {}", folder.display());
    Ok(())
}

fn machine() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.and_then(|line| line.split(": ").nth(1)).unwrap_or("an unknown processor");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = output("uname", &["-sr"]);
    format!("{model}, {cores} cores, {kernel}, {}", output("rustc", &["--version"]))
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
