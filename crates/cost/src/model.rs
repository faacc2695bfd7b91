//! What events cost over SNS and SQS: requests, billed units, dollars, as a function of rate,
//! size and linger. Pure: no I/O, no async, no clock.
//!
//! Means, not simulations: arrivals are spread evenly, each producer writes one topic, and every
//! subscriber takes every event. Limits are AWS's, marked D (documented), T (third parties) or M
//! (from memory); sizes of ours are measured (docs/adr/0002 for the tick).

use std::time::Duration;

use serde::Serialize;

use crate::prices::Prices;

/// A billed unit of SNS and SQS (T).
pub const UNIT_BYTES: f64 = 65_536.0;
/// Bytes of one SNS message and of one PublishBatch, attributes included (D).
const REQUEST_BYTES_MAX: f64 = 262_144.0;
/// Messages of a PublishBatch, of a ReceiveMessage and of a DeleteMessageBatch (D).
const REQUEST_MESSAGES_MAX: f64 = 10.0;
/// Bytes of messages in one answer of ReceiveMessage (T).
const RECEIVE_BYTES_MAX: f64 = 1_048_576.0;
/// An empty long poll takes this long (D).
const LONG_POLL_S: f64 = 20.0;
/// What a request takes within a region (M).
pub const ROUND_TRIP_S: f64 = 0.02;
/// Our budget of one message, batch and attributes.
pub const MESSAGE_BYTES_MAX: u32 = 180 << 10;
/// Events of a batch.
pub const BATCH_EVENTS_MAX: u32 = 4096;
/// What a batch of ours has besides its events: source, world, producer and columns (about 60),
/// and with the message its one-line summary, attributes and their names.
const MESSAGE_OVERHEAD_BYTES: f64 = 316.0;
/// What an event takes in a batch besides its payload.
pub(crate) const EVENT_OVERHEAD_BYTES: f64 = 5.0;
/// The same as one protobuf message an event, measured on the tick: 75 bytes with 10 of payload.
const SINGLE_OVERHEAD_BYTES: f64 = 65.0;
/// The tick as JSON in the system before, measured, and its payload as protobuf.
const JSON_TICK_BYTES: f64 = 291.0;
const TICK_PAYLOAD_BYTES: f64 = 10.0;
/// JSON for one more byte of protobuf payload: an estimate, for names, quotes and digits.
const JSON_GROWTH: f64 = 4.0;
/// What zstd leaves of a batch of ticks, measured (docs/evidence/first-figures); of random
/// payloads it leaves all.
const ZSTD_SHARE: f64 = 0.2;
/// How long an ack waits for others, as the transport over SNS and SQS does; a test of the command
/// line compares.
pub const ACK_LINGER: Duration = Duration::from_millis(250);
/// Thirty days.
pub(crate) const MONTH_S: f64 = 30.0 * 86_400.0;

/// Lingers to choose from.
const LINGERS_MS: [u32; 8] = [0, 5, 10, 25, 50, 100, 250, 1000];
/// A game minute at the default pace, 25 real seconds a game hour: the fastest thing that a
/// player's clock shows.
const GAME_MINUTE_MS: u32 = 25_000 / 60;
/// A linger may take this share of it: one part in eight does not show on a clock.
const LINGER_SHARE: u32 = 8;

/// How the events of a batch are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Columns of protobuf, as they are.
    Protobuf,
    /// The same, compressed.
    Zstd,
    /// The JSON form.
    Json,
}

/// What is to be carried.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Events a second, of all producers.
    pub rate: f64,
    /// Bytes of an event's payload as protobuf.
    pub payload_bytes: u32,
    /// Processes that publish; each batches on its own.
    pub producers: u32,
    /// Queues that every event goes to, each with one poller at least.
    pub subscribers: u32,
}

/// How it is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Each event as JSON in a request of its own: the system before this one.
    JsonSingles,
    /// Each event as a protobuf message, up to ten in a PublishBatch.
    ProtobufTens {
        /// How long an event waits for others at the most.
        linger_ms: u32,
    },
    /// Batches of ours in a binary attribute, as many in a PublishBatch as fit.
    Batches {
        /// How long an event waits for others at the most.
        linger_ms: u32,
        /// How they are written.
        encoding: Encoding,
    },
}

/// What it comes to, by the second unless stated otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    /// Publish requests.
    pub publish_requests: f64,
    /// Messages, each delivered to every queue.
    pub messages: f64,
    /// Events in a message.
    pub events_per_message: f64,
    /// Bytes of an event on the wire, its share of all overhead included.
    pub bytes_per_event: f64,
    /// Requests of all kinds, publish included.
    pub requests: f64,
    /// Billed for publishing.
    pub publish_units: f64,
    /// Billed for receiving, all queues.
    pub receive_units: f64,
    /// Billed for deleting, all queues.
    pub delete_units: f64,
    /// Billed for long polls that brought nothing, all queues.
    pub idle_units: f64,
    /// USD for a million events.
    pub usd_per_million_events: f64,
    /// USD for thirty days.
    pub usd_per_month: f64,
    /// What the wait for others adds at the most.
    pub added_latency_ms: u32,
}

/// One producer's window: what leaves together.
#[derive(Clone, Copy)]
struct Window {
    events: f64,
    messages: f64,
    bytes: f64,
    requests: f64,
    /// Billed for publishing it.
    units: f64,
    /// Billed for receiving its messages one by one.
    message_units: f64,
}

/// What a way costs by these prices; `None` if an event does not fit into a message of it.
pub fn cost(load: &Load, way: Way, prices: &Prices) -> Option<Cost> {
    let producers = f64::from(load.producers);
    let window = window(load.rate / producers, load.payload_bytes, way)?;
    let windows = load.rate / window.events;
    let messages = windows * window.messages;
    let subscribers = f64::from(load.subscribers);
    let queue = receive(messages, &window);
    let deletes = match way {
        Way::Batches { .. } => queue.requests.min(messages / acked_together(messages)),
        Way::JsonSingles | Way::ProtobufTens { .. } => queue.requests,
    };
    let publish_units = windows * window.units;
    let queues_units = [queue.units, deletes, queue.idle].map(|units| units * subscribers);
    let [receive_units, delete_units, idle_units] = queues_units;
    let usd = publish_units * prices.sns_publish
        + messages * subscribers * prices.sns_to_sqs
        + (receive_units + delete_units + idle_units) * prices.sqs_request;
    let publish_requests = windows * window.requests;
    Some(Cost {
        publish_requests,
        messages,
        events_per_message: window.events / window.messages,
        bytes_per_event: window.bytes / window.events,
        requests: publish_requests + (queue.requests + deletes + queue.idle) * subscribers,
        publish_units,
        receive_units,
        delete_units,
        idle_units,
        usd_per_million_events: usd / load.rate * 1e6,
        usd_per_month: usd * MONTH_S,
        added_latency_ms: match way {
            Way::JsonSingles => 0,
            Way::ProtobufTens { linger_ms } | Way::Batches { linger_ms, .. } => linger_ms,
        },
    })
}

impl Cost {
    /// All that is billed.
    pub fn units(&self) -> f64 {
        self.publish_units + self.receive_units + self.delete_units + self.idle_units
    }
}

/// The linger to begin with, where an engine charges by the request: the longest that a clock
/// can bear.
pub fn default_linger_ms() -> u32 {
    let bearable = |linger: &u32| *linger <= GAME_MINUTE_MS / LINGER_SHARE;
    LINGERS_MS.into_iter().rev().find(bearable).unwrap_or(0)
}

/// Events of a full message, as protobuf; 0 if one does not fit.
pub(crate) fn message_events_max(payload_bytes: u32) -> f64 {
    let event = f64::from(payload_bytes) + EVENT_OVERHEAD_BYTES;
    let fit = (f64::from(MESSAGE_BYTES_MAX) - MESSAGE_OVERHEAD_BYTES) / event;
    fit.floor().min(BATCH_EVENTS_MAX.into())
}

/// Units billed for a request or an answer of so many bytes.
pub fn units(bytes: f64) -> f64 {
    (bytes / UNIT_BYTES).ceil().max(1.0)
}

fn window(rate: f64, payload_bytes: u32, way: Way) -> Option<Window> {
    let payload = f64::from(payload_bytes);
    let json = JSON_TICK_BYTES + JSON_GROWTH * (payload - TICK_PAYLOAD_BYTES).max(0.0);
    match way {
        Way::JsonSingles => pack(1.0, json, 0.0, 1.0, REQUEST_BYTES_MAX),
        Way::ProtobufTens { linger_ms } => {
            let events = gathered(rate, linger_ms).min(REQUEST_MESSAGES_MAX);
            pack(events, payload + SINGLE_OVERHEAD_BYTES, 0.0, 1.0, REQUEST_BYTES_MAX)
        }
        Way::Batches { linger_ms, encoding } => {
            let event = match encoding {
                Encoding::Protobuf => payload + EVENT_OVERHEAD_BYTES,
                Encoding::Zstd => (payload + EVENT_OVERHEAD_BYTES) * ZSTD_SHARE,
                Encoding::Json => json,
            };
            let events = gathered(rate, linger_ms);
            let budget = f64::from(MESSAGE_BYTES_MAX);
            pack(events, event, MESSAGE_OVERHEAD_BYTES, BATCH_EVENTS_MAX.into(), budget)
        }
    }
}

/// Events of one producer that leave together: the first, and those that come while it waits.
/// Those that come while a request is under way gather without any linger.
fn gathered(rate: f64, linger_ms: u32) -> f64 {
    let lingering = 1.0 + rate * f64::from(linger_ms) / 1000.0;
    lingering.max(rate * ROUND_TRIP_S)
}

/// The mean window: of 1.3 events a window, three in ten have two.
fn pack(
    events: f64,
    event_bytes: f64,
    overhead_bytes: f64,
    message_events_max: f64,
    message_bytes_max: f64,
) -> Option<Window> {
    let fit = ((message_bytes_max - overhead_bytes) / event_bytes).floor();
    let fit = fit.min(message_events_max);
    if fit < 1.0 {
        return None;
    }
    let less = pack_whole(events.floor(), event_bytes, overhead_bytes, fit);
    let more = pack_whole(events.ceil(), event_bytes, overhead_bytes, fit);
    let share = events - events.floor();
    let mean = |of: fn(&Window) -> f64| of(&less) * (1.0 - share) + of(&more) * share;
    Some(Window {
        events,
        messages: mean(|window| window.messages),
        bytes: mean(|window| window.bytes),
        requests: mean(|window| window.requests),
        units: mean(|window| window.units),
        message_units: mean(|window| window.message_units),
    })
}

/// Packs a whole number of events into messages of `fit` at the most, and these into requests.
fn pack_whole(events: f64, event_bytes: f64, overhead_bytes: f64, fit: f64) -> Window {
    let full = (events / fit).floor();
    let rest = events - full * fit;
    let full_bytes = overhead_bytes + fit * event_bytes;
    let rest_bytes = if rest > 0.0 { overhead_bytes + rest * event_bytes } else { 0.0 };
    let by_request = (REQUEST_BYTES_MAX / full_bytes).floor().clamp(1.0, REQUEST_MESSAGES_MAX);
    let whole = (full / by_request).floor();
    let left = full - whole * by_request;
    let left_bytes = left * full_bytes;
    let together = left_bytes + rest_bytes <= REQUEST_BYTES_MAX && left < REQUEST_MESSAGES_MAX;
    let last = if together { [left_bytes + rest_bytes, 0.0] } else { [left_bytes, rest_bytes] };
    let begun = |bytes: f64| if bytes > 0.0 { units(bytes) } else { 0.0 };
    let requests = last.iter().filter(|bytes| **bytes > 0.0).count() as f64;
    Window {
        events,
        messages: full + rest.min(1.0),
        bytes: full * full_bytes + rest_bytes,
        requests: whole + requests,
        units: whole * units(by_request * full_bytes) + last.map(begun).iter().sum::<f64>(),
        message_units: full * units(full_bytes) + begun(rest_bytes),
    }
}

/// Acks that leave in one request: the first, and those that come while it waits.
fn acked_together(messages: f64) -> f64 {
    (1.0 + messages * ACK_LINGER.as_secs_f64()).min(REQUEST_MESSAGES_MAX)
}

/// What one queue's requests come to.
struct Queue {
    requests: f64,
    units: f64,
    idle: f64,
}

/// A poller asks again as soon as it has an answer, so an answer brings what came meanwhile.
fn receive(messages: f64, window: &Window) -> Queue {
    let message_bytes = window.bytes / window.messages;
    let fit = (RECEIVE_BYTES_MAX / message_bytes).floor().clamp(1.0, REQUEST_MESSAGES_MAX);
    let by_answer = (messages * ROUND_TRIP_S).clamp(1.0, fit);
    let requests = messages / by_answer;
    let of = |count: f64| match count {
        ..=1.0 => window.message_units / window.messages,
        count => units(count * message_bytes),
    };
    let (less, share) = (by_answer.floor(), by_answer - by_answer.floor());
    let by_request = of(less) * (1.0 - share) + of(by_answer.ceil()) * share;
    let idle = (1.0 / LONG_POLL_S - requests).max(0.0);
    Queue { requests, units: requests * by_request, idle }
}

#[cfg(test)]
mod tests;
