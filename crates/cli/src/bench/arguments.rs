//! The command line of `worldbus bench`.

use std::time::Duration;

use clap::Args;

use crate::output::failure::WrongUse;
use crate::output::format::Format;
use crate::settings::Client;
use worldbus_service::config::Flags;

/// Bytes that ready batches may take in memory: all are made before the first is sent.
const READY_BYTES_MAX: u64 = 2 << 30;
/// What an event has in a ready batch besides its payload, about.
const EVENT_OVERHEAD_BYTES: u64 = 8;
/// Events of a run of ready batches that states no number.
const READY_EVENTS: u64 = 5_000_000;
/// Seconds of any other run.
const SECONDS: f64 = 10.0;
/// The shortest interval: a percentile wants some events.
const EVERY_S_MIN: f64 = 0.1;
/// In flight: events, and ready batches.
const WINDOWS: [u32; 2] = [1000, 64];

/// Which load, and where.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct BenchArguments {
    /// Events that may wait for their answers, 1,000 by default; of ready batches, batches: 64
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    window: Option<u32>,
    /// Bytes of an event's payload; by default those of a plain time.updated, about 10
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(16..=1 << 20))]
    pub(super) payload_bytes: Option<u32>,
    /// Stop behind so many events
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    events: Option<u64>,
    /// Stop publishing after so long; 10 by default
    #[arg(long, value_name = "S", conflicts_with_all = ["events", "batch_events"])]
    seconds: Option<f64>,
    /// Publish so many events a second, and not as many as the window lets through
    #[arg(long, value_name = "EVENTS")]
    pub(super) rate: Option<f64>,
    /// Topics that take the events in turn
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) topics: u32,
    /// Subscriptions that each get every event; 0 publishes only
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub(super) subscribers: u32,
    /// Publish ready batches of so many events, encoded before the clock starts
    #[arg(long, value_name = "EVENTS", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(super) batch_events: Option<u32>,
    /// Print what each interval of so many seconds brought, before the result
    #[arg(long, value_name = "S")]
    every: Option<f64>,
    /// Leave the topics and what is in them, to measure upon a log that has grown
    #[arg(long)]
    pub(super) keep: bool,
    /// Skip confirmation of what it costs over SNS and SQS
    #[arg(long)]
    pub(super) yes: bool,
    /// How to write the result
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) flags: Flags<Client>,
}

/// What ends a run, unless a signal does before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum End {
    Events(u64),
    Seconds(f64),
}

impl BenchArguments {
    /// What may be in flight: events, or batches.
    pub(super) fn window(&self) -> usize {
        let default = WINDOWS[usize::from(self.batch_events.is_some())];
        self.window.unwrap_or(default) as usize
    }

    /// The length of the intervals that are printed.
    pub(super) fn every(&self) -> Option<Duration> {
        self.every.map(Duration::from_secs_f64)
    }

    /// What ends the run.
    pub(super) fn end(&self) -> End {
        match (self.events, self.batch_events) {
            (Some(events), _) => End::Events(events),
            (None, Some(_)) => End::Events(READY_EVENTS),
            (None, None) => End::Seconds(self.seconds.unwrap_or(SECONDS)),
        }
    }

    /// Refuses what clap does not.
    pub(super) fn check(&self) -> Result<(), WrongUse> {
        for (flag, number) in [("rate", self.rate), ("seconds", self.seconds)] {
            if number.is_some_and(|number| !(number > 0.0 && number <= 1e8)) {
                return Err(WrongUse(format!("--{flag}: expected more than 0, at most 1e8")));
            }
        }
        if self.every.is_some_and(|every| !(EVERY_S_MIN..=1e8).contains(&every)) {
            return Err(WrongUse(format!("--every: expected {EVERY_S_MIN} or more, at most 1e8")));
        }
        if let (Some(_), End::Events(events)) = (self.batch_events, self.end()) {
            let event = u64::from(self.payload_bytes.unwrap_or(16)) + EVENT_OVERHEAD_BYTES;
            if events.saturating_mul(event) > READY_BYTES_MAX {
                let most = READY_BYTES_MAX / event;
                return Err(WrongUse(format!(
                    "--events {events}: ready batches are made before they are sent and kept in \
                     memory, at most {most} events of this size; run it again with --keep for more"
                )));
            }
        }
        Ok(())
    }
}

const HELP: &str = "\
Examples:
  worldbus bench                                          at an event-bus, as fast as it goes
  worldbus bench --url embedded:./bench-log               this disk, in this process
  worldbus bench --window 1                               one at a time: the durable answer
  worldbus bench --rate 1000 --seconds 60                 latency at a load that you know
  worldbus bench --rate 1000 --seconds 3600 --every 10    whether an hour stays the same
  worldbus bench --batch-events 1000                      batches that are encoded already
  worldbus bench --subscribers 8 --payload-bytes 512 --format json > figures.json

It publishes time.updated on topics of its own (worldbus-bench-…), handles them in subscriptions of
its own, and deletes both at the end, where the engine can. A folder that is missing or empty gets
a log for the run. Nothing of yours is read or changed, but it takes its share of the engine.

published   events a second that are durable, and how long each took from the call to its answer
handled     events a second that a handler got and acknowledged, and how long from call to handler

Throughput follows the window: an engine answers for all events that wait at once, so 1,000 in
flight are far faster than 1. If p99 grows with the window and events/s do not, it is saturated:
latency at saturation is that of the queue. For the latency that your users see, set --rate to the
load that you have. Quiet repeats differ by a fifth, a machine that compiles by ten times: run it
three times. Ctrl-C ends it with the figures so far.";
