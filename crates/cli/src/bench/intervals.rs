//! What each interval of a run brought, as soon as it is over: a row for people, a line of JSON for
//! programs. It shows whether a long run stays the same.
//!
//! Not the result, which is of the whole run and in `report`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::histogram::Histogram;
use super::report::{handled, millis, side};
use super::tally::Tally;
use crate::output;
use crate::output::format::Format;
use crate::output::table::grouped;

/// All until a time, of which two make an interval.
struct Totals {
    at: Duration,
    published: (u64, Histogram),
    /// Without subscribers there are none.
    handled: Option<(u64, Histogram)>,
    deliveries: u64,
}

/// What came between two times.
struct Interval {
    end: Duration,
    length: Duration,
    published: (u64, Histogram),
    handled: Option<(u64, Histogram)>,
    deliveries: u64,
}

/// Prints every interval of this length until it is aborted, or standard output is closed.
pub(super) async fn print(tally: Arc<Tally>, every: Duration, format: Format) {
    if format == Format::Text && output::page(&head()).is_err() {
        return;
    }
    let mut before = Totals::at_start(&tally);
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    // The first is at once.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let now = Totals::of(&tally);
        let interval = now.since(&before);
        let line = format.line(&interval.json(), || interval.row());
        if output::page(&format!("{line}\n")).is_err() {
            return;
        }
        before = now;
    }
}

impl Totals {
    /// Before anything was published.
    fn at_start(tally: &Tally) -> Self {
        let nothing = || (0, Histogram::default());
        let handled = (!tally.handled.is_empty()).then(nothing);
        Self { at: Duration::ZERO, published: nothing(), handled, deliveries: 0 }
    }

    fn of(tally: &Tally) -> Self {
        Self {
            at: tally.now(),
            published: (tally.published.events(), tally.published.lock().clone()),
            handled: handled(tally).map(|(times, _)| (tally.handled_by_all(), times)),
            deliveries: tally.deliveries(),
        }
    }

    fn since(&self, before: &Self) -> Interval {
        let part = |now: &(u64, Histogram), before: &(u64, Histogram)| {
            (now.0.saturating_sub(before.0), now.1.since(&before.1))
        };
        Interval {
            end: self.at,
            length: self.at.saturating_sub(before.at),
            published: part(&self.published, &before.published),
            handled: self
                .handled
                .as_ref()
                .zip(before.handled.as_ref())
                .map(|(now, before)| part(now, before)),
            deliveries: self.deliveries.saturating_sub(before.deliveries),
        }
    }
}

impl Interval {
    fn json(&self) -> Value {
        let side = |(events, times): &(u64, Histogram)| side(*events, times, self.length);
        let deliveries_per_s = self.deliveries as f64 / self.length.as_secs_f64();
        json!({
            "at_s": self.end.as_secs_f64(),
            "interval_s": self.length.as_secs_f64(),
            "published": side(&self.published),
            "handled": self.handled.as_ref().map(side),
            "deliveries_per_s": self.handled.as_ref().map(|_| deliveries_per_s),
        })
    }

    fn row(&self) -> String {
        let cells = |(events, times): &(u64, Histogram)| {
            let ms = |share| millis(times.percentile_ms(share));
            let rate = grouped(*events as f64 / self.length.as_secs_f64());
            [rate, ms(0.5), ms(0.99), ms(0.999)]
        };
        let none = || ["-"; 4].map(str::to_owned);
        let handled = self.handled.as_ref().map_or_else(none, cells);
        columns(&format!("{:.1} s", self.end.as_secs_f64()), cells(&self.published), handled)
    }
}

fn head() -> String {
    let head = |rate: &str| [rate, "p50", "p99", "p99.9"].map(str::to_owned);
    columns("", head("published/s"), head("handled/s")) + "\n"
}

/// A row whose cells stand below those of the rows before, which are printed already.
fn columns(at: &str, published: [String; 4], handled: [String; 4]) -> String {
    let mut row = format!("{at:>9}");
    for cell in published.iter().chain(&handled) {
        row += &format!("  {cell:>11}");
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_has_what_came_in_it_and_nothing_from_before() {
        let ms = Duration::from_millis;
        let tally = Tally::new(2);
        tally.published.add(ms(100), ms(0), 50);
        tally.handled.iter().for_each(|part| part.add(ms(200), ms(0), 50));
        let before = Totals { at: ms(1000), ..Totals::of(&tally) };
        tally.published.add(ms(1510), ms(1500), 30);
        tally.handled[0].add(ms(1520), ms(1500), 30);
        let interval = Totals { at: ms(3000), ..Totals::of(&tally) }.since(&before);

        let line = interval.json();
        assert_eq!((&line["at_s"], &line["interval_s"]), (&3.0.into(), &2.0.into()));
        assert_eq!(line["published"]["events"], 30);
        assert_eq!(line["published"]["events_per_s"], 15.0);
        assert_eq!(line["handled"]["events"], 0, "the slower has none: {line}");
        assert_eq!(line["deliveries_per_s"], 15.0);
        let near = |value: &Value, ms: f64| {
            let value = value.as_f64().unwrap();
            assert!((value / ms - 1.0).abs() < 0.02, "{value}, not {ms}");
        };
        near(&line["published"]["p99_ms"], 10.0);
        near(&line["published"]["max_ms"], 10.0);
        near(&line["handled"]["p50_ms"], 20.0);
        assert_eq!(head().trim_end().len(), interval.row().len());
    }

    #[test]
    fn without_subscribers_nothing_is_handled() {
        let tally = Tally::new(0);
        let interval = Totals::of(&tally).since(&Totals::at_start(&tally));
        assert_eq!(interval.json()["handled"], Value::Null);
        assert_eq!(interval.json()["deliveries_per_s"], Value::Null);
    }
}
