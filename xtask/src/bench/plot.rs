//! Two charts below each other as an SVG: events a second, and latencies, over one logarithmic
//! axis.
//!
//! Not `crates/climate`'s charts: `xtask` depends on no crate of ours, so that it is compiled in
//! seconds, and needs logarithms on both sides and nothing else. Not a plotting crate: those bring
//! fonts and bitmaps.

use std::fmt::Write as _;

const WIDTH: f64 = 860.0;
const PANEL: f64 = 230.0;
const LEFT: f64 = 78.0;
/// Names of lines stand there.
const RIGHT: f64 = 190.0;
const TOP: f64 = 40.0;
const GAP: f64 = 58.0;
const COLOURS: [&str; 6] = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b"];

/// A line through points.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// One of the charts.
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) lines: Vec<Line>,
}

/// Where values lie along a side, by their logarithms.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64> + Clone) -> Self {
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low <= high { (low, high) } else { (1.0, 10.0) };
        Self { low: low.log10().floor(), high: high.log10().ceil().max(low.log10().floor() + 1.0) }
    }

    /// From 0 to 1.
    fn part(&self, value: f64) -> f64 {
        ((value.log10() - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// Powers of ten.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        (self.low as i32..=self.high as i32).map(|power| 10_f64.powi(power))
    }
}

/// The document.
pub(super) fn svg(title: &str, axis: &str, panels: &[Panel]) -> String {
    let height = TOP + panels.len() as f64 * (PANEL + GAP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"15\" font-weight=\"bold\">{}</text>\n",
        escaped(title)
    );
    // 0 has no logarithm: it stands where 1 does.
    let values = panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.points);
    let x = Axis::over(values.map(|point| point.0.max(1.0)));
    for (index, panel) in panels.iter().enumerate() {
        draw(&mut svg, panel, &x, axis, TOP + index as f64 * (PANEL + GAP));
    }
    svg + "</svg>\n"
}

fn draw(svg: &mut String, panel: &Panel, x: &Axis, axis: &str, top: f64) {
    let values = panel.lines.iter().flat_map(|line| &line.points).map(|point| point.1);
    let y = Axis::over(values.filter(|value| *value > 0.0));
    let (right, bottom) = (WIDTH - RIGHT, top + PANEL);
    let at_x = |value: f64| LEFT + x.part(value.max(1.0)) * (right - LEFT);
    let at_y = |value: f64| bottom - y.part(value) * PANEL;
    // Writing to a String cannot fail.
    for tick in y.ticks() {
        let (at, text) = (at_y(tick), short(tick));
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#e0e0e0\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
            LEFT - 8.0,
            at + 4.0
        );
    }
    for tick in x.ticks() {
        let (at, text) = (at_x(tick), short(tick));
        let _ = writeln!(
            svg,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{top}\" y2=\"{bottom}\" stroke=\"#eeeeee\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
            bottom + 16.0
        );
    }
    let _ = writeln!(
        svg,
        "<rect x=\"{LEFT}\" y=\"{top}\" width=\"{:.1}\" height=\"{PANEL}\" fill=\"none\" \
         stroke=\"#777\"/>\n<text x=\"{LEFT}\" y=\"{:.1}\">{}</text>\n\
         <text x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
        right - LEFT,
        top - 6.0,
        escaped(&panel.title),
        bottom + 34.0,
        escaped(axis)
    );
    for (index, line) in panel.lines.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let drawn = line.points.iter().filter(|point| point.1 > 0.0);
        let places: Vec<_> = drawn.map(|(x, y)| (at_x(*x), at_y(*y))).collect();
        let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join(" ")
        );
        for (x, y) in places {
            let _ =
                writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
        }
        let at = top + 14.0 + 16.0 * index as f64;
        let _ = writeln!(
            svg,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"14\" height=\"3\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{at:.1}\">{}</text>",
            right + 10.0,
            at - 5.0,
            right + 30.0,
            escaped(&line.name)
        );
    }
}

/// A number for an axis.
fn short(value: f64) -> String {
    match value {
        1e9.. => format!("{} G", value / 1e9),
        1e6.. => format!("{} M", value / 1e6),
        1e3.. => format!("{} K", value / 1e3),
        1.0.. => format!("{value}"),
        _ => format!("{}", (value * 1e6).round() / 1e6),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
