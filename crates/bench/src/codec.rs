//! Typed events to batch bytes and back, next to serde_json and Python's json in the same run.

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::report::{Row, median};
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

pub(crate) fn rows() -> Vec<Row> {
    let ticks = ticks();
    let mut builder = BatchBuilder::new("time-manager", "europe");
    let Some(batch) = encode(&mut builder, &ticks) else {
        return Vec::new();
    };
    let encoding = nanos(|| drop(black_box(encode(&mut builder, black_box(&ticks)))));
    let decoding = nanos(|| {
        black_box(decode(black_box(&batch)));
    });
    let json_events: Vec<JsonEvent> = ticks.iter().map(json_event).collect();
    let texts: Vec<String> =
        json_events.iter().filter_map(|event| serde_json::to_string(event).ok()).collect();
    let json_encoding = nanos(|| {
        for event in &json_events {
            drop(black_box(serde_json::to_string(black_box(event))));
        }
    });
    let json_decoding = nanos(|| {
        for text in &texts {
            drop(black_box(serde_json::from_str::<JsonEvent>(black_box(text))));
        }
    });
    let encode_allocations = allocation_counter::measure(|| {
        drop(encode(&mut builder, &ticks));
    });
    let decode_allocations = allocation_counter::measure(|| {
        black_box(decode(&batch));
    });
    let catalogue = Catalogue::builtin();
    let zstd = codec::encode(ContentType::EventBatchZstd, &batch, &catalogue);
    let an_event = |bytes: usize| vec![bytes as f64 / BATCH_EVENTS as f64];
    let ratio = |other: &[f64], ours: &[f64]| vec![median(other) / median(ours)];
    let allocations = |count: u64| vec![count as f64 / BATCH_EVENTS as f64];
    let python = python(&texts[0]);
    let mut rows = vec![
        Row::new("codec: typed event to batch", "ns an event", encoding.clone(), "<= 30"),
        Row::new(
            "codec: allocations to encode",
            "an event",
            allocations(encode_allocations.count_total),
            "0",
        ),
        Row::new("codec: serde_json to text", "ns an event", json_encoding.clone(), ""),
        Row::new(
            "codec: faster than serde_json to encode",
            "x",
            ratio(&json_encoding, &encoding),
            ">= 15",
        ),
        Row::new("codec: batch to typed event", "ns an event", decoding.clone(), "<= 30"),
        Row::new(
            "codec: allocations to decode",
            "an event",
            allocations(decode_allocations.count_total),
            "0",
        ),
        Row::new("codec: serde_json from text", "ns an event", json_decoding.clone(), ""),
        Row::new(
            "codec: faster than serde_json to decode",
            "x",
            ratio(&json_decoding, &decoding),
            ">= 20",
        ),
        Row::new(
            "codec: bytes of time.updated",
            "B an event",
            an_event(batch.bytes().len()),
            "<= 15",
        ),
        Row::new(
            "codec: the same with zstd",
            "B an event",
            an_event(zstd.map_or(0, |bytes| bytes.len())),
            "<= 4",
        ),
        Row::new("codec: the same as JSON", "B an event", vec![texts[0].len() as f64], ""),
    ];
    if let Some(nanos) = python {
        rows.push(Row::new("codec: Python json to text", "ns an event", vec![nanos], ""));
        let times = vec![nanos / median(&encoding)];
        rows.push(Row::new("codec: faster than Python json to encode", "x", times, ">= 200"));
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

/// Python's json.dumps on the same event, if there is a Python: nanoseconds an event.
fn python(text: &str) -> Option<f64> {
    let script = "import json,sys,timeit\n\
        e=json.loads(sys.argv[1])\n\
        print(min(timeit.repeat(lambda: json.dumps(e), number=20000, repeat=5))/20000*1e9)";
    let output = Command::new("python3").args(["-c", script, text]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
