//! What a wrapper does not write passes to what it wraps, whichever method it is.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::error::Fate;

/// Notes which of its methods is called; each call fails.
#[derive(Default)]
struct Recorder {
    called: Mutex<Vec<&'static str>>,
}

impl Recorder {
    fn note(&self, method: &'static str) -> Error {
        self.called.lock().expect("no panic").push(method);
        Error::refused(Kind::Unsupported, method)
    }
}

static CAPABILITIES: Capabilities = Capabilities {
    transport: "recorder",
    has: Vec::new(),
    payload_bytes_max: 1,
    batch_bytes_max: 1,
    linger: Duration::ZERO,
};

#[async_trait]
impl Transport for Recorder {
    fn capabilities(&self) -> &Capabilities {
        self.note("capabilities");
        &CAPABILITIES
    }

    fn messaging_systems(&self) -> (&'static str, &'static str) {
        self.note("messaging_systems");
        ("to", "from")
    }

    fn world(&self) -> Option<&str> {
        self.note("world");
        Some("europe")
    }

    async fn publish(&self, _: &Topic, _: Batch) -> Result<Appended, Error> {
        Err(self.note("publish"))
    }

    async fn subscribe(&self, _: SubscriptionSpec) -> Result<Box<dyn Consumer>, Error> {
        Err(self.note("subscribe"))
    }

    async fn read(&self, _: ReadSpec) -> Result<Box<dyn Reader>, Error> {
        Err(self.note("read"))
    }

    async fn topics(&self) -> Result<Vec<TopicStatus>, Error> {
        Err(self.note("topics"))
    }

    async fn end(&self) -> Result<Option<LogEnd>, Error> {
        Err(self.note("end"))
    }

    async fn subscriptions(&self) -> Result<Vec<SubscriptionStatus>, Error> {
        Err(self.note("subscriptions"))
    }

    async fn delete_topic(&self, _: &Topic, _: bool) -> Result<(), Error> {
        Err(self.note("delete_topic"))
    }

    async fn delete_subscription(&self, _: &SubscriptionName, _: bool) -> Result<(), Error> {
        Err(self.note("delete_subscription"))
    }

    async fn studio_types(&self) -> Result<StudioTypes, Error> {
        Err(self.note("studio_types"))
    }

    async fn register_types(&self, _: Bytes) -> Result<Vec<RegisteredType>, Error> {
        Err(self.note("register_types"))
    }

    async fn dead_letters(
        &self,
        _: Option<&SubscriptionName>,
        _: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        Err(self.note("dead_letters"))
    }

    async fn dead_letter_page(
        &self,
        _: Option<&SubscriptionName>,
        _: Option<&str>,
        _: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        Err(self.note("dead_letter_page"))
    }

    async fn dead_letter_count(&self) -> Result<Option<u64>, Error> {
        Err(self.note("dead_letter_count"))
    }

    async fn replay_dead_letters(
        &self,
        _: &SubscriptionName,
        _: &[String],
    ) -> Result<Vec<String>, Error> {
        Err(self.note("replay_dead_letters"))
    }

    async fn discard_dead_letters(
        &self,
        _: &SubscriptionName,
        _: &[String],
    ) -> Result<Vec<String>, Error> {
        Err(self.note("discard_dead_letters"))
    }

    async fn close(&self) -> Result<(), Error> {
        Err(self.note("close"))
    }
}

/// Writes nothing but what it has to.
struct Bare(Option<Arc<Recorder>>);

#[async_trait]
impl Wrap for Bare {
    fn inner(&self) -> Option<&dyn Transport> {
        self.0.as_deref().map(|inner| inner as &dyn Transport)
    }

    fn capabilities(&self) -> &Capabilities {
        self.0.as_ref().map_or(&CAPABILITIES, |inner| inner.capabilities())
    }
}

fn batch() -> Batch {
    use worldbus_events::{BatchBuilder, EventId, NewEvent, ProducerId};
    let mut builder = BatchBuilder::new("test", "world");
    let id = EventId { producer: ProducerId::MAX, sequence: 0 };
    let (timestamp_ms, entity, place, metadata) = (0, None, None, None);
    let (event_type, payload) = (100, &b""[..]);
    let event = NewEvent { event_type, id, timestamp_ms, entity, place, payload, metadata };
    builder.push(event).expect("an event");
    builder.finish().expect("a batch")
}

/// Calls each method once.
async fn call_each(transport: &dyn Transport) {
    let topic = Topic::new("t").expect("a name");
    let name = SubscriptionName::new("s").expect("a name");
    let spec = SubscriptionSpec::new(name.clone(), vec![topic.clone()]);
    let all = ReadSpec::all(crate::Position::Start, false);
    let fails = |failed: bool| assert!(failed, "what a recorder fails with is passed on");
    transport.capabilities();
    assert_eq!(transport.messaging_systems(), ("to", "from"));
    assert_eq!(transport.world(), Some("europe"));
    fails(transport.publish(&topic, batch()).await.is_err());
    fails(transport.subscribe(spec).await.is_err());
    fails(transport.read(all).await.is_err());
    fails(transport.topics().await.is_err());
    fails(transport.end().await.is_err());
    fails(transport.subscriptions().await.is_err());
    fails(transport.delete_topic(&topic, false).await.is_err());
    fails(transport.delete_subscription(&name, false).await.is_err());
    fails(transport.studio_types().await.is_err());
    fails(transport.register_types(Bytes::new()).await.is_err());
    fails(transport.dead_letters(None, 1).await.is_err());
    fails(transport.dead_letter_page(None, None, 1).await.is_err());
    fails(transport.dead_letter_count().await.is_err());
    fails(transport.replay_dead_letters(&name, &[]).await.is_err());
    fails(transport.discard_dead_letters(&name, &[]).await.is_err());
    fails(transport.close().await.is_err());
}

/// The methods of the trait, from its source: those with a default body are no different there.
fn methods() -> Vec<&'static str> {
    let source = include_str!("../../transport.rs");
    let (_, source) = source.split_once("pub trait Transport").expect("the trait");
    let (body, _) = source.split_once("\n}\n").expect("its end");
    let name = |line: &'static str| {
        let line = line.strip_prefix("    ")?;
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("fn ")?.split_once('(').map(|(name, _)| name)
    };
    body.lines().filter_map(name).collect()
}

#[tokio::test]
async fn each_method_of_a_transport_passes_through_a_wrapper() {
    let recorder = Arc::new(Recorder::default());
    call_each(&Bare(Some(Arc::clone(&recorder)))).await;
    let mut called = recorder.called.lock().expect("no panic").clone();
    let mut methods = methods();
    assert!(methods.len() > 15, "{methods:?}");
    called.sort_unstable();
    methods.sort_unstable();
    assert_eq!(called, methods, "each method belongs into `Wrap`, its `Transport`, and this test");
}

#[tokio::test]
async fn wrapper_of_what_is_not_there_yet_may_be_tried_again_and_closes() {
    let bare: &dyn Transport = &Bare(None);
    let error = bare.topics().await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Unavailable, Fate::Retry));
    assert_eq!((bare.world(), bare.messaging_systems()), (None, ("worldbus", "worldbus")));
    bare.close().await.unwrap();
}
