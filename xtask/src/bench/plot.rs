//! Charts below each other as an SVG, such as events a second and latencies, over one axis; each
//! side is linear or logarithmic.
//!
//! Not `crates/climate`'s charts: `xtask` depends on no crate of ours, so that it is compiled in
//! seconds, and needs lines over logarithms and nothing else. Not a plotting crate: those bring
//! fonts and bitmaps.

use std::fmt::Write as _;

const WIDTH: f64 = 860.0;
const PANEL: f64 = 230.0;
const LEFT: f64 = 78.0;
/// Names of lines stand there.
const RIGHT: f64 = 190.0;
const TOP: f64 = 40.0;
const GAP: f64 = 58.0;
/// Points of a line that are marked; more would hide it.
const MARKED_MAX: usize = 40;
/// Steps of a linear side, at the most.
const STEPS_MAX: f64 = 5.0;
const COLOURS: [&str; 6] = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b"];

/// A line through points.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// One of the charts.
pub(super) struct Panel {
    pub(super) title: String,
    /// Of its upright side.
    pub(super) scale: Scale,
    pub(super) lines: Vec<Line>,
}

/// How values lie along a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// From 0 on, by how large they are.
    Linear,
    /// By their logarithms.
    Logarithmic,
}

/// Where values lie along a side; of logarithms their powers of ten.
struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
}

impl Axis {
    fn over(scale: Scale, values: impl Iterator<Item = f64> + Clone) -> Self {
        match scale {
            Scale::Linear => {
                let high = values.fold(0.0, f64::max);
                let step = step(high);
                Self { scale, low: 0.0, high: (high / step).ceil().max(1.0) * step }
            }
            // 0 has no logarithm.
            Scale::Logarithmic => Self::over_powers(values.filter(|value| *value > 0.0)),
        }
    }

    fn over_powers(values: impl Iterator<Item = f64> + Clone) -> Self {
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low <= high { (low, high) } else { (1.0, 10.0) };
        let (low, high) = (low.log10().floor(), high.log10().ceil());
        Self { scale: Scale::Logarithmic, low, high: high.max(low + 1.0) }
    }

    /// From 0 to 1.
    fn part(&self, value: f64) -> f64 {
        let value = match self.scale {
            Scale::Linear => value,
            Scale::Logarithmic => value.log10(),
        };
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// What is written along it: powers of ten, or even steps.
    fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => {
                let step = step(self.high);
                (0..=(self.high / step).round() as i32).map(|at| f64::from(at) * step).collect()
            }
            Scale::Logarithmic => {
                (self.low as i32..=self.high as i32).map(|power| 10_f64.powi(power)).collect()
            }
        }
    }

    /// Whether a value has a place on it.
    fn holds(&self, value: f64) -> bool {
        self.scale == Scale::Linear || value > 0.0
    }
}

/// An even step for a side from 0 to `high`: 1, 2 or 5 times a power of ten.
fn step(high: f64) -> f64 {
    let least = if high > 0.0 { high / STEPS_MAX } else { 1.0 / STEPS_MAX };
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|times| times * power)
        .into_iter()
        .find(|step| *step >= least)
        .unwrap_or(10.0 * power)
}

/// The document.
pub(super) fn svg(title: &str, axis: &str, scale: Scale, panels: &[Panel]) -> String {
    let height = TOP + panels.len() as f64 * (PANEL + GAP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"15\" font-weight=\"bold\">{}</text>\n",
        escaped(title)
    );
    let values = panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.points);
    let x = Axis::over(scale, values.map(|point| along(scale, point.0)));
    for (index, panel) in panels.iter().enumerate() {
        draw(&mut svg, panel, &x, axis, TOP + index as f64 * (PANEL + GAP));
    }
    svg + "</svg>\n"
}

/// A value of the axis; 0 has no logarithm and stands where 1 does.
fn along(scale: Scale, value: f64) -> f64 {
    if scale == Scale::Logarithmic { value.max(1.0) } else { value }
}

fn draw(svg: &mut String, panel: &Panel, x: &Axis, axis: &str, top: f64) {
    let values = panel.lines.iter().flat_map(|line| &line.points).map(|point| point.1);
    let y = Axis::over(panel.scale, values);
    let (right, bottom) = (WIDTH - RIGHT, top + PANEL);
    let at_x = |value: f64| LEFT + x.part(along(x.scale, value)) * (right - LEFT);
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
        let drawn = line.points.iter().filter(|point| y.holds(point.1));
        let places: Vec<_> = drawn.map(|(x, y)| (at_x(*x), at_y(*y))).collect();
        let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join(" ")
        );
        for (x, y) in places.iter().filter(|_| places.len() <= MARKED_MAX) {
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
    // What steps add up to is exact to a millionth.
    let value = (value * 1e6).round() / 1e6;
    match value {
        1e9.. => format!("{} G", value / 1e9),
        1e6.. => format!("{} M", value / 1e6),
        1e3.. => format!("{} K", value / 1e3),
        _ => format!("{value}"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
