//! How many events pass, by type since the start and by topic of late: for
//! `/api/events/stats`. A reader next to the others counts, so that events published within
//! this process count as well.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use worldbus_bus::{Capability, Error, Fate, Position, ReadSpec, Topic, TopicStatus, Transport};
use worldbus_events::Batch;

/// Event types that are counted one by one; those beyond are counted together, as number 0.
const TYPE_COUNT_MAX: usize = 1024;
/// How often the topics are looked at for their rates.
const SAMPLE_PERIOD: Duration = Duration::from_secs(2);
/// The pause after a failure of the transport.
const PAUSE: Duration = Duration::from_secs(1);

/// Counts of events.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    by_type: Mutex<BTreeMap<u32, u64>>,
    rates: Mutex<Rates>,
}

/// Totals at the last look, and what they grew by.
#[derive(Debug, Default)]
struct Rates {
    looked: Option<Instant>,
    totals: HashMap<Topic, u64>,
    per_second: HashMap<Topic, f64>,
}

impl Tally {
    /// Counts until shutdown.
    pub(crate) async fn run(&self, transport: &dyn Transport, shutdown: CancellationToken) {
        let counting = async { tokio::join!(self.count(transport), self.sample(transport)) };
        tokio::select! {
            _ = counting => {}
            () = shutdown.cancelled() => {}
        }
        // A transport without replay is not counted; that is no reason to end.
        shutdown.cancelled().await;
    }

    /// The counts so far.
    pub(crate) fn by_type(&self) -> BTreeMap<u32, u64> {
        lock(&self.by_type).clone()
    }

    /// Events a second of a topic, of late.
    pub(crate) fn rate(&self, topic: &Topic) -> f64 {
        lock(&self.rates).per_second.get(topic).copied().unwrap_or_default()
    }

    async fn count(&self, transport: &dyn Transport) {
        while transport.capabilities().can(Capability::Replay) {
            match self.follow(transport).await {
                Ok(()) => {}
                Err(error) if error.fate() == Fate::Refused => {
                    tracing::debug!(%error, "events are not counted any more");
                    return;
                }
                Err(error) => tracing::debug!(%error, "counting of events begins again"),
            }
            sleep(PAUSE).await;
        }
    }

    async fn follow(&self, transport: &dyn Transport) -> Result<(), Error> {
        let mut reader = transport.read(ReadSpec::all(Position::Now, true)).await?;
        while let Some(stored) = reader.next().await? {
            self.add(&stored.batch);
        }
        Ok(())
    }

    fn add(&self, batch: &Batch) {
        let mut by_type = lock(&self.by_type);
        let mut count = |number: u32, events: u64| {
            let known = by_type.contains_key(&number) || by_type.len() < TYPE_COUNT_MAX;
            *by_type.entry(if known { number } else { 0 }).or_default() += events;
        };
        // Events of a type come in runs.
        let mut run = None;
        for event in batch {
            match &mut run {
                Some((number, events)) if *number == event.event_type => *events += 1,
                _ => {
                    if let Some((number, events)) = run.replace((event.event_type, 1)) {
                        count(number, events);
                    }
                }
            }
        }
        if let Some((number, events)) = run {
            count(number, events);
        }
    }

    async fn sample(&self, transport: &dyn Transport) {
        loop {
            match transport.topics().await {
                Ok(topics) => lock(&self.rates).look(Instant::now(), topics),
                Err(error) => tracing::debug!(%error, "topics not sampled"),
            }
            sleep(SAMPLE_PERIOD).await;
        }
    }
}

impl Rates {
    fn look(&mut self, now: Instant, topics: Vec<TopicStatus>) {
        let seconds = self.looked.map(|looked| now.duration_since(looked).as_secs_f64());
        let mut totals = HashMap::new();
        for TopicStatus { topic, events_total, next_offset, bytes, .. } in topics {
            report(&topic, bytes as f64, next_offset as f64);
            let before = self.totals.get(&topic).copied().unwrap_or_default();
            if let Some(seconds) = seconds.filter(|&seconds| seconds > 0.0) {
                let grown = events_total.saturating_sub(before) as f64;
                self.per_second.insert(topic.clone(), grown / seconds);
            }
            totals.insert(topic, events_total);
        }
        for deleted in self.totals.keys().filter(|topic| !totals.contains_key(topic)) {
            report(deleted, f64::NAN, f64::NAN);
        }
        self.per_second.retain(|topic, _| totals.contains_key(topic));
        self.totals = totals;
        self.looked = Some(now);
    }
}

/// Sets a topic's gauges; those that are NaN are not shown.
fn report(topic: &Topic, bytes: f64, next_offset: f64) {
    let name = topic.as_str().to_owned();
    metrics::gauge!("worldbus_topic_bytes", "topic" => name.clone()).set(bytes);
    metrics::gauge!("worldbus_topic_next_offset", "topic" => name).set(next_offset);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Counts are of use even if a thread panicked while counting.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_is_growth_over_time() {
        let topic = Topic::new("time").expect("a valid name");
        let status = |events_total| TopicStatus {
            topic: topic.clone(),
            first_offset: 0,
            next_offset: 1,
            events_total,
            bytes: 0,
            idle: None,
        };
        let tally = Tally::default();
        let begun = Instant::now();
        lock(&tally.rates).look(begun, vec![status(100)]);
        assert_eq!(tally.rate(&topic), 0.0);
        lock(&tally.rates).look(begun + Duration::from_secs(2), vec![status(150)]);
        assert_eq!(tally.rate(&topic), 25.0);
    }
}
