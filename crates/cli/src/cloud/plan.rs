//! `worldbus plan`: what to run for a load, on each engine, from measured points and the engines'
//! limits.
//!
//! The model is in `worldbus-cost`; here are the arguments, their limits, and the page.

mod page;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::output;
use crate::output::failure::WrongUse;
use crate::output::format::Format;
use worldbus_cost::model::{BATCH_EVENTS_MAX, MESSAGE_BYTES_MAX};
use worldbus_cost::plan::{self, Engine, Measured, PLACES_MAX, Plan, Wanted};

/// Events a second at most: more is a mistake of units.
const RATE_MAX: f64 = 1e8;
/// Bytes of a payload at most: what an event has with it fits into the message as well.
const PAYLOAD_BYTES_MAX: i64 = MESSAGE_BYTES_MAX as i64 - 1024;

/// A load, and what is to be kept of it.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct PlanArguments {
    /// Events a second, of all publishers together; up to 1e8
    #[arg(long, value_name = "EVENTS")]
    events_per_second: f64,
    /// Subscriptions that each get every event
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(PLACES_MAX)))]
    subscribers: u32,
    /// Topics that the events are spread over
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    topics: u32,
    /// Bytes of an event's payload; a plain time.updated has 10, and 15 on the wire in a batch
    #[arg(long, value_name = "BYTES", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=PAYLOAD_BYTES_MAX))]
    payload_bytes: u32,
    /// Plan for one engine alone
    #[arg(long, value_enum)]
    engine: Option<PlanEngine>,
    /// Plan with so many events in flight at each log, and not with as few as suffice
    #[arg(long, value_name = "COUNT", conflicts_with = "batch_events")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    window: Option<u32>,
    /// Plan with ready batches of so many events, encoded by who makes them, and not with one event
    /// a call
    #[arg(long, value_name = "EVENTS")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(BATCH_EVENTS_MAX)))]
    batch_events: Option<u32>,
    /// Hours that events are to be kept
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=87_600))]
    retention_hours: u32,
    /// GiB of the disk of each log, to see how many hours fit
    #[arg(long, value_name = "GIB", value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    disk_gib: Option<u32>,
    /// How to write the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What carries the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlanEngine {
    /// A log in the process that publishes and handles (embedded:DIR)
    Embedded,
    /// Event-bus processes, each with its log (http://HOST:7070)
    Remote,
    /// Topics of SNS and queues of SQS (sns-sqs://REGION)
    SnsSqs,
}

const HELP: &str = "\
Examples:
  worldbus plan --events-per-second 2.4                    one world's clock
  worldbus plan --events-per-second 200000 --subscribers 4
  worldbus plan --events-per-second 1e8 --engine remote --batch-events 1000
  worldbus plan --events-per-second 50000 --topics 10 --payload-bytes 200 --disk-gib 200
  worldbus plan --events-per-second 1e6 --format json

run           how many processes, event-buses, or accounts of AWS; each has a share of the worlds
window        events that publishers of one log have in flight: more carry more, and wait longer
capacity      what was measured with the window that carries most; over SNS and SQS, of the quota
share         of the capacity; half of it at the most is planned, for peaks, for catching up and
              for machines that are slower
latency       from publish to handler if all that the window lets through were used; below it less
disk          what is written; what the disks need to keep it so long, twice what is kept
network       each event once in, and once out for each subscriber

Embedded is for one process that publishes and handles; remote and sns-sqs are for several. One
event a call is what services do; with --batch-events batches come encoded, as from a gateway that
forwards them. Options are those of `worldbus bench`, which measures the same loads: the plan is of
one machine that was measured, so measure yours before you trust it.";

/// Prints what to run.
pub(crate) fn run(arguments: &PlanArguments) -> Result<ExitCode> {
    let rate = arguments.events_per_second;
    if !(rate > 0.0 && rate <= RATE_MAX) {
        return Err(WrongUse(format!(
            "--events-per-second {rate}: expected more than 0 and at most {RATE_MAX}; one world's \
             clock publishes 2.4"
        ))
        .into());
    }
    let measured = Measured::built_in().map_err(anyhow::Error::msg)?;
    let wanted = wanted(arguments);
    let plans = plans(&measured, &wanted, arguments.engine)?;
    let document = page::json(&wanted, &plans, &measured.source)?;
    let text = || page::text(&wanted, &plans, &measured.source);
    output::page(&arguments.format.page(&document, text))?;
    Ok(ExitCode::SUCCESS)
}

fn wanted(arguments: &PlanArguments) -> Wanted {
    Wanted {
        events_per_s: arguments.events_per_second,
        payload_bytes: arguments.payload_bytes,
        topics: arguments.topics,
        subscribers: arguments.subscribers,
        window: arguments.window,
        batch_events: arguments.batch_events,
        retention_hours: arguments.retention_hours,
        disk_gib: arguments.disk_gib,
    }
}

/// A plan for the engine that was asked for, or one for each.
fn plans(measured: &Measured, wanted: &Wanted, engine: Option<PlanEngine>) -> Result<Vec<Plan>> {
    let all = PlanEngine::value_variants().iter();
    let chosen = all.filter(|one| engine.is_none_or(|engine| engine == **one));
    let plan = |engine: &PlanEngine| {
        let engine = match engine {
            PlanEngine::Embedded => Engine::Embedded,
            PlanEngine::Remote => Engine::Remote,
            PlanEngine::SnsSqs => Engine::SnsSqs,
        };
        plan::plan(measured, wanted, engine).map_err(|text| WrongUse(text).into())
    };
    chosen.map(plan).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plan_has_the_limits_of_the_bus() {
        assert_eq!(BATCH_EVENTS_MAX as usize, worldbus_events::limits::BATCH_EVENTS_MAX);
        assert_eq!(PLACES_MAX as usize, worldbus_bus::limits::TOPIC_COUNT_MAX);
        let options = worldbus_transport_embedded::Options::default();
        let places = PLACES_MAX;
        assert_eq!((options.topics_max, options.subscriptions_max), (places, places));
    }
}
