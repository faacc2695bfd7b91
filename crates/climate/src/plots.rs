//! The plots that a person looks at: the months, the spells, the states; the record next to the
//! model. Not here: how a chart is drawn (`svg`), which differences matter (`bands`).

mod svg;

use self::svg::{Axis, Chart, Style};
use crate::bands::Check;
use crate::statistics::{Figures, SPELL_DAYS, share_of};
use crate::targets::Targets;
use worldbus_world::WeatherState;

const RECORD: &str = "#444444";
const HIGH: &str = "#c0392b";
const LOW: &str = "#2471a3";
const WET: &str = "#2471a3";
const DRY: &str = "#ca6f1e";
const MAY_BE: &str = "#d5e8d4";
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTH_DAYS: [f64; 12] =
    [31.0, 28.25, 31.0, 30.0, 31.0, 30.0, 31.0, 31.0, 30.0, 31.0, 30.0, 31.0];
const HEIGHT: f64 = 400.0;

/// The plots of a preset next to a record: a short name and an SVG document each. What the record
/// does not tell is drawn of the model alone.
pub fn plots(
    preset: &str,
    targets: &Targets,
    model: &Figures,
    checks: &[Check],
) -> Vec<(&'static str, String)> {
    let title = |what: &str| format!("{what}: preset {preset}, record {}", targets.name);
    vec![
        ("temperature", temperature(&title("Temperature by month"), &targets.figures, model)),
        ("rain", rain(&title("Precipitation by month"), &targets.figures, model)),
        ("spells", spells(&title("Wet and dry spells"), &targets.figures, model)),
        ("states", states(&title("Share of hours by state"), &targets.figures, model, checks)),
    ]
}

fn months() -> Axis {
    Axis::names("month", MONTHS.map(str::to_owned))
}

fn numbered(values: &[f64]) -> Vec<(f64, f64)> {
    values.iter().enumerate().map(|(index, value)| (index as f64, *value)).collect()
}

fn temperature(title: &str, record: &Figures, model: &Figures) -> String {
    let lines = [("tmax_month", "highest", HIGH), ("tmin_month", "lowest", LOW)];
    let both = [record, model];
    let all = lines.iter().flat_map(|(name, _, _)| both.map(|of| of.months(name)));
    let axis = Axis::over("highest and lowest of a day, mean, C", all.flatten().flatten(), false);
    let mut chart = Chart::new(title, months(), axis, HEIGHT);
    for (name, what, colour) in lines {
        for (of, whose, style) in [(record, "record", Style::Dashed), (model, "model", Style::Line)]
        {
            if let Some(months) = of.months(name) {
                chart.series(&format!("{what}, {whose}"), colour, style, &numbered(&months));
            }
        }
    }
    chart.finish()
}

/// Water of each month, mm.
fn water(figures: &Figures) -> Option<[f64; 12]> {
    let share = figures.months("wet_day_share")?;
    let mean = figures.months("wet_day_mm_month")?;
    Some(std::array::from_fn(|m| {
        // A month without a wet day has no mean, and no water.
        let mean = if mean[m].is_nan() { 0.0 } else { mean[m] };
        share[m] * mean * MONTH_DAYS[m]
    }))
}

fn rain(title: &str, record: &Figures, model: &Figures) -> String {
    let both = [(record, "record", RECORD, -0.38), (model, "model", WET, 0.02)];
    let all = both.iter().filter_map(|(of, ..)| water(of)).flatten();
    let axis = Axis::over("water of wet days, mm a month", all, true);
    let mut chart = Chart::new(title, months(), axis, HEIGHT);
    for (of, whose, colour, offset) in both {
        let Some(water) = water(of) else { continue };
        chart.area_named(whose, colour);
        for (month, mm) in water.iter().enumerate() {
            let left = month as f64 + offset;
            chart.rectangle(colour, (left, 0.0), (left + 0.36, *mm));
        }
    }
    chart.finish()
}

fn spells(title: &str, record: &Figures, model: &Figures) -> String {
    let days = SPELL_DAYS.map(|days| days.to_string());
    let ticks = [(0.001, "0.1 %"), (0.01, "1 %"), (0.1, "10 %"), (1.0, "100 %")];
    let axis = Axis::powers("share of spells that last longer", &ticks);
    let mut chart = Chart::new(title, Axis::names("days", days), axis, HEIGHT);
    for (name, what, colour) in [("wet_spell_longer", "wet", WET), ("dry_spell_longer", "dry", DRY)]
    {
        for (of, whose, style) in [(record, "record", Style::Dashed), (model, "model", Style::Line)]
        {
            let Some(longer) = of.months(name) else { continue };
            let seen: Vec<_> = numbered(&longer).into_iter().filter(|(_, y)| *y >= 0.001).collect();
            chart.series(&format!("{what}, {whose}"), colour, style, &seen);
        }
    }
    chart.finish()
}

fn states(title: &str, record: &Figures, model: &Figures, checks: &[Check]) -> String {
    let ticks = [
        (1e-5, "0.001 %"),
        (1e-4, "0.01 %"),
        (1e-3, "0.1 %"),
        (1e-2, "1 %"),
        (0.1, "10 %"),
        (1.0, "100 %"),
    ];
    let states: Vec<WeatherState> = WeatherState::ALL.into_iter().rev().collect();
    let names = Axis::names("", states.iter().map(|state| state.name().to_owned()));
    let mut chart = Chart::new(title, Axis::powers("share of hours", &ticks), names, 460.0);
    let ranges = checks.iter().filter_map(|check| Some((check.figure.as_str(), check.range?)));
    let ranges: Vec<(&str, (f64, f64))> = ranges.collect();
    let mut any = false;
    for (row, state) in states.iter().enumerate() {
        let name = share_of(*state);
        for (_, (low, high)) in ranges.iter().filter(|(figure, _)| *figure == name) {
            any = true;
            chart.rectangle(MAY_BE, (*low, row as f64 - 0.32), (*high, row as f64 + 0.32));
        }
    }
    if any {
        chart.area_named("where the model may be", MAY_BE);
    }
    let dots = |of: &Figures| -> Vec<(f64, f64)> {
        let share =
            |(row, state): (usize, &WeatherState)| Some((of.year(&share_of(*state))?, row as f64));
        states.iter().enumerate().filter_map(share).filter(|(share, _)| *share > 0.0).collect()
    };
    let seen = dots(record);
    if !seen.is_empty() {
        chart.series("record", RECORD, Style::Stroke, &seen);
    }
    chart.series("model", HIGH, Style::Dot, &dots(model));
    chart.finish()
}
