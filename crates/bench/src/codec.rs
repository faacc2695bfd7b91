//! Typed events to batch bytes and back, next to what others take in the same run.

mod stock;

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::report::{Row, median};
use stock::Stock;
use worldbus::events::v1::{Phase, TimeUpdated};
use worldbus::events::{Batch, BatchBuilder, Catalogue, ContentType, EventId, ProducerId, codec};

const BATCH_EVENTS: usize = 1000;
const RUNS: usize = 9;
/// Batches of one run.
const BATCHES: usize = 300;

/// The event as the predecessor wrote it: 290 bytes of JSON.
#[derive(Serialize, Deserialize)]
struct JsonEvent {
    event_id: String,
    event_type: String,
    source: String,
    timestamp: String,
    world: String,
    data: JsonTick,
    metadata: JsonMetadata,
}

#[derive(Serialize, Deserialize)]
struct JsonTick {
    total_minutes: i64,
    hour: u32,
    minute: u32,
    phase: String,
    time_string: String,
}

#[derive(Serialize, Deserialize)]
struct JsonMetadata {
    version: String,
    correlation_id: String,
}

fn ticks() -> Vec<(EventId, i64, TimeUpdated)> {
    let producer = ProducerId::from_bits(0x0123_4567_89ab_cdef);
    (0..BATCH_EVENTS as u64)
        .map(|minute| {
            let event = TimeUpdated {
                total_minutes: 500_000 + minute as i64,
                hour: (minute / 60 % 24) as u32,
                minute: (minute % 60) as u32,
                phase: Phase::Day.into(),
            };
            let id = EventId { producer, sequence: minute };
            (id, 1_795_000_000_000 + minute as i64 * 1250 / 3, event)
        })
        .collect()
}

fn encode(builder: &mut BatchBuilder, ticks: &[(EventId, i64, TimeUpdated)]) -> Option<Batch> {
    for (id, timestamp_ms, event) in ticks {
        builder.push_event(event, *id, *timestamp_ms, None).ok()?;
    }
    builder.finish()
}

fn decode(batch: &Batch) -> i64 {
    let read = Batch::decode(batch.bytes().clone());
    read.map_or(0, |read| {
        read.iter().filter_map(|e| e.decode::<TimeUpdated>().ok()).map(|e| e.total_minutes).sum()
    })
}

/// What ours takes, and what others take, Python's ways by this interpreter.
pub(crate) fn rows(python: &Path) -> Vec<Row> {
    let ticks = ticks();
    let mut builder = BatchBuilder::new("time-manager", "europe");
    let Some(batch) = encode(&mut builder, &ticks) else {
        return Vec::new();
    };
    let encoding = nanos(|| drop(black_box(encode(&mut builder, black_box(&ticks)))));
    let decoding = nanos(|| {
        black_box(decode(black_box(&batch)));
    });
    let encode_allocations = allocation_counter::measure(|| {
        drop(encode(&mut builder, &ticks));
    });
    let decode_allocations = allocation_counter::measure(|| {
        black_box(decode(&batch));
    });
    let zstd = codec::encode(ContentType::EventBatchZstd, &batch, &Catalogue::builtin());
    let zstd = zstd.map_or(0, |bytes| bytes.len());
    let an_event = |count: f64| vec![count / BATCH_EVENTS as f64];
    let row =
        |name: &str, unit, runs, target| Row::new(format!("codec: {name}"), unit, runs, target);
    let (encodings, decodings) = (encode_allocations.count_total, decode_allocations.count_total);
    let mut rows = vec![
        row("typed event to batch", "ns an event", encoding.clone(), "<= 30"),
        row("allocations to encode", "an event", an_event(encodings as f64), "0"),
        row("batch to typed event", "ns an event", decoding.clone(), "<= 30"),
        row("allocations to decode", "an event", an_event(decodings as f64), "0"),
        row("bytes of time.updated", "B an event", an_event(batch.bytes().len() as f64), "<= 15"),
        row("the same with zstd", "B an event", an_event(zstd as f64), "<= 4"),
    ];
    let json_events: Vec<JsonEvent> = ticks.iter().map(json_event).collect();
    let texts: Vec<String> =
        json_events.iter().filter_map(|event| serde_json::to_string(event).ok()).collect();
    let mut others =
        vec![stock::serde_json(&json_events, &texts), stock::sonic_rs(&json_events, &texts)];
    others.extend(stock::python(python, &texts[0]));
    for Stock { name, encode, decode, bytes } in others {
        let targets = match name.as_str() {
            "serde_json" => [">= 15", ">= 20"],
            "Python json" => [">= 200", ""],
            _ => ["", ""],
        };
        let [faster_encode, faster_decode] = [(&encode, &encoding), (&decode, &decoding)]
            .map(|(other, ours)| vec![median(other) / median(ours)]);
        rows.extend([
            row(&format!("{name}, encode"), "ns an event", encode, ""),
            row(&format!("faster than {name} to encode"), "x", faster_encode, targets[0]),
            row(&format!("{name}, decode"), "ns an event", decode, ""),
            row(&format!("faster than {name} to decode"), "x", faster_decode, targets[1]),
            row(&format!("{name}, bytes"), "B an event", vec![bytes as f64], ""),
        ]);
    }
    rows
}

fn json_event((id, timestamp_ms, event): &(EventId, i64, TimeUpdated)) -> JsonEvent {
    JsonEvent {
        event_id: id.to_string(),
        event_type: "time.updated".to_owned(),
        source: "time-manager".to_owned(),
        timestamp: format!("{timestamp_ms}+00:00"),
        world: "europe".to_owned(),
        data: JsonTick {
            total_minutes: event.total_minutes,
            hour: event.hour,
            minute: event.minute,
            phase: "day".to_owned(),
            time_string: format!("{:02}:{:02}", event.hour, event.minute),
        },
        metadata: JsonMetadata { version: "1.0".to_owned(), correlation_id: id.to_string() },
    }
}

/// Nanoseconds an event, run by run.
fn nanos(mut batch: impl FnMut()) -> Vec<f64> {
    batch();
    let mut run = || {
        let begun = Instant::now();
        for _ in 0..BATCHES {
            batch();
        }
        begun.elapsed().as_nanos() as f64 / (BATCHES * BATCH_EVENTS) as f64
    };
    (0..RUNS).map(|_| run()).collect()
}
