//! Plans over SNS and SQS: quotas of AWS instead of measurements. Nothing here was compared with
//! the real AWS; limits are marked as in `model`.

use super::{Engine, HEADROOM_SHARE, Item, Plan, REGION, Wanted, short};
use crate::model::{
    self, ACK_LINGER, BATCH_EVENTS_MAX, Cost, Encoding, Load, MONTH_S, ROUND_TRIP_S, Way,
    message_events_max,
};
use crate::prices::Prices;

/// Messages a second that an account publishes to standard topics in a large region; AWS raises it
/// on request, and other regions have less (D, M).
const SNS_MESSAGES_PER_S_MAX: f64 = 30_000.0;
/// Messages of a queue that are received and not deleted (D).
const IN_FLIGHT_MAX: f64 = 120_000.0;
/// Below this share of the quota it is no concern.
const FAR_BELOW: f64 = 0.01;

/// Plans a load.
pub(super) fn plan(wanted: &Wanted) -> Result<Plan, String> {
    let prices = Prices::of(REGION)?;
    let fit = message_events_max(wanted.payload_bytes);
    let fit = wanted.batch_events.map_or(fit, |events| fit.min(f64::from(events)));
    let publishers = publishers(wanted, fit);
    // Each publisher has a batch of each topic.
    let lanes = publishers.saturating_mul(u64::from(wanted.topics));
    let load = Load {
        rate: wanted.events_per_s,
        payload_bytes: wanted.payload_bytes,
        producers: u32::try_from(lanes).unwrap_or(u32::MAX),
        subscribers: wanted.subscribers,
    };
    let linger_ms = model::default_linger_ms();
    let way = Way::Batches { linger_ms, encoding: Encoding::Protobuf };
    let cost = model::cost(&load, way, &prices).ok_or_else(|| {
        format!(
            "an event of {} bytes fits no message of SNS; put large data elsewhere and publish a \
             reference to it",
            wanted.payload_bytes
        )
    })?;
    let in_flight_s = ACK_LINGER.as_secs_f64() + ROUND_TRIP_S;
    let share = cost.messages / SNS_MESSAGES_PER_S_MAX;
    let of_queue = cost.messages * in_flight_s / IN_FLIGHT_MAX;
    let count = (share.max(of_queue) / HEADROOM_SHARE).ceil().max(1.0);
    let share_used = share.max(of_queue) / count;
    let received = cost.bytes_per_event * wanted.events_per_s;
    Ok(Plan {
        engine: Engine::SnsSqs,
        count: count as u64,
        topics_each: u64::from(wanted.topics).div_ceil(count as u64),
        publishers: publishers.max(count as u64),
        window: None,
        batch_events: cost.events_per_message,
        linger_ms,
        window_events_per_s: None,
        capacity_events_per_s: count * SNS_MESSAGES_PER_S_MAX * fit,
        share_used,
        p50_ms: Some(f64::from(linger_ms) + 2.0 * ROUND_TRIP_S * 1000.0),
        p99_ms: None,
        event_bytes: cost.bytes_per_event,
        disk: None,
        network_bytes_per_s: received * f64::from(1 + wanted.subscribers),
        task_vcpu: None,
        month: month(wanted, &cost, &prices),
        notes: notes(&cost, count, share_used),
    })
}

/// A publisher has one batch of a topic in flight (docs/adr/0010).
fn publishers(wanted: &Wanted, fit: f64) -> u64 {
    let most = fit / ROUND_TRIP_S * f64::from(wanted.topics) * HEADROOM_SHARE;
    (wanted.events_per_s / most.max(1.0)).ceil().max(1.0) as u64
}

fn month(wanted: &Wanted, cost: &Cost, prices: &Prices) -> Vec<Item> {
    let queues = cost.receive_units + cost.delete_units + cost.idle_units;
    let deliveries = cost.messages * f64::from(wanted.subscribers);
    [
        ("SNS, publish", cost.publish_units, prices.sns_publish),
        ("SNS, deliveries to queues", deliveries, prices.sns_to_sqs),
        ("SQS, requests", queues, prices.sqs_request),
    ]
    .map(|(name, a_second, price)| {
        let count = a_second * MONTH_S;
        super::item(format!("{name}, {}", short(count)), count, Some(price))
    })
    .into()
}

fn notes(cost: &Cost, count: f64, share_used: f64) -> Vec<String> {
    let mut notes = Vec::new();
    let quota = short(SNS_MESSAGES_PER_S_MAX);
    if count > 1.0 {
        notes.push(format!(
            "one account does not carry it in one region: give each of them some worlds, or a \
             group of regions of the world; or have AWS raise the quota of {quota} messages \
             a second"
        ));
    }
    if share_used < FAR_BELOW {
        notes.push("carries it by far: batches fill as the load grows".to_owned());
    }
    notes.push(format!(
        "the share is of the {quota} messages (batches) a second that SNS publishes for an account \
         in {REGION}: this load makes {}; the capacity is that with batches of {BATCH_EVENTS_MAX} \
         events or 180 KiB",
        short(cost.messages)
    ));
    let handler_s = IN_FLIGHT_MAX * HEADROOM_SHARE / (cost.messages / count);
    notes.push(format!(
        "a queue has {} messages in flight at the most: handlers may take up to {} s a batch",
        short(IN_FLIGHT_MAX),
        short(handler_s)
    ));
    notes.push(
        "the latency is linger and two requests, from memory and not measured; the past is not \
         kept, but in the log of an event-bus"
            .to_owned(),
    );
    notes
}
