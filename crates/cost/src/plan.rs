//! What to run for a load: how many of which engine, with which settings, and what it takes of
//! disk, network and money. Pure: from points that were measured (`measured`), the limits of the
//! engines, and the price table.
//!
//! A plan is an estimate for the machine that was measured. Not for: measuring, which is
//! `worldbus bench`; what a way over SNS and SQS costs next to others, which is `model`.

mod capacity;
mod local;
mod measured;
mod sns_sqs;

use serde::{Deserialize, Serialize};

use crate::model::EVENT_OVERHEAD_BYTES;
use crate::prices::{self, Price, usd};

pub use measured::{Measured, Source};

/// The share of what was measured that is planned for: the rest is for peaks, for a slower machine,
/// and for catching up after an outage. Of a quota of AWS likewise.
pub const HEADROOM_SHARE: f64 = 0.5;
/// The region of AWS whose prices and quotas count.
pub const REGION: &str = "us-east-1";
/// Topics of one log, and subscriptions: its places.
pub const PLACES_MAX: u32 = 1024;
/// What a batch has besides its events: source, world, producer and columns, about.
const BATCH_OVERHEAD_BYTES: f64 = 60.0;
/// Hours of a day, and of a month of thirty days.
const DAY_S: f64 = 86_400.0;
const MONTH_HOURS: f64 = 720.0;

/// What carries the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// A log in the process that publishes and handles.
    Embedded,
    /// Event-bus processes, each with a log of its own.
    Remote,
    /// Topics of SNS, queues of SQS.
    SnsSqs,
}

/// The load, and what is to be kept of it.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Of all publishers together; more than 0.
    pub events_per_s: f64,
    /// Of an event; a plain time.updated has 10.
    pub payload_bytes: u32,
    /// That the events are spread over evenly; 1 or more.
    pub topics: u32,
    /// That each get every event; 1 to [`PLACES_MAX`].
    pub subscribers: u32,
    /// Events in flight at each log; the smallest that suffices if not given.
    pub window: Option<u32>,
    /// Publishers hand over ready batches of so many events; else one event a call.
    pub batch_events: Option<u32>,
    /// How long events are to be kept.
    pub retention_hours: u32,
    /// What the disk of each log has; what the retention needs if not given.
    pub disk_gib: Option<u32>,
}

/// What to run.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// On which engine.
    pub engine: Engine,
    /// How many: processes with a log, event-buses with a log, or accounts or regions of AWS.
    pub count: u64,
    /// Topics of each, at the most.
    pub topics_each: u64,
    /// Processes that publish, at the least.
    pub publishers: u64,
    /// In flight at each log: events, or ready batches. Not of SNS and SQS.
    pub window: Option<u32>,
    /// Events of a batch, about.
    pub batch_events: f64,
    /// How long an event waits for others.
    pub linger_ms: u32,
    /// What all of them carry with that window, without headroom.
    pub window_events_per_s: Option<f64>,
    /// The same with the window that carries most.
    pub capacity_events_per_s: f64,
    /// The part of it that the load takes, 0 to [`HEADROOM_SHARE`].
    pub share_used: f64,
    /// From publish to handler when all that the window lets through is used; less below.
    pub p50_ms: Option<f64>,
    /// The same; not given where it was not measured.
    pub p99_ms: Option<f64>,
    /// Bytes of an event on the wire, with its share of its batch.
    pub event_bytes: f64,
    /// Of all logs; not of SNS and SQS.
    pub disk: Option<Disk>,
    /// Publishing once and receiving once for each subscriber; 0 in one process.
    pub network_bytes_per_s: f64,
    /// Vcpus of the task of each log.
    pub task_vcpu: Option<f64>,
    /// A month of thirty days.
    pub month: Vec<Item>,
    /// How to split, and what was assumed.
    pub notes: Vec<String>,
}

/// What logs take, all together unless stated otherwise.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Disk {
    /// Written.
    pub bytes_per_s: f64,
    /// Written.
    pub bytes_per_day: f64,
    /// What the disks must have for the retention that is wanted.
    pub bytes_for_retention: f64,
    /// Batches of a topic of that retention: the setting `retention_bytes`.
    pub retention_bytes_a_topic: f64,
    /// Hours that fit on disks of the size that was given.
    pub hours_that_fit: Option<f64>,
}

/// Something that is paid.
#[derive(Debug, Clone, Serialize)]
pub struct Item {
    /// What, in words.
    pub item: String,
    /// Not given: not priced.
    pub usd: Option<f64>,
}

/// Plans a load on an engine.
///
/// # Errors
/// In words, if an event fits no message, or built-in data is broken.
pub fn plan(measured: &Measured, wanted: &Wanted, engine: Engine) -> Result<Plan, String> {
    match engine {
        Engine::SnsSqs => sns_sqs::plan(wanted),
        Engine::Embedded | Engine::Remote => {
            local::plan(measured, wanted, engine, &prices::list(REGION)?)
        }
    }
}

impl Plan {
    /// The sum of what is priced.
    pub fn usd_per_month(&self) -> f64 {
        self.month.iter().filter_map(|item| item.usd).sum()
    }
}

/// The engine that costs least of those that several processes can share.
pub fn cheapest_shared(plans: &[Plan]) -> Option<Engine> {
    let shared = plans.iter().filter(|plan| plan.engine != Engine::Embedded);
    let cheapest = shared.min_by(|a, b| a.usd_per_month().total_cmp(&b.usd_per_month()));
    cheapest.map(|plan| plan.engine)
}

/// Bytes of an event on the wire, in a batch of so many.
fn event_bytes(payload_bytes: u32, batch_events: f64) -> f64 {
    f64::from(payload_bytes) + EVENT_OVERHEAD_BYTES + BATCH_OVERHEAD_BYTES / batch_events
}

/// Three digits or so, for people: 2.09, 434, 30 K, 1.59 M.
pub fn short(value: f64) -> String {
    match value {
        9.995e11.. => digits(value / 1e12) + " T",
        9.995e8.. => digits(value / 1e9) + " G",
        9.995e5.. => digits(value / 1e6) + " M",
        9.995e3.. => digits(value / 1e3) + " K",
        _ => digits(value),
    }
}

fn digits(value: f64) -> String {
    let text = match value {
        99.95.. => format!("{value:.0}"),
        9.995.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    };
    let is_whole = !text.contains('.');
    if is_whole { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

/// An item of a quantity with a price.
fn item(name: String, quantity: f64, price: Option<f64>) -> Item {
    Item { item: name, usd: price.map(|price| price * quantity) }
}

/// The price of a task of Fargate on x86 for a month.
fn task_usd(vcpu: f64, memory_gb: f64, prices: &[Price]) -> Option<f64> {
    let cpu = usd(prices, prices::Item::FargateX86Cpu)?;
    let memory = usd(prices, prices::Item::FargateX86Memory)?;
    Some((cpu * vcpu + memory * memory_gb) * MONTH_HOURS)
}

#[cfg(test)]
mod tests;
