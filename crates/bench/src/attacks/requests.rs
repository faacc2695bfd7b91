//! Calls of one client that is let in: as large and as many as it may, answers not read.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;

use super::Watch;
use crate::broker::Broker;
use crate::report::{Row, percentile};
use worldbus::events::{Batch, BatchBuilder, EventId, NewEvent, ProducerId};
use worldbus::{
    Bus, DeadEvent, Fate, Filter, Position, ReadSpec, SubscriptionName, SubscriptionSpec, Topic,
    Transport,
};

const MEGABYTE: usize = 1_000_000;
const STALLED_SSE_COUNT: usize = 512;
const STALLED_READER_COUNT: usize = 100;
/// Longer than the deadline for progress of a stream.
const STALLED: Duration = Duration::from_secs(40);
const PUBLISHERS: u64 = 6;
const CALLS_EACH: u64 = 10;
const EVENTS_A_CALL: u64 = 4;
const DEAD_LETTER_COUNT: u64 = 240;
const HISTORY_COUNT: usize = 16;
const UNSCRAPED: Duration = Duration::from_secs(20);
const FAN_OUT: usize = 400;
const FAN_OUT_EVENTS: u64 = 500;

#[derive(Clone, Copy)]
pub(super) enum Attack {
    StalledStreams,
    StalledReaders,
    LargePublishes,
    LargeDeadLetters,
    LongHistories,
    UnscrapedMetrics,
    FanOut,
}

impl Attack {
    pub(super) const ALL: [Self; 7] = [
        Self::StalledStreams,
        Self::StalledReaders,
        Self::LargePublishes,
        Self::LargeDeadLetters,
        Self::LongHistories,
        Self::UnscrapedMetrics,
        Self::FanOut,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::StalledStreams => "512 streams that nobody reads",
            Self::StalledReaders => "100 gRPC readers that do not read",
            Self::LargePublishes => "60 publishes of 4 MB at once",
            Self::LargeDeadLetters => "240 dead letters of 1 MB, listed and counted",
            Self::LongHistories => "16 histories of 200 MB at once",
            Self::UnscrapedMetrics => "20 s of small batches, metrics not read",
            Self::FanOut => "400 streams that are read",
        }
    }
}

pub(super) async fn rows(worldbus: &Path, attack: Attack) -> Result<Vec<Row>> {
    let broker = Broker::start(worldbus, "event-bus")?;
    let watch = Watch::start(&broker)?;
    let name = attack.name();
    let figures = match attack {
        Attack::StalledStreams => stalled_streams(&broker).await?,
        Attack::StalledReaders => stalled_readers(&broker).await?,
        Attack::LargePublishes => large_publishes(&broker).await?,
        Attack::LargeDeadLetters => large_dead_letters(&broker).await?,
        Attack::LongHistories => long_histories(&broker).await?,
        Attack::UnscrapedMetrics => unscraped_metrics(&broker).await?,
        Attack::FanOut => fan_out(&broker).await?,
    };
    let mut rows = watch.end(name)?;
    let row = |(what, unit, value)| Row::new(format!("{name}: {what}"), unit, vec![value], "");
    rows.extend(figures.into_iter().map(row));
    Ok(rows)
}

/// A figure: of what, its unit, how much.
type Figure = (&'static str, &'static str, f64);

async fn stalled_streams(broker: &Broker) -> Result<Vec<Figure>> {
    fill(&client(broker).await?, "time", 48, 16).await?;
    let streams: Vec<TcpStream> = (0..STALLED_SSE_COUNT)
        .map(|_| stream(broker, "/api/events/stream?from=start"))
        .collect::<Result<_>>()?;
    tokio::time::sleep(STALLED).await;
    let newcomer = is_served(stream(broker, "/api/events/stream")?)?;
    drop(streams);
    Ok(vec![("a newcomer is served", "", newcomer)])
}

async fn stalled_readers(broker: &Broker) -> Result<Vec<Figure>> {
    fill(&client(broker).await?, "time", 48, 16).await?;
    let mut readers = Vec::new();
    for _ in 0..STALLED_READER_COUNT {
        let client = client(broker).await?;
        let spec = ReadSpec {
            topics: Vec::new(),
            default_from: Position::Start,
            all_topics: true,
            filter: Filter::default(),
            follow: true,
            resume: None,
        };
        // One beyond the places is refused, which is the point.
        if let Ok(reader) = client.transport().read(spec).await {
            readers.push((client, reader));
        }
    }
    let taken = readers.len() as f64;
    tokio::time::sleep(STALLED).await;
    Ok(vec![("let in", "", taken)])
}

async fn large_publishes(broker: &Broker) -> Result<Vec<Figure>> {
    let mut calls = JoinSet::new();
    for publisher in 0..PUBLISHERS {
        let client = client(broker).await?;
        for call in 0..CALLS_EACH {
            let client = client.clone();
            let producer = 1_000 + publisher * CALLS_EACH + call;
            calls.spawn(async move {
                let batch = batch(producer, 0, EVENTS_A_CALL, MEGABYTE)?;
                publish(client.transport(), "a", batch).await
            });
        }
    }
    let small = client(broker).await?;
    let begun = Instant::now();
    publish(small.transport(), "b", batch(1, 0, 1, 0)?).await?;
    let millis = begun.elapsed().as_secs_f64() * 1e3;
    let mut refused = 0.0;
    while let Some(retries) = calls.join_next().await {
        refused += retries?? as f64;
    }
    Ok(vec![("a small publish meanwhile", "ms", millis), ("tried again", "times", refused)])
}

async fn large_dead_letters(broker: &Broker) -> Result<Vec<Figure>> {
    let client = client(broker).await?;
    fill(&client, "a", DEAD_LETTER_COUNT, 1).await?;
    let spec = SubscriptionSpec {
        start: Position::Start,
        consumer: "bench".to_owned(),
        ..SubscriptionSpec::new(SubscriptionName::new("s")?, vec![Topic::new("a")?])
    };
    let mut consumer = client.transport().subscribe(spec).await?;
    let mut count = 0;
    while count < DEAD_LETTER_COUNT {
        let delivered = consumer.next().await?;
        let dead = DeadEvent {
            index: 0,
            reason: "too large".to_owned(),
            attempts: 1,
            first_failed_ms: 1,
            last_failed_ms: 1,
        };
        consumer.settler().dead_letter(&delivered.lease, vec![dead]).await?;
        count += 1;
    }
    let lists: Vec<TcpStream> = (0..8)
        .map(|_| stream(broker, "/api/events/dead-letters?limit=240"))
        .collect::<Result<_>>()?;
    let begun = Instant::now();
    for _ in 0..4 {
        ureq::get(format!("{}/api/events/stats", broker.url())).call()?;
    }
    let millis = begun.elapsed().as_secs_f64() * 1e3 / 4.0;
    tokio::time::sleep(Duration::from_secs(6)).await;
    drop(lists);
    Ok(vec![("counting them", "ms", millis)])
}

async fn long_histories(broker: &Broker) -> Result<Vec<Figure>> {
    fill(&client(broker).await?, "time", 200, 10).await?;
    let begun = Instant::now();
    let asking: Vec<_> = (0..HISTORY_COUNT)
        .map(|_| {
            let url = format!("{}/api/events/history/time.changed?limit=1", broker.url());
            tokio::task::spawn_blocking(move || ureq::get(url).call().is_ok())
        })
        .collect();
    let mut answered = 0.0;
    for asked in asking {
        answered += f64::from(u8::from(asked.await?));
    }
    let seconds = begun.elapsed().as_secs_f64();
    Ok(vec![("answered", "of 16", answered), ("all of them", "s", seconds)])
}

async fn unscraped_metrics(broker: &Broker) -> Result<Vec<Figure>> {
    let (begun, mut calls) = (Instant::now(), JoinSet::new());
    for producer in 1..=100 {
        let client = client(broker).await?;
        calls.spawn(async move {
            let mut sequence = 0;
            while begun.elapsed() < UNSCRAPED {
                publish(client.transport(), "a", batch(producer, sequence, 1, 0)?).await?;
                sequence += 1;
            }
            anyhow::Ok(sequence)
        });
    }
    let mut batches = 0;
    while let Some(sent) = calls.join_next().await {
        batches += sent??;
    }
    Ok(vec![("batches", "a second", batches as f64 / begun.elapsed().as_secs_f64())])
}

async fn fan_out(broker: &Broker) -> Result<Vec<Figure>> {
    let client = client(broker).await?;
    publish(client.transport(), "time", batch(1, 0, 1, 0)?).await?;
    for _ in 0..FAN_OUT {
        let mut stream = stream(broker, "/api/events/stream")?;
        std::thread::spawn(move || {
            let mut buffer = [0; 16 << 10];
            while stream.read(&mut buffer).is_ok_and(|bytes| bytes > 0) {}
        });
    }
    let mut millis = Vec::new();
    for sequence in 0..FAN_OUT_EVENTS {
        let begun = Instant::now();
        publish(client.transport(), "time", batch(2, sequence, 1, 0)?).await?;
        millis.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok(vec![
        ("publish, p50", "ms", percentile(&millis, 0.5)),
        ("publish, p99", "ms", percentile(&millis, 0.99)),
    ])
}

/// Batches of one megabyte on a topic, each of as many events.
async fn fill(client: &Bus, topic: &str, batches: u64, events: u64) -> Result<()> {
    for number in 0..batches {
        let batch = batch(9, number * events, events, MEGABYTE / events as usize)?;
        publish(client.transport(), topic, batch).await?;
    }
    Ok(())
}

/// Publishes until it is taken; how often it was refused for lack of room.
async fn publish(transport: &Arc<dyn Transport>, topic: &str, batch: Batch) -> Result<u64> {
    let topic = Topic::new(topic)?;
    let mut retries = 0;
    loop {
        match transport.publish(&topic, batch.clone()).await {
            Ok(_) => return Ok(retries),
            Err(error) if error.fate() == Fate::Retry => retries += 1,
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn batch(producer: u64, first: u64, count: u64, payload_bytes: usize) -> Result<Batch> {
    let mut builder = BatchBuilder::new("bench", "europe");
    for sequence in first..first + count {
        let id = EventId { producer: ProducerId::from_bits(producer), sequence };
        let (event_type, timestamp_ms, payload) = (6, 1, &vec![7; payload_bytes]);
        let (entity, place, metadata) = (None, None, None);
        let event = NewEvent { event_type, id, timestamp_ms, entity, place, payload, metadata };
        builder.push(event)?;
    }
    builder.finish().context("a batch of no event")
}

async fn client(broker: &Broker) -> Result<Bus> {
    Ok(worldbus::connect(&broker.url(), None).await?)
}

/// A request of which nothing is read yet.
fn stream(broker: &Broker, path: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(broker.address()).context("connect; see ulimit -n")?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
    Ok(stream)
}

/// 1 if the answer is 200.
fn is_served(mut stream: TcpStream) -> Result<f64> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    Ok(f64::from(u8::from(&answer == b"HTTP/1.1 200")))
}
