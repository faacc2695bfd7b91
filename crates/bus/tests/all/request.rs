//! Requests and replies over a real engine.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::kit::{Faulty, tick};
use crate::scripted::Scripted;
use worldbus_bus::*;
use worldbus_events::v1::{TimeUpdated, WeatherChanged};

/// Long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// What no one replies within.
const SHORT: Duration = Duration::from_millis(50);

/// Replies to a game minute with the region of that name.
async fn responder(bus: &Bus, replies: usize) -> (CancellationToken, JoinHandle<()>) {
    let publisher = bus.publisher("responder", "europe");
    let handle = move |request: TimeUpdated, message: Message| {
        let publisher = publisher.clone();
        async move {
            let region_id = format!("region-{}", request.total_minutes);
            let reply = WeatherChanged { region_id, ..WeatherChanged::default() };
            for _ in 0..replies {
                message.reply(&publisher, &reply).await?;
            }
            Ok::<(), Error>(())
        }
    };
    let once = RetryPolicy { attempts_max: 1, ..RetryPolicy::default() };
    let router = Router::new(bus, "responder").unwrap().retry(once).on(handle).unwrap();
    let (open, shutdown) = (router.open().await.unwrap(), CancellationToken::new());
    let ends = shutdown.clone();
    (shutdown, tokio::spawn(async move { open.run(ends).await.unwrap() }))
}

async fn requester(bus: &Bus) -> Requester<WeatherChanged> {
    bus.requester("gateway", "europe").await.unwrap()
}

fn late_replies() -> Arc<Late> {
    static LATE: Mutex<Option<Arc<Late>>> = Mutex::new(None);
    let mut late = LATE.lock().unwrap();
    Arc::clone(late.get_or_insert_with(|| {
        let late = Arc::new(Late::default());
        metrics::set_global_recorder(Recording(Arc::clone(&late))).ok().unwrap();
        late
    }))
}

/// Counts late replies.
#[derive(Default)]
struct Late {
    count: std::sync::atomic::AtomicU64,
    counted: Notify,
}

impl metrics::CounterFn for Late {
    fn increment(&self, value: u64) {
        self.count.fetch_add(value, Ordering::SeqCst);
        self.counted.notify_one();
    }

    fn absolute(&self, _: u64) {}
}

struct Recording(Arc<Late>);

impl metrics::Recorder for Recording {
    fn describe_counter(
        &self,
        _: metrics::KeyName,
        _: Option<metrics::Unit>,
        _: metrics::SharedString,
    ) {
    }

    fn describe_gauge(
        &self,
        _: metrics::KeyName,
        _: Option<metrics::Unit>,
        _: metrics::SharedString,
    ) {
    }

    fn describe_histogram(
        &self,
        _: metrics::KeyName,
        _: Option<metrics::Unit>,
        _: metrics::SharedString,
    ) {
    }

    fn register_counter(&self, key: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Counter {
        match key.name() {
            "worldbus_late_replies_total" => metrics::Counter::from_arc(Arc::clone(&self.0)),
            _ => metrics::Counter::noop(),
        }
    }

    fn register_gauge(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Gauge {
        metrics::Gauge::noop()
    }

    fn register_histogram(
        &self,
        _: &metrics::Key,
        _: &metrics::Metadata<'_>,
    ) -> metrics::Histogram {
        metrics::Histogram::noop()
    }
}

#[tokio::test]
async fn each_requester_gets_the_replies_to_its_own_requests() {
    let engine = Faulty::open();
    let bus = engine.bus();
    let _responder = responder(&bus, 1).await;
    let requesters = [requester(&bus).await, requester(&bus).await];
    let mut running = Vec::new();
    for minute in 0..40 {
        let requester = requesters[minute % 2].clone();
        running.push(tokio::spawn(async move {
            let reply = requester.request("here", &tick(minute as i64), PATIENCE).await.unwrap();
            assert_eq!(reply.region_id, format!("region-{minute}"));
        }));
    }
    for running in running {
        running.await.unwrap();
    }
    // Both are about what was asked about, and belong together.
    let spec = ReadSpec::all(Position::Start, false);
    let mut reader = engine.inner.read(spec).await.unwrap();
    let mut correlations = Vec::new();
    while let Some(stored) = reader.next().await.unwrap() {
        for event in stored.batch.iter() {
            assert_eq!(event.entity, Some("here"));
            correlations.push(event.metadata().unwrap()[CORRELATION].clone());
        }
    }
    correlations.sort_unstable();
    assert_eq!(correlations.len(), 80);
    assert!(correlations.chunks(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn a_request_without_reply_ends_at_its_deadline_and_may_have_been_carried_out() {
    let bus = Faulty::open().bus();
    let requester = requester(&bus).await;
    let error = requester.request(None, &tick(1), SHORT).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Timeout, Fate::Unknown));
    assert!(error.context().contains("no reply to time.updated within 50 ms"), "{error}");
}

#[tokio::test]
async fn late_and_second_replies_are_dropped_and_counted() {
    let late = late_replies();
    let bus = Faulty::open().bus();
    let requester = requester(&bus).await;
    // The responder gets what was requested before it was there.
    let handled = Router::new(&bus, "responder").unwrap().start(Position::Start);
    drop(handled.on(async |_: TimeUpdated, _| Ok::<(), Error>(())).unwrap().open().await.unwrap());
    requester.request(None, &tick(1), SHORT).await.unwrap_err();
    let _responder = responder(&bus, 2).await;
    tokio::time::timeout(PATIENCE, async {
        while late.count.load(Ordering::SeqCst) < 2 {
            late.counted.notified().await;
        }
    })
    .await
    .unwrap();
    let reply = requester.request(None, &tick(2), PATIENCE).await.unwrap();
    assert_eq!(reply.region_id, "region-2");
    tokio::time::timeout(PATIENCE, async {
        while late.count.load(Ordering::SeqCst) < 3 {
            late.counted.notified().await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn requests_that_wait_are_bounded_and_one_that_is_dropped_waits_no_more() {
    let bus = Faulty::open().bus();
    let requester = requester(&bus).await;
    let minute = tick(1);
    let mut waiting: Vec<_> = (0..REQUESTS_COUNT_MAX)
        .map(|_| Box::pin(requester.request(None, &minute, PATIENCE)))
        .collect();
    for request in &mut waiting {
        assert!(futures_util::poll!(request).is_pending());
    }
    let error = requester.request(None, &minute, PATIENCE).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Unavailable, Fate::Retry));
    drop(waiting.pop());
    let error = requester.request(None, &minute, SHORT).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout, "there is room again");
}

#[tokio::test]
async fn requests_end_when_the_bus_is_closed() {
    let bus = Faulty::open().bus();
    let requester = requester(&bus).await;
    let waiting = requester.clone();
    let waiting =
        tokio::spawn(async move { waiting.request(None, &tick(1), PATIENCE).await.unwrap_err() });
    // It is published.
    let topic = Topic::new("time").unwrap();
    let spec = ReadSpec::topics([topic], Position::Start, true);
    bus.transport().read(spec).await.unwrap().next().await.unwrap().unwrap();
    bus.close().await.unwrap();
    assert_eq!(waiting.await.unwrap().kind(), Kind::Closed);
    let error = requester.request(None, &tick(1), PATIENCE).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Closed, Fate::Refused));
}

#[tokio::test]
async fn a_transport_that_keeps_no_past_has_no_requester() {
    let bus = Scripted::new([]).bus();
    let error = bus.requester::<WeatherChanged>("gateway", "europe").await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Unsupported, Fate::Refused));
}

/// The first reader breaks, when it is asked to, behind so many batches.
struct Breaking {
    inner: Arc<dyn Transport>,
    is_broken: AtomicBool,
    batches: usize,
    breaks: Arc<Notify>,
}

#[async_trait]
impl Wrap for Breaking {
    fn inner(&self) -> Option<&dyn Transport> {
        Some(&*self.inner)
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn read(&self, spec: ReadSpec) -> Result<Box<dyn Reader>, Error> {
        let inner = self.inner.read(spec).await?;
        if self.is_broken.swap(true, Ordering::SeqCst) {
            return Ok(inner);
        }
        Ok(Box::new(Broken { inner, batches: self.batches, breaks: Arc::clone(&self.breaks) }))
    }
}

struct Broken {
    inner: Box<dyn Reader>,
    batches: usize,
    breaks: Arc<Notify>,
}

#[async_trait]
impl Reader for Broken {
    async fn next(&mut self) -> Result<Option<StoredBatch>, Error> {
        if self.batches > 0 {
            let next = self.inner.next().await?;
            self.batches -= 1;
            return Ok(next);
        }
        self.breaks.notified().await;
        Err(Error::retry(Kind::Unavailable, "the connection broke"))
    }
}

/// Also one that came while there was none.
#[tokio::test]
async fn replies_are_read_on_where_a_reader_broke() {
    for batches in 0..2 {
        let engine = Faulty::open();
        let breaks = Arc::new(Notify::new());
        let (inner, is_broken) = (Arc::clone(&engine.inner), false.into());
        let breaking = Breaking { inner, is_broken, batches, breaks: Arc::clone(&breaks) };
        let bus = Bus::new(Arc::new(breaking));
        let requester = requester(&bus).await;
        let _responder = responder(&bus, 1).await;
        for minute in 0..batches {
            requester.request("here", &tick(minute as i64), PATIENCE).await.unwrap();
        }
        let running = tokio::spawn(async move {
            requester.request("here", &tick(7), PATIENCE).await.unwrap().region_id
        });
        // The reply is in the log before another reader is.
        let topic = Topic::new("weather").unwrap();
        let spec = ReadSpec::topics([topic], Position::Start, true);
        let mut reader = engine.inner.read(spec).await.unwrap();
        for _ in 0..=batches {
            reader.next().await.unwrap().unwrap();
        }
        breaks.notify_one();
        assert_eq!(running.await.unwrap(), "region-7");
    }
}

#[tokio::test]
async fn an_event_that_is_no_request_gets_no_reply() {
    let bus = Faulty::open().bus();
    let _responder = responder(&bus, 1).await;
    bus.publisher("test", "europe").publish(&tick(1)).await.unwrap();
    let name = SubscriptionName::new("responder").unwrap();
    let reason = tokio::time::timeout(PATIENCE, async {
        loop {
            let letters = bus.transport().dead_letters(Some(&name), 1).await.unwrap();
            if let Some(letter) = letters.first() {
                return letter.event.reason.clone();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let reason = reason.await.unwrap();
    assert!(reason.contains("asks for no reply"), "{reason}");
}
