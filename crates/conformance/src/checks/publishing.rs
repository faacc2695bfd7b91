//! Checks of publishing: duplicates, bounds, the end of a publisher.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::events::{batch, sequences, spec, topic, typed};
use crate::wait::{ack, next, nothing, read_all, soon};
use worldbus_bus::{Appended, Bus, Error, Fate, Kind, Outgoing, Position, ReadSpec, Transport};

pub(crate) async fn duplicates_are_dropped(transport: &Arc<dyn Transport>) {
    let name = topic("twins");
    let publish = |sequences| transport.publish(&name, batch(13, sequences));
    assert_eq!(publish(0..10).await.unwrap(), Appended { offset: Some(0), duplicates: vec![] });
    assert_eq!(
        publish(0..10).await.unwrap(),
        Appended { offset: None, duplicates: (0..10).collect() }
    );
    assert_eq!(publish(4..6).await.unwrap(), Appended { offset: None, duplicates: vec![0, 1] });
    assert_eq!(publish(8..12).await.unwrap(), Appended { offset: Some(1), duplicates: vec![0, 1] });
    // At once, so that both may be in one commit.
    let (first, second) = tokio::join!(publish(20..30), publish(25..35));
    assert_eq!(first.unwrap(), Appended { offset: Some(2), duplicates: vec![] });
    assert_eq!(second.unwrap(), Appended { offset: Some(3), duplicates: (0..5).collect() });
    let all =
        read_all(&**transport, ReadSpec::topics([name.clone()], Position::Start, false)).await;
    let found: Vec<_> = all.iter().flat_map(|stored| sequences(&stored.batch)).collect();
    assert_eq!(found, (0..12).chain(20..35).collect::<Vec<_>>());
}

pub(crate) async fn too_large_batches_are_refused(transport: &Arc<dyn Transport>) {
    let mut consumer = transport.subscribe(spec("large", &["large"], Position::Now)).await.unwrap();
    let max = transport.capabilities().batch_bytes_max;
    let payload_bytes = transport.capabilities().payload_bytes_max;
    let events = max.div_ceil(payload_bytes) as u64 + 1;
    // No batch at all may be larger than 4 MiB: a transport that takes those is not tried.
    if events as usize * payload_bytes < 4 << 20 {
        let large = typed(14, 0..events, 6, None, payload_bytes - 1024);
        let refused: Error = transport.publish(&topic("large"), large).await.unwrap_err();
        assert_eq!((refused.kind(), refused.fate()), (Kind::TooLarge, Fate::Refused));
        assert!(refused.to_string().contains(&max.to_string()), "{refused}");
    }
    let fits = typed(14, 10..11, 6, None, payload_bytes - 1024);
    transport.publish(&topic("large"), fits.clone()).await.unwrap();
    let delivered = next(&mut consumer).await;
    assert_eq!(delivered.batch, fits);
    ack(&*consumer, &delivered).await;
    nothing(&mut consumer).await;
}

/// The publisher is asked to close while most of its events wait in its buffer.
pub(crate) async fn a_publisher_that_closes_leaves_everything_durable(
    transport: &Arc<dyn Transport>,
) {
    const EVENTS: usize = 500;
    let name = topic("flight");
    let mut consumer =
        transport.subscribe(spec("flight", &["flight"], Position::Now)).await.unwrap();
    let publisher = Bus::new(Arc::clone(transport)).publisher("contract", "world");
    let mut flight = Vec::new();
    for number in 0..EVENTS {
        let payload = number.to_le_bytes();
        let event = Outgoing { event_type: 6, payload: &payload, ..Outgoing::default() };
        flight.push(publisher.enqueue_raw(&name, event).await.unwrap());
    }
    soon("the close", publisher.close()).await;
    let mut published = BTreeSet::new();
    for pending in flight {
        published.insert(soon("an answer", pending).await.unwrap());
    }
    let payload = Outgoing { event_type: 6, payload: &[0], ..Outgoing::default() };
    let late = publisher.enqueue_raw(&name, payload).await.err().unwrap();
    assert_eq!(late.kind(), Kind::Closed);
    let mut found = BTreeSet::new();
    let mut count = 0;
    while count < EVENTS {
        let delivered = next(&mut consumer).await;
        count += delivered.batch.len();
        found.extend(delivered.batch.iter().map(|event| event.id));
        ack(&*consumer, &delivered).await;
    }
    assert_eq!((count, &found), (EVENTS, &published));
    nothing(&mut consumer).await;
}
