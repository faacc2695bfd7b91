//! The load of `worldbus bench` on a peer: one connection publishes with a window, another consumes
//! and acknowledges, at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::Wire;
use super::times::Times;
use worldbus::events::prost::Message as _;
use worldbus::events::v1::{GameEvent, Phase, TimeUpdated};
use worldbus::events::{BatchBuilder, EventId, ProducerId};

/// What a read takes at once.
const READ_BYTES: usize = 256 << 10;
/// How long what was published may take to come.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Places for the times of batches under way: more than any window.
const PLACES: usize = 1 << 17;

/// How much, how fast, in which shape.
#[derive(Debug, Clone, Args)]
pub(super) struct Load {
    /// In flight: events, or batches.
    #[arg(long)]
    window: usize,
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Events a second; as fast as the window allows without it.
    #[arg(long)]
    rate: Option<f64>,
    /// Ready batches of so many events in the place of events.
    #[arg(long)]
    batch_events: Option<u32>,
}

/// What both sides share.
struct Run {
    load: Load,
    origin: Instant,
    /// When each message was sent, in nanoseconds, by number modulo the places.
    sent: Vec<AtomicU64>,
}

/// Runs it to its end: until all that was published was consumed.
pub(super) async fn run<W: Wire>(load: Load, port: u16, producer: W, consumer: W) -> Result<Value> {
    let sent = (0..PLACES).map(|_| AtomicU64::new(0)).collect();
    let run = Arc::new(Run { load, origin: Instant::now(), sent });
    let (all, total) = watch::channel(None);
    let consuming = tokio::spawn(consume(Arc::clone(&run), connect(port).await?, consumer, total));
    let published = produce(&run, connect(port).await?, producer).await?;
    all.send_replace(Some(published.count()));
    let handled = consuming.await??;
    let events = published.count() * published.weight;
    Ok(json!({ "events": events, "published": published.json(), "handled": handled.json() }))
}

async fn connect(port: u16) -> Result<TcpStream> {
    let connection = TcpStream::connect(("127.0.0.1", port)).await?;
    connection.set_nodelay(true)?;
    Ok(connection)
}

async fn produce<W: Wire>(run: &Run, mut connection: TcpStream, mut wire: W) -> Result<Times> {
    let mut times = Times::of(run.weight());
    let (mut input, mut out) = (Vec::with_capacity(READ_BYTES), Vec::new());
    let mut in_flight = VecDeque::with_capacity(run.load.window);
    let (mut sent, mut payload) = (0_u64, Vec::new());
    let batch = run.ready_batch()?;
    wire.begin(&mut out);
    loop {
        let due = |number: u64| run.load.rate.map(|rate| number as f64 / rate);
        let is_over = run.now().as_secs_f64() >= run.load.seconds;
        while !is_over && in_flight.len() < run.load.window {
            let now = run.now();
            if due(sent).is_some_and(|due| due > now.as_secs_f64()) {
                break;
            }
            run.sent[sent as usize % PLACES].store(now.as_nanos() as u64, Relaxed);
            match &batch {
                Some(batch) => wire.publish(batch, &mut out),
                None => {
                    write_event(sent, now, &mut payload)?;
                    wire.publish(&payload, &mut out);
                }
            }
            in_flight.push_back(now);
            sent += 1;
        }
        connection.write_all(&out).await?;
        out.clear();
        if is_over && in_flight.is_empty() {
            return Ok(times);
        }
        let wait = due(sent).map(|due| Duration::from_secs_f64(due).saturating_sub(run.now()));
        let wait = wait.filter(|_| !is_over).unwrap_or(SILENCE_MAX);
        tokio::select! {
            read = connection.read_buf(&mut input) => ensure!(read? > 0, "the peer hung up"),
            () = tokio::time::sleep(wait) => {}
        }
        let (used, answers) = wire.answers(&input, &mut out)?;
        input.drain(..used);
        let now = run.now();
        for _ in 0..answers {
            times.add(now, in_flight.pop_front().context("an answer too many")?);
        }
    }
}

async fn consume<W: Wire>(
    run: Arc<Run>,
    mut connection: TcpStream,
    mut wire: W,
    mut total: watch::Receiver<Option<u64>>,
) -> Result<Times> {
    let mut times = Times::of(run.weight());
    let (mut input, mut out) = (Vec::with_capacity(READ_BYTES), Vec::new());
    wire.begin(&mut out);
    wire.deliveries(&[], &mut out, &mut |_| {})?;
    loop {
        connection.write_all(&out).await?;
        out.clear();
        let all = *total.borrow_and_update();
        if all.is_some_and(|all| times.count() >= all) {
            return Ok(times);
        }
        input.reserve(READ_BYTES);
        tokio::select! {
            read = connection.read_buf(&mut input) => ensure!(read? > 0, "the peer hung up"),
            changed = total.changed(), if all.is_none() => {
                changed?;
                continue;
            }
            () = tokio::time::sleep(SILENCE_MAX) => anyhow::bail!("what was published is missing"),
        }
        let mut decoded = Ok(());
        let used = wire.deliveries(&input, &mut out, &mut |payload| match run
            .sent_at(payload, times.count())
        {
            Ok(from) => times.add(run.now(), from),
            Err(error) => decoded = Err(error),
        })?;
        decoded?;
        input.drain(..used);
    }
}

impl Run {
    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    /// Events of a message.
    fn weight(&self) -> u64 {
        u64::from(self.load.batch_events.unwrap_or(1))
    }

    /// When a message was sent: an event is decoded, as a handler wants it; batches come in order.
    fn sent_at(&self, payload: &[u8], number: u64) -> Result<Duration> {
        if self.load.batch_events.is_some() {
            return Ok(Duration::from_nanos(self.sent[number as usize % PLACES].load(Relaxed)));
        }
        let event = GameEvent::decode(payload)?;
        let tick = TimeUpdated::decode(&event.payload[..])?;
        Ok(Duration::from_micros(tick.total_minutes as u64))
    }

    /// The bytes of a batch of ours, sent again and again: a peer looks for no duplicates.
    fn ready_batch(&self) -> Result<Option<Vec<u8>>> {
        let Some(events) = self.load.batch_events else { return Ok(None) };
        let producer = ProducerId::from_bits(7);
        let mut builder = BatchBuilder::new("time-manager", "europe");
        for sequence in 0..u64::from(events) {
            let id = EventId { producer, sequence };
            builder.push_event(
                &tick(sequence, Duration::ZERO),
                id,
                timestamp_ms(sequence),
                None,
            )?;
        }
        Ok(builder.finish().map(|batch| batch.bytes().to_vec()))
    }
}

/// One event in a message of its own.
fn write_event(number: u64, now: Duration, out: &mut Vec<u8>) -> Result<()> {
    out.clear();
    let id = EventId { producer: ProducerId::from_bits(7), sequence: number };
    let event = GameEvent {
        event_id: id.to_string(),
        event_type: 6,
        source: "time-manager".to_owned(),
        timestamp: timestamp_ms(number),
        payload: tick(number, now).encode_to_vec(),
        metadata: Default::default(),
    };
    Ok(event.encode(out)?)
}

fn tick(number: u64, now: Duration) -> TimeUpdated {
    TimeUpdated {
        total_minutes: now.as_micros() as i64,
        hour: (number / 60 % 24) as u32,
        minute: (number % 60) as u32,
        phase: Phase::Day.into(),
    }
}

fn timestamp_ms(number: u64) -> i64 {
    1_795_000_000_000 + number as i64
}
