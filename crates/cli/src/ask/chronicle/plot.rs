//! Plots of a book as SVG within its page. No script and no outside resource.

use std::fmt::Write as _;

use super::book::Book;
use super::markup::escaped;

const WIDTH: usize = 720;
const HEIGHT: usize = 120;
/// Bars of a plot; days beyond share one.
const BAR_COUNT_MAX: i64 = 180;
/// Significance that a bar stands for.
const SIGNIFICANCE_STEP: u64 = 50;

/// Entries a day, also on days without.
pub(super) fn days(book: &Book) -> String {
    let first = book.entries().map(|entry| entry.number).min().unwrap_or_default();
    let last = book.entries().map(|entry| entry.number).max().unwrap_or_default();
    let share = (last.saturating_sub(first) / BAR_COUNT_MAX + 1).max(1);
    let rank = |number: i64| ((number - first) / share) as usize;
    let mut bars = vec![(String::new(), 0); rank(last) + 1];
    for entry in book.entries() {
        let (name, count) = &mut bars[rank(entry.number)];
        if name.is_empty() {
            name.clone_from(&entry.date);
        }
        *count += 1;
    }
    let per = if share == 1 { "day".to_owned() } else { format!("{share} days") };
    svg(&format!("Entries per {per}"), &bars)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn days_without_entries_have_their_place() {
        let mut book = Book::new(&json!({"chapters": [
            {"from": "2024-02-28T00:00:00", "title": "February", "first_day": 127},
            {"from": "2024-03-01T00:00:00", "title": "March", "first_day": 129},
        ]}));
        for date in ["2024-02-28", "2024-03-02", "2024-03-02"] {
            book.add(&json!({"game_time": format!("{date}T06:00:00"), "text": "x"}));
        }
        let plot = days(&book);
        assert_eq!(plot.matches("<rect").count(), 4, "{plot}");
        assert!(plot.contains("Entries per day, at most 2"), "{plot}");
        assert!(plot.contains("<span>2024-02-28</span><span>2024-03-02</span>"), "{plot}");
    }

    #[test]
    fn days_of_a_long_time_share_bars() {
        let plot = days(&super::super::book::tests::hostile());
        assert!(plot.matches("<rect").count() <= BAR_COUNT_MAX as usize + 1, "{plot}");
        assert!(days(&Book::default()).contains("at most 1"));
    }
}
