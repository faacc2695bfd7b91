//! How long things took, all kept, as JSON in the form of `worldbus bench`.

use std::time::Duration;

use serde_json::{Value, json};

/// The times of one side.
#[derive(Debug, Default)]
pub(super) struct Times {
    nanos: Vec<u64>,
    /// Events of each time.
    pub(super) weight: u64,
    last: Duration,
}

impl Times {
    pub(super) fn of(weight: u64) -> Self {
        Self { weight, ..Self::default() }
    }

    pub(super) fn add(&mut self, now: Duration, from: Duration) {
        self.nanos.push(now.saturating_sub(from).as_nanos() as u64);
        self.last = now;
    }

    pub(super) fn count(&self) -> u64 {
        self.nanos.len() as u64
    }

    pub(super) fn json(mut self) -> Value {
        self.nanos.sort_unstable();
        let last = self.nanos.len().saturating_sub(1) as f64;
        let at = |share: f64| self.nanos.get((last * share).round() as usize);
        let ms = |share: f64| at(share).map(|nanos| *nanos as f64 / 1e6);
        let events = self.count() * self.weight;
        json!({
            "events": events,
            "events_per_s": events as f64 / self.last.as_secs_f64(),
            "p50_ms": ms(0.5),
            "p99_ms": ms(0.99),
            "p999_ms": ms(0.999),
            "max_ms": ms(1.0),
        })
    }
}
