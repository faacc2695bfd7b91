//! The curves on the page: their tables, plots and knees.

use std::fmt::Write as _;

use serde_json::Value;

use super::FOLDER;
use super::curves::{CURVES, LOG, LOG_AXIS, LOG_WHY, RISES};
use super::numbers::{count, list, ms, number};
use super::plot::{self, Line, Panel, Scale};

/// A window that is twice as large pays while it brings so many times the events a second.
const PAYS: f64 = 1.2;
/// What falls to this share of its best has a knee before.
const FALLS: f64 = 0.5;

const RATE: &str = "handled.events_per_s";
/// What a latency is called, and its path.
const LATENCIES: [(&str, &str); 3] =
    [("p50", "handled.p50_ms"), ("p99", "handled.p99_ms"), ("p99.9", "handled.p999_ms")];

/// What a curve is called, what is along its axis, and what explains it.
fn texts(name: &str) -> (&'static str, &'static str) {
    let of = CURVES.iter().find(|curve| curve.name == name);
    of.map_or((LOG_AXIS, LOG_WHY), |curve| (curve.axis, curve.why))
}

/// All plots: names of files and their text.
pub(super) fn plots(figures: &Value) -> Vec<(String, String)> {
    let plot = |curve: &Value| {
        let name = curve["name"].as_str().unwrap_or_default();
        let line = |series: &Value, title: String, path: &str| {
            let value = |point: &Value| Some((number(point, "x")?, number(&point["run"], path)?));
            Line { name: title, points: list(series, "points").iter().filter_map(value).collect() }
        };
        let of = |series: &Value| series["name"].as_str().unwrap_or_default().to_owned();
        let series = list(curve, "series");
        let mut rates: Vec<Line> =
            series.iter().map(|series| line(series, of(series), RATE)).collect();
        if name == "subscribers" {
            let deliveries = |series: &Value| {
                line(series, format!("{}, deliveries", of(series)), "deliveries_per_s")
            };
            rates.extend(series.iter().map(deliveries));
        }
        let latencies = series.iter().flat_map(|series| {
            LATENCIES.map(|(title, path)| line(series, format!("{}, {title}", of(series)), path))
        });
        let panels = [
            Panel { title: "events a second".to_owned(), scale: Scale::Logarithmic, lines: rates },
            Panel {
                title: "milliseconds from publish to handler".to_owned(),
                scale: Scale::Logarithmic,
                lines: latencies.collect(),
            },
        ];
        let (axis, _) = texts(name);
        let title = format!("Throughput and latency by {name}");
        (file(name), plot::svg(&title, axis, Scale::Logarithmic, &panels))
    };
    list(figures, "curves").iter().map(plot).collect()
}

fn file(name: &str) -> String {
    format!("{}.svg", name.replace(' ', "-"))
}

/// The part of the page.
pub(super) fn text(figures: &Value) -> String {
    let mut text = String::new();
    for curve in list(figures, "curves") {
        let name = curve["name"].as_str().unwrap_or_default();
        let (axis, why) = texts(name);
        let folder = FOLDER.trim_start_matches("docs/");
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "### By {name}\n\n![Throughput and latency by {name}]({folder}/{})\n\n",
            file(name)
        );
        let knee = if name == RISES { knee_of_rising } else { knee_of_falling };
        for series in list(curve, "series") {
            let _ = writeln!(text, "{}:\n", upper(series["name"].as_str().unwrap_or_default()));
            text += &table(series, name, axis);
            let _ = writeln!(text, "\n{}\n", knee(&points(series), axis));
        }
        let _ = writeln!(text, "{why}\n");
    }
    text
}

fn table(series: &Value, name: &str, axis: &str) -> String {
    let more = match name {
        LOG => "start after kill -9",
        "payload" => "MiB/s",
        RISES => "window / (events/s)",
        _ => "deliveries/s",
    };
    let mut text = format!(
        "| {axis} | events/s | p50 | p99 | p99.9 | {more} |\n\
         | --- | --- | --- | --- | --- | --- |\n"
    );
    for point in list(series, "points") {
        let (x, run) = (number(point, "x").unwrap_or_default(), &point["run"]);
        let rate = number(run, RATE).unwrap_or_default();
        let last = match name {
            LOG => ms(number(run, "restart_ms")),
            "payload" => format!("{:.1}", rate * x / f64::from(1 << 20)),
            RISES => ms(Some(x / rate * 1000.0)),
            _ => count(number(run, "deliveries_per_s").unwrap_or_default()),
        };
        let [p50, p99, p999] = LATENCIES.map(|(_, path)| ms(number(run, path)));
        let _ = writeln!(text, "| {x} | {} | {p50} | {p99} | {p999} | {last} |", count(rate));
    }
    text
}

fn points(series: &Value) -> Vec<(f64, f64)> {
    let point = |point: &Value| Some((number(point, "x")?, number(&point["run"], RATE)?));
    list(series, "points").iter().filter_map(point).collect()
}

/// Where a curve that is to rise bends, in words: where more no longer pays.
pub(super) fn knee_of_rising(points: &[(f64, f64)], axis: &str) -> String {
    let bends = points.windows(2).find(|pair| {
        let (grew, gained) = (pair[1].0 / pair[0].0, pair[1].1 / pair[0].1);
        // What each doubling of the step brought.
        gained.powf(1.0 / grew.log2()) < PAYS
    });
    match (bends, points.last()) {
        (Some([at, next]), _) => format!(
            "Knee at {} {axis}: {} are {:.1} times as many and bring {:.2} times the events a \
             second.",
            at.0,
            next.0,
            next.0 / at.0,
            next.1 / at.1
        ),
        (_, Some(last)) => format!("No knee up to {} {axis}: more still pays.", last.0),
        _ => String::new(),
    }
}

/// Where a curve that is to stay has lost half, in words.
pub(super) fn knee_of_falling(points: &[(f64, f64)], axis: &str) -> String {
    let Some(last) = points.last() else { return String::new() };
    let best = points.iter().map(|point| point.1).fold(0.0, f64::max);
    match points.iter().position(|point| point.1 < FALLS * best) {
        Some(at) => format!(
            "Knee between {} and {} {axis}: there it falls below half of the best, to {}.",
            points[at.saturating_sub(1)].0,
            points[at].0,
            count(points[at].1)
        ),
        None => format!(
            "No knee up to {} {axis}: {:.0} % of the best is left.",
            last.0,
            last.1 / best * 100.0
        ),
    }
}

fn upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
