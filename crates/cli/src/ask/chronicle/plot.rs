//! Plots of a book as SVG within its page. No script and no outside resource.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::book::Book;
use super::markup::escaped;

const WIDTH: usize = 720;
const HEIGHT: usize = 120;
/// Bars of a plot; days beyond share one.
const BAR_COUNT_MAX: usize = 180;
/// Significance that a bar stands for.
const SIGNIFICANCE_STEP: u64 = 50;

/// Entries a day.
pub(super) fn days(book: &Book) -> String {
    let mut counts: BTreeMap<usize, (String, usize)> = BTreeMap::new();
    let (mut days, mut last) = (0, "");
    for entry in book.entries() {
        if entry.date != last {
            days += 1;
            last = &entry.date;
        }
        let day = counts.entry(days).or_insert_with(|| (entry.date.clone(), 0));
        day.1 += 1;
    }
    let all: Vec<(String, usize)> = counts.into_values().collect();
    let share = all.len().div_ceil(BAR_COUNT_MAX).max(1);
    let bars = all.chunks(share).map(|of| {
        let count = of.iter().map(|(_, count)| count).sum();
        (of[0].0.clone(), count)
    });
    let per = if share == 1 { "day".to_owned() } else { format!("{share} days with entries") };
    svg(&format!("Entries per {per}"), &bars.collect::<Vec<_>>())
}

/// How many matter how much.
pub(super) fn significance(book: &Book) -> String {
    let mut counts = vec![0; 1000 / SIGNIFICANCE_STEP as usize + 1];
    for entry in book.entries() {
        let rank = (entry.significance.min(1000) / SIGNIFICANCE_STEP) as usize;
        counts[rank] += 1;
    }
    let bar =
        |(rank, count): (usize, usize)| (format!("{}", rank as u64 * SIGNIFICANCE_STEP), count);
    svg("Entries by significance", &counts.into_iter().enumerate().map(bar).collect::<Vec<_>>())
}

/// Bars; each shows its name and count where the mouse is.
fn svg(title: &str, bars: &[(String, usize)]) -> String {
    let most = bars.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    let width = WIDTH as f64 / bars.len().max(1) as f64;
    let mut svg = format!(
        "<figure><figcaption>{title}, at most {most}</figcaption>\n<svg viewBox=\"0 0 {WIDTH} \
         {HEIGHT}\" role=\"img\" aria-label=\"{title}\">\n"
    );
    for (rank, (name, count)) in bars.iter().enumerate() {
        let height = HEIGHT as f64 * *count as f64 / most as f64;
        let (x, y) = (rank as f64 * width, HEIGHT as f64 - height);
        let name = escaped(name);
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\">\
             <title>{name}: {count}</title></rect>",
            (width - 0.5).max(0.5)
        );
    }
    let ends = [bars.first(), bars.last()].map(|bar| bar.map_or("", |(name, _)| name.as_str()));
    let [first, last] = ends.map(escaped);
    svg.push_str("</svg>\n");
    let _ = writeln!(svg, "<div class=\"ends\"><span>{first}</span><span>{last}</span></div>");
    svg.push_str("</figure>\n");
    svg
}
