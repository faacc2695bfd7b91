//! Line, bar and dot charts as SVG text: axes with units, ticks, a legend. Not a plotting crate:
//! those bring fonts and bitmaps; four plots need a hundred lines.
//! Not here: what is plotted (`plots`).

use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 104.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 56.0;
/// About so many ticks on an axis.
const TICK_COUNT: f64 = 6.0;

/// Where numbers lie along a side of a chart.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    title: String,
    min: f64,
    max: f64,
    log: bool,
    ticks: Vec<(f64, String)>,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Style {
    /// A line.
    Line,
    /// A dashed line with dots.
    Dashed,
    /// A filled area.
    Area,
    /// A dot.
    Dot,
    /// A short upright stroke.
    Stroke,
}

/// A chart that is being drawn.
#[derive(Debug)]
pub(super) struct Chart {
    x: Axis,
    y: Axis,
    height: f64,
    title: String,
    body: String,
    legend: Vec<(String, &'static str, Style)>,
}

impl Axis {
    /// Round ticks from the lowest to the highest of some values, with 0 if `from_zero`.
    pub(super) fn over(
        title: &str,
        values: impl IntoIterator<Item = f64>,
        from_zero: bool,
    ) -> Self {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let start = if from_zero { (0.0, 0.0) } else { (f64::MAX, f64::MIN) };
        let (low, high) = finite.fold(start, |(low, high), v| (v.min(low), v.max(high)));
        let (low, high) = if low < high { (low, high) } else { (low.min(0.0), low.max(0.0) + 1.0) };
        let step = round_step((high - low) / TICK_COUNT);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let digits = (-step.log10().floor()).max(0.0) as usize;
        let tick = |count: i64| (count as f64 * step, format!("{:.digits$}", count as f64 * step));
        let ticks = (first as i64..=last as i64).map(tick).collect();
        Self { title: title.to_owned(), min: first * step, max: last * step, log: false, ticks }
    }

    /// Powers of ten, under texts of their own.
    pub(super) fn powers(title: &str, ticks: &[(f64, &str)]) -> Self {
        let ticks: Vec<_> = ticks.iter().map(|(at, text)| (*at, (*text).to_owned())).collect();
        let (min, max) = (ticks[0].0, ticks[ticks.len() - 1].0);
        Self { title: title.to_owned(), min, max, log: true, ticks }
    }

    /// A place for each name, numbered from 0.
    pub(super) fn names(title: &str, names: impl IntoIterator<Item = String>) -> Self {
        let ticks: Vec<_> =
            names.into_iter().enumerate().map(|(i, name)| (i as f64, name)).collect();
        let max = ticks.len() as f64 - 0.5;
        Self { title: title.to_owned(), min: -0.5, max, log: false, ticks }
    }

    /// 0 at the low end, 1 at the high one; what lies outside is drawn at the end.
    fn part(&self, value: f64) -> f64 {
        let scale = |v: f64| if self.log { v.max(1e-12).ln() } else { v };
        let (low, high) = (scale(self.min), scale(self.max));
        ((scale(value) - low) / (high - low)).clamp(0.0, 1.0)
    }
}

/// 1, 2 or 5 times a power of ten.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= least);
    factor.unwrap_or(10.0) * power
}

impl Chart {
    pub(super) fn new(title: &str, x: Axis, y: Axis, height: f64) -> Self {
        let title = title.to_owned();
        Self { x, y, height, title, body: String::new(), legend: Vec::new() }
    }

    /// A series and its name in the legend. Points that are no numbers are left out.
    pub(super) fn series(
        &mut self,
        name: &str,
        colour: &'static str,
        style: Style,
        points: &[(f64, f64)],
    ) {
        self.legend.push((name.to_owned(), colour, style));
        let places = points.iter().filter(|(x, y)| x.is_finite() && y.is_finite());
        let places: Vec<(f64, f64)> = places.map(|(x, y)| (self.at_x(*x), self.at_y(*y))).collect();
        match style {
            Style::Line => self.path(&places, colour, ""),
            Style::Dashed => {
                self.path(&places, colour, " stroke-dasharray=\"5 4\"");
                places.iter().for_each(|place| self.mark(*place, colour, Style::Dot));
            }
            Style::Dot | Style::Stroke | Style::Area => {
                places.iter().for_each(|place| self.mark(*place, colour, style));
            }
        }
    }

    /// A rectangle between two corners, without an entry in the legend.
    pub(super) fn rectangle(&mut self, colour: &str, (x0, y0): (f64, f64), (x1, y1): (f64, f64)) {
        let (left, right) = (self.at_x(x0.min(x1)), self.at_x(x0.max(x1)));
        let (top, bottom) = (self.at_y(y0.max(y1)), self.at_y(y0.min(y1)));
        let (width, height) = (right - left, bottom - top);
        self.write(format_args!(
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             fill=\"{colour}\"/>"
        ));
    }

    /// Names a colour in the legend, for rectangles.
    pub(super) fn area_named(&mut self, name: &str, colour: &'static str) {
        self.legend.push((name.to_owned(), colour, Style::Area));
    }

    fn path(&mut self, places: &[(f64, f64)], colour: &str, more: &str) {
        let points: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let points = points.join(" ");
        self.write(format_args!(
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" \
             stroke-width=\"2\"{more}/>"
        ));
    }

    fn mark(&mut self, (x, y): (f64, f64), colour: &str, style: Style) {
        match style {
            Style::Stroke => self.write(format_args!(
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"3\" height=\"16\" fill=\"{colour}\"/>",
                x - 1.5,
                y - 8.0
            )),
            _ => self.write(format_args!(
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>"
            )),
        }
    }

    fn at_x(&self, value: f64) -> f64 {
        LEFT + self.x.part(value) * (WIDTH - LEFT - RIGHT)
    }

    fn at_y(&self, value: f64) -> f64 {
        self.height - BOTTOM - self.y.part(value) * (self.height - TOP - BOTTOM)
    }

    /// The chart as an SVG document.
    pub(super) fn finish(mut self) -> String {
        let body = std::mem::take(&mut self.body);
        let (height, title) = (self.height, escaped(&self.title));
        self.write(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
             width=\"{WIDTH}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"{LEFT}\" y=\"22\" font-size=\"15\" font-weight=\"bold\">{title}</text>"
        ));
        self.grid();
        self.body.push_str(&body);
        self.frame();
        self.draw_legend();
        self.body + "</svg>\n"
    }

    fn grid(&mut self) {
        let (right, bottom) = (WIDTH - RIGHT, self.height - BOTTOM);
        for (value, text) in self.y.ticks.clone() {
            let (y, text) = (self.at_y(value), escaped(&text));
            self.write(format_args!(
                "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\" \
                 stroke=\"#e4e4e4\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
                LEFT - 8.0,
                y + 4.0
            ));
        }
        for (value, text) in self.x.ticks.clone() {
            let (x, text) = (self.at_x(value), escaped(&text));
            self.write(format_args!(
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\" \
                 stroke=\"#f0f0f0\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{text}</text>",
                bottom + 18.0
            ));
        }
    }

    fn frame(&mut self) {
        let (width, height) = (WIDTH - LEFT - RIGHT, self.height - TOP - BOTTOM);
        let (x, y) = (escaped(&self.x.title), escaped(&self.y.title));
        let middle = TOP + height / 2.0;
        self.write(format_args!(
            "<rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{width}\" height=\"{height}\" fill=\"none\" \
             stroke=\"#777\"/>\n\
             <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{x}</text>\n\
             <text x=\"18\" y=\"{middle}\" text-anchor=\"middle\" \
             transform=\"rotate(-90 18 {middle})\">{y}</text>",
            LEFT + width / 2.0,
            self.height - 14.0
        ));
    }

    fn draw_legend(&mut self) {
        let (mut x, y) = (LEFT, 44.0);
        for (name, colour, style) in std::mem::take(&mut self.legend) {
            match style {
                Style::Line => self.path(&[(x, y), (x + 22.0, y)], colour, ""),
                Style::Dashed => {
                    self.path(&[(x, y), (x + 22.0, y)], colour, " stroke-dasharray=\"5 4\"");
                    self.mark((x + 11.0, y), colour, Style::Dot);
                }
                Style::Area => self.write(format_args!(
                    "<rect x=\"{x}\" y=\"{}\" width=\"22\" height=\"12\" fill=\"{colour}\"/>",
                    y - 6.0
                )),
                Style::Dot | Style::Stroke => self.mark((x + 11.0, y), colour, style),
            }
            let text = escaped(&name);
            self.write(format_args!("<text x=\"{}\" y=\"{}\">{text}</text>", x + 28.0, y + 4.0));
            // Sans-serif letters of 12 px are 6.6 px wide on average.
            x += 48.0 + 6.6 * name.chars().count() as f64;
        }
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.body, "{text}");
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests;
