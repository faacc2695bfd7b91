//! The page of a soak and its plots, of the figures alone: the same figures make the same page.

use std::fmt::Write as _;

use serde_json::Value;

use crate::bench::FOLDER;
use crate::bench::numbers::{count, list, median, number};
use crate::bench::page::{probes, text_of, when_and_where};
use crate::bench::plot::{self, Line, Panel, Scale};

/// The page, next to its plots.
pub(super) const FILE: &str = "soak.md";
/// Flat is what differs by no more from the second quarter to the last.
const FLAT: f64 = 0.1;
/// A quarter has at least two.
const SAMPLES_MIN: usize = 8;
const MIB: f64 = (1 << 20) as f64;

/// A number of every sample.
struct Series {
    key: &'static str,
    title: &'static str,
}

const fn series(key: &'static str, title: &'static str) -> Series {
    Series { key, title }
}

/// Series of one unit.
struct Chart {
    title: &'static str,
    scale: Scale,
    series: &'static [Series],
}

/// Charts in one file.
struct Plot {
    file: &'static str,
    title: &'static str,
    charts: &'static [Chart],
}

const PLOTS: [Plot; 2] = [
    Plot {
        file: "soak-resources.svg",
        title: "What the event-bus takes",
        charts: &[
            Chart {
                title: "MiB",
                scale: Scale::Linear,
                series: &[series("memory_mib", "memory"), series("disk_mib", "bytes on disk")],
            },
            Chart {
                title: "count",
                scale: Scale::Linear,
                series: &[
                    series("files", "files"),
                    series("open_files", "open files"),
                    series("threads", "threads"),
                ],
            },
            Chart { title: "processor", scale: Scale::Linear, series: &[series("cores", "cores")] },
            Chart {
                title: "MiB a second",
                scale: Scale::Linear,
                series: &[series("written_mib_per_s", "written")],
            },
        ],
    },
    Plot {
        file: "soak-load.svg",
        title: "Events and latency",
        charts: &[
            Chart {
                title: "events a second",
                scale: Scale::Linear,
                series: &[
                    series("published_per_s", "published"),
                    series("handled_per_s", "handled"),
                ],
            },
            Chart {
                title: "milliseconds to the durable answer",
                scale: Scale::Logarithmic,
                series: &[
                    series("ack_p50_ms", "p50"),
                    series("ack_p99_ms", "p99"),
                    series("ack_p999_ms", "p99.9"),
                ],
            },
            Chart {
                title: "milliseconds to the handler",
                scale: Scale::Logarithmic,
                series: &[
                    series("handler_p50_ms", "p50"),
                    series("handler_p99_ms", "p99"),
                    series("handler_p999_ms", "p99.9"),
                ],
            },
        ],
    },
];

/// All plots: names of files and their text.
pub(super) fn plots(figures: &Value) -> Vec<(String, String)> {
    let samples = list(figures, "samples");
    let point = |key: &str, sample: &Value| Some((number(sample, "minute")?, number(sample, key)?));
    let line = |series: &Series| Line {
        name: series.title.to_owned(),
        points: samples.iter().filter_map(|sample| point(series.key, sample)).collect(),
    };
    let panel = |chart: &Chart| Panel {
        title: chart.title.to_owned(),
        scale: chart.scale,
        lines: chart.series.iter().map(line).collect(),
    };
    let plot = |plot: &Plot| {
        let panels: Vec<Panel> = plot.charts.iter().map(panel).collect();
        let svg = plot::svg(plot.title, "minutes", Scale::Linear, &panels);
        (plot.file.to_owned(), svg)
    };
    PLOTS.iter().map(plot).collect()
}

/// How a series went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Course {
    /// The medians of these quarters.
    pub(super) second: f64,
    pub(super) last: f64,
    lowest: f64,
    highest: f64,
}

impl Course {
    /// Of a series of samples in their order; none of fewer than a quarter needs.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        if values.len() < SAMPLES_MIN {
            return None;
        }
        let quarter = |number: usize| {
            let at = |number: usize| values.len() * number / 4;
            median(values[at(number - 1)..at(number)].iter().copied())
        };
        Some(Self {
            second: quarter(2)?,
            last: quarter(4)?,
            lowest: values.iter().copied().reduce(f64::min)?,
            highest: values.iter().copied().reduce(f64::max)?,
        })
    }

    /// By which part the last quarter differs from the second.
    fn change(&self) -> f64 {
        match self.second == self.last {
            true => 0.0,
            false => self.last / self.second - 1.0,
        }
    }

    pub(super) fn is_flat(&self) -> bool {
        self.change().abs() <= FLAT
    }
}

/// The page.
pub(super) fn text(figures: &Value) -> String {
    let of = |key: &str| number(figures, key).unwrap_or_default();
    let mut page = format!(
        "# The same for a long time\n\nWritten by {}; {}. Seeds: {}.\nEvery sample is in \
         `{FOLDER}/{}`. Client and server share the machine, over loopback.\n\nThe load: {} events \
         a second for {} minutes, event by event, on {} topics, with {} subscriptions that each \
         handle every event, {} in flight at the most. The\nevent-bus keeps {:.1} MiB of each \
         topic, so that retention removes what is older all the time. A sample is taken every {} \
         s. Flat is a series whose median in the last\nquarter of the run is within {:.0} % of \
         that in the second quarter: in the first, memory and disk fill.\n\n",
        when_and_where(figures),
        text_of(&figures["worldbus"]),
        text_of(&figures["seeds"]),
        super::FIGURES,
        count(of("rate")),
        of("minutes"),
        of("topics"),
        of("subscribers"),
        of("window"),
        of("retention_bytes") / MIB,
        of("every_s"),
        FLAT * 100.0,
    );
    page += &probes(figures);
    let _ = write!(page, "\n## Verdict\n\n{}", verdict(figures));
    for line in [lost(figures), removed(figures)] {
        let _ = writeln!(page, "\n{line}");
    }
    page += &format!("\n{}", table(figures));
    for plot in &PLOTS {
        let _ = writeln!(page, "\n![{}]({})", plot.title, plot.file);
    }
    page
}

/// All series, by what they are called, with how they went.
fn courses(figures: &Value) -> impl Iterator<Item = (String, Course)> {
    let charts = PLOTS.iter().flat_map(|plot| plot.charts);
    let all = charts.flat_map(|chart| chart.series.iter().map(move |series| (chart, series)));
    all.filter_map(|(chart, series)| {
        let samples = list(figures, "samples").iter();
        let values: Vec<f64> = samples.filter_map(|sample| number(sample, series.key)).collect();
        Some((format!("{}, {}", series.title, chart.title), Course::of(&values)?))
    })
}

/// In words: what did not stay flat.
fn verdict(figures: &Value) -> String {
    let samples = list(figures, "samples").len();
    if samples < SAMPLES_MIN {
        return format!("Too short: {samples} samples, and quarters need {SAMPLES_MIN}.\n");
    }
    let not_flat = courses(figures).filter(|(_, course)| !course.is_flat());
    let not_flat: Vec<String> =
        not_flat.map(|(name, course)| format!("{name}: {}", change(&course))).collect();
    let verdict = match not_flat.is_empty() {
        true => "**Flat: every series.**".to_owned(),
        false => format!("**Not flat: {}.**", not_flat.join("; ")),
    };
    let end = match figures["result"].is_null() {
        true => " Broken off: these are the figures so far.",
        false => "",
    };
    format!("{verdict}{end}\n")
}

/// How a series changed, for people.
fn change(course: &Course) -> String {
    // A zero that is added has no sign.
    format!("{:+.0} %", (course.change() * 100.0).round() + 0.0)
}

/// In words: whether events were lost.
fn lost(figures: &Value) -> String {
    let result = &figures["result"];
    let of = |path: &str| number(result, path).unwrap_or_default();
    if result.is_null() {
        return "How many events were lost is known at the end alone.".to_owned();
    }
    let (published, handled) = (of("published.events"), of("handled.events"));
    // What came twice must not hide what did not come.
    let lost = of("events_not_handled").max(published - handled);
    let planned = ["rate", "minutes"].map(|key| number(figures, key).unwrap_or_default());
    let share = published / (planned[0] * planned[1] * 60.0);
    format!(
        "{published} events were published ({:.1} % of what the rate asks for), and {handled} \
         handled by every subscription: {}.{}",
        share * 100.0,
        if lost > 0.0 { format!("**{lost} are lost**") } else { "none is lost".to_owned() },
        if result["interrupted"] == true { " A signal ended it early." } else { "" }
    )
}

/// In words: what retention did.
fn removed(figures: &Value) -> String {
    let samples = list(figures, "samples");
    let of = |sample: &Value, key: &str| number(sample, key).unwrap_or_default();
    let Some(last) = samples.last() else { return String::new() };
    let at_work = samples
        .windows(2)
        .filter(|two| of(&two[1], "removed_batches") > of(&two[0], "removed_batches"));
    let written: f64 = samples.iter().map(|sample| of(sample, "written_mib_per_s")).sum();
    let most = samples.iter().map(|sample| of(sample, "disk_mib")).fold(0.0, f64::max);
    let written_mib = written * number(figures, "every_s").unwrap_or_default();
    format!(
        "Retention removed {} batches, in {} of {} intervals, and {} of them unread. The event-bus \
         wrote {written_mib:.0} MiB, and its files took {most:.0} MiB at the most.",
        of(last, "removed_batches"),
        at_work.count(),
        samples.len() - 1,
        of(last, "removed_unread_batches"),
    )
}

fn table(figures: &Value) -> String {
    let mut text = "| series | second quarter | last quarter | change | lowest | highest | |\n\
                    | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for (name, course) in courses(figures) {
        let [second, last, lowest, highest] =
            [course.second, course.last, course.lowest, course.highest].map(count);
        let _ = writeln!(
            text,
            "| {name} | {second} | {last} | {} | {lowest} | {highest} | {} |",
            change(&course),
            if course.is_flat() { "flat" } else { "**not flat**" }
        );
    }
    text
}
