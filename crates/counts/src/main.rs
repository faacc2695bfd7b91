//! The paths of the codec that each event takes, so often that they can be counted:
//! `worldbus-counts encode N` or `worldbus-counts decode N`, N batches of a thousand typed events.
//! `cargo xtask ci --only counts` has valgrind count the instructions. A crate of its own, so that
//! no more than the codec is built for it. Not a benchmark: those are in `crates/bench`.

use std::hint::black_box;

use worldbus_events::v1::{Phase, TimeUpdated};
use worldbus_events::{About, Batch, BatchBuilder, Event as _, EventId, ProducerId};

const BATCH_EVENTS: u64 = 1000;

fn encode() -> Option<Batch> {
    let mut builder = BatchBuilder::new("time-manager", "europe");
    let producer = ProducerId::from_bits(0x0123_4567_89ab_cdef);
    for sequence in 0..BATCH_EVENTS {
        let event = TimeUpdated {
            total_minutes: 500_000 + sequence as i64,
            hour: (sequence / 60 % 24) as u32,
            minute: (sequence % 60) as u32,
            phase: Phase::Day.into(),
        };
        let timestamp_ms = 1_795_000_000_000 + sequence as i64 * 1250 / 3;
        let id = EventId { producer, sequence };
        builder.push_event(black_box(&event), id, timestamp_ms, About::default()).ok()?;
    }
    builder.finish()
}

fn decode(batch: &Batch) -> usize {
    batch.iter().filter(|view| black_box(TimeUpdated::from_payload(view.payload)).is_ok()).count()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(batches), Some(batch)) = (arguments.get(1).and_then(|n| n.parse().ok()), encode())
    else {
        eprintln!("usage: worldbus-counts encode|decode BATCHES");
        std::process::exit(2);
    };
    let batches: u32 = batches;
    let mut events = 0;
    for _ in 0..batches {
        events += match arguments[0].as_str() {
            "encode" => black_box(encode()).map_or(0, |batch| batch.len()),
            _ => decode(black_box(&batch)),
        };
    }
    println!("{events} events");
}
