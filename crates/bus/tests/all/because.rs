//! What is published because of an event names it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::kit::{Faulty, tick};
use worldbus_bus::*;
use worldbus_events::v1::{TimeUpdated, WeatherChanged};

/// Long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn what_follows_from_an_event_names_it_and_what_both_belong_to() {
    let engine = Faulty::open();
    let bus = engine.bus();
    let publisher = bus.publisher("test", "europe");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (ends, noted, because) = (CancellationToken::new(), Arc::clone(&seen), publisher.clone());
    let done = ends.clone();
    let cause = move |_: TimeUpdated, message: Message| {
        let (noted, because) = (Arc::clone(&noted), because.clone());
        async move {
            noted.lock().unwrap().push(message.id.to_string());
            because.publish_because(&message, "here", &WeatherChanged::default()).await?;
            Ok::<(), Error>(())
        }
    };
    let (noted, count) = (Arc::new(Mutex::new(Vec::new())), 2);
    let effects = Arc::clone(&noted);
    let effect = move |_: WeatherChanged, message: Message| {
        let (causation, correlation) = (message.causation(), message.correlation());
        let entries = (causation.map(str::to_owned), correlation.map(str::to_owned));
        let mut noted = noted.lock().unwrap();
        noted.push(entries);
        if noted.len() == count {
            done.cancel();
        }
        async { Ok::<(), Error>(()) }
    };
    let router = Router::new(&bus, "test").unwrap().on(cause).unwrap().on(effect).unwrap();
    let open = router.open().await.unwrap();
    publisher.publish(&tick(1)).await.unwrap();
    let metadata = [(CORRELATION.to_owned(), "quest-7".to_owned())].into();
    let topic = Topic::new("time").unwrap();
    let raw = Outgoing { event_type: 6, metadata: Some(&metadata), ..Outgoing::default() };
    publisher.enqueue_raw(&topic, raw).await.unwrap().await.unwrap();
    tokio::time::timeout(PATIENCE, open.run(ends)).await.unwrap().unwrap();
    let ids = seen.lock().unwrap().clone();
    let expected = ids.into_iter().map(Some).zip([None, Some("quest-7".to_owned())]);
    assert_eq!(*effects.lock().unwrap(), expected.collect::<Vec<_>>());
}
