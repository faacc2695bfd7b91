//! Checks of order, for transports that declare it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;

use crate::events::{batch, id, sequences, spec, topic};
use crate::wait::{ack, next, nothing, poll_once, read_all, soon};
use worldbus_bus::{Appended, Position, ReadSpec, Transport};

pub(crate) async fn one_producer_is_heard_in_order(transport: &Arc<dyn Transport>) {
    const PRODUCERS: u64 = 3;
    const BATCHES: u64 = 20;
    let mut consumer =
        transport.subscribe(spec("received", &["received"], Position::Now)).await.unwrap();
    let publish = async |producer: u64| {
        for sequence in 0..BATCHES {
            let published = batch(50 + producer, sequence..sequence + 1);
            transport.publish(&topic("received"), published).await.unwrap();
        }
    };
    soon("the producers", join_all((1..PRODUCERS).map(publish))).await;
    // One by itself as well: those of many may take turns, and then no two neighbours are of one.
    soon("the producer", publish(0)).await;
    let mut received: BTreeMap<_, Vec<u64>> = BTreeMap::new();
    for _ in 0..PRODUCERS * BATCHES {
        let delivered = next(&mut consumer).await;
        let of = received.entry(delivered.batch.producer()).or_default();
        of.extend(sequences(&delivered.batch));
        ack(&*consumer, &delivered).await;
    }
    for (producer, sequences) in received {
        assert_eq!(sequences, (0..BATCHES).collect::<Vec<_>>(), "{producer:?}");
    }
    nothing(&mut consumer).await;
}

pub(crate) async fn offsets_have_no_gaps(transport: &Arc<dyn Transport>) {
    let mut consumer = transport.subscribe(spec("order", &["order"], Position::Now)).await.unwrap();
    for sequence in 0..20 {
        let appended = transport.publish(&topic("order"), batch(1, sequence..sequence + 1)).await;
        assert_eq!(appended.unwrap(), Appended { offset: Some(sequence), duplicates: vec![] });
    }
    for sequence in 0..20 {
        let delivered = next(&mut consumer).await;
        assert_eq!((delivered.lease.offset, delivered.lease.attempt), (sequence, 1));
        assert_eq!(delivered.batch, batch(1, sequence..sequence + 1));
        ack(&*consumer, &delivered).await;
    }
    nothing(&mut consumer).await;
    let topics = transport.topics().await.unwrap();
    let status = topics.iter().find(|status| status.topic == topic("order")).unwrap();
    assert_eq!((status.first_offset, status.next_offset, status.events_total), (0, 20, 20));
}

pub(crate) async fn concurrent_publishes_keep_their_order(transport: &Arc<dyn Transport>) {
    const PRODUCERS: u64 = 8;
    const BATCHES: u64 = 50;
    let mut producers = Vec::new();
    for producer in 0..PRODUCERS {
        let transport = Arc::clone(transport);
        producers.push(tokio::spawn(async move {
            // Polled first in order, awaited together: many of one producer are in flight.
            let name = topic("many");
            let mut flight = Vec::new();
            for sequence in 0..BATCHES {
                let batch = batch(100 + producer, sequence..sequence + 1);
                let mut publish = Box::pin(transport.publish(&name, batch));
                match poll_once(&mut publish).await {
                    Some(appended) => drop(appended.unwrap()),
                    None => flight.push(publish),
                }
                if flight.len() >= 10 {
                    for publish in flight.drain(..) {
                        publish.await.unwrap();
                    }
                }
            }
            for publish in flight {
                publish.await.unwrap();
            }
        }));
    }
    for producer in producers {
        soon("the producers", producer).await.unwrap();
    }
    let all =
        read_all(&**transport, ReadSpec::topics([topic("many")], Position::Start, false)).await;
    assert_eq!(all.len() as u64, PRODUCERS * BATCHES);
    for producer in 0..PRODUCERS {
        let of_one = all.iter().filter(|s| s.batch.producer() == id(100 + producer, 0).producer);
        let found: Vec<_> = of_one.flat_map(|stored| sequences(&stored.batch)).collect();
        assert_eq!(found, (0..BATCHES).collect::<Vec<_>>());
    }
}
