//! What a run found, for people and for programs; and its progress.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::arguments::BenchArguments;
use super::histogram::Histogram;
use super::tally::{Part, Tally};
use crate::output::table::{Table, grouped};
use worldbus_bus::counted;

const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// What a run found.
pub(super) struct Report {
    pub(super) url: String,
    pub(super) transport: &'static str,
    pub(super) sent: u64,
    pub(super) interrupted: bool,
    /// Whether topics and subscriptions are gone again.
    pub(super) deleted: bool,
}

impl Report {
    /// The result as JSON.
    pub(super) fn json(&self, arguments: &BenchArguments, tally: &Tally) -> Value {
        let handled = handled(tally);
        json!({
            "url": self.url,
            "transport": self.transport,
            "window": arguments.window(),
            "payload_bytes": arguments.payload_bytes,
            "topics": arguments.topics,
            "subscribers": arguments.subscribers,
            "batch_events": arguments.batch_events,
            "rate": arguments.rate,
            "events": self.sent,
            "events_not_handled": self.not_handled(tally),
            "interrupted": self.interrupted,
            "deleted": self.deleted,
            "published": side(tally.published.events(), &tally.published.lock(),
                tally.published.last()),
            "handled": handled.map(|(times, last)| side(tally.handled_by_all(), &times, last)),
            "deliveries_per_s": handled_rate(tally),
        })
    }

    /// The result for people.
    pub(super) fn text(&self, arguments: &BenchArguments, tally: &Tally) -> String {
        let mut page = format!("{}\n\n", self.load(arguments));
        let mut table = Table::new(&["", "events/s", "p50", "p99", "p99.9", "max"]);
        let published = &tally.published;
        table.row(row("published", published.events(), &published.lock(), published.last()));
        if let Some((times, last)) = handled(tally) {
            table.row(row("handled", tally.handled_by_all(), &times, last));
        }
        page += &table.to_string();
        if arguments.subscribers > 1 {
            let rate = handled_rate(tally).map(grouped).unwrap_or_default();
            page += &format!("\n{rate} deliveries a second to all subscriptions together\n");
        }
        let missing = self.not_handled(tally);
        if missing > 0 {
            page +=
                &format!("\n{} published and not handled\n", counted(missing, "event", "events"));
        }
        if self.interrupted {
            page += "\nstopped by a signal: these are the figures so far\n";
        }
        page
    }

    fn load(&self, arguments: &BenchArguments) -> String {
        let what = match arguments.batch_events {
            Some(events) => format!("ready batches of {events}"),
            None => "event by event".to_owned(),
        };
        let bytes = arguments.payload_bytes.map(|bytes| format!(", {bytes} bytes each"));
        let pace = arguments.rate.map(|rate| format!(", {rate} a second"));
        format!(
            "{} ({}): {}, {what}{}{}, {} in flight, {}, {}",
            self.url,
            self.transport,
            counted(self.sent, "event", "events"),
            bytes.unwrap_or_default(),
            pace.unwrap_or_default(),
            arguments.window(),
            counted(u64::from(arguments.topics), "topic", "topics"),
            counted(u64::from(arguments.subscribers), "subscription", "subscriptions"),
        )
    }

    /// Of all subscriptions.
    pub(super) fn not_handled(&self, tally: &Tally) -> u64 {
        (self.sent * tally.handled.len() as u64).saturating_sub(tally.deliveries())
    }
}

/// The times of all subscriptions, and when the last event was handled.
pub(super) fn handled(tally: &Tally) -> Option<(Histogram, Duration)> {
    let last = tally.handled.iter().map(Part::last).max()?;
    let mut all = Histogram::default();
    tally.handled.iter().for_each(|part| all.merge(&part.lock()));
    Some((all, last))
}

/// Deliveries a second.
fn handled_rate(tally: &Tally) -> Option<f64> {
    let last = tally.handled.iter().map(Part::last).max()?;
    rate(tally.deliveries(), last)
}

/// Events of so long a time, and how long each took.
pub(super) fn side(events: u64, times: &Histogram, took: Duration) -> Value {
    json!({
        "events": events,
        "events_per_s": rate(events, took),
        "p50_ms": times.percentile_ms(0.5),
        "p99_ms": times.percentile_ms(0.99),
        "p999_ms": times.percentile_ms(0.999),
        "max_ms": times.max_ms(),
    })
}

fn row(name: &str, events: u64, times: &Histogram, last: Duration) -> [String; 6] {
    [
        name.to_owned(),
        rate(events, last).map(grouped).unwrap_or_default(),
        millis(times.percentile_ms(0.5)),
        millis(times.percentile_ms(0.99)),
        millis(times.percentile_ms(0.999)),
        millis(times.max_ms()),
    ]
}

/// Milliseconds for people.
pub(super) fn millis(time: Option<f64>) -> String {
    time.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.2} ms"))
}

fn rate(events: u64, took: Duration) -> Option<f64> {
    (events > 0 && !took.is_zero()).then(|| events as f64 / took.as_secs_f64())
}

/// Shows each second how far a run is, where a person looks on. Ends with the task.
pub(super) async fn progress(tally: Arc<Tally>) {
    if !io::stderr().is_terminal() {
        return std::future::pending().await;
    }
    let _clear = ClearLine;
    let (mut published, mut delivered) = (0, 0);
    loop {
        tokio::time::sleep(PROGRESS_EVERY).await;
        let now = (tally.published.events(), tally.deliveries());
        let p99 = tally.published.lock().percentile_ms(0.99).unwrap_or_default();
        let line = format!(
            "{:.0} s: {} events/s published, {} handled; ack p99 {p99:.2} ms",
            tally.now().as_secs_f64(),
            grouped((now.0 - published) as f64),
            grouped((now.1 - delivered) as f64),
        );
        (published, delivered) = now;
        let _ = write!(io::stderr(), "\r{line}\x1b[K");
    }
}

/// Leaves no progress on the terminal.
struct ClearLine;

impl Drop for ClearLine {
    fn drop(&mut self) {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([7.4, 999.6, 1234567.0].map(grouped), ["7", "1,000", "1,234,567"]);
    }
}
