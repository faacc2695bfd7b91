//! Checks of publishing: duplicates, bounds, order.

use crate::events::{batch, id, sequences, topic, typed};
use crate::wait::{poll_once, read_all, soon};
use std::sync::Arc;
use worldbus_bus::{Appended, Error, Kind, Position, ReadSpec, Transport};

pub(crate) async fn duplicates_are_dropped(transport: &Arc<dyn Transport>) {
    let name = topic("twins");
    let publish = |sequences| transport.publish(&name, batch(13, sequences));
    assert_eq!(publish(0..10).await.unwrap(), Appended { offset: Some(0), duplicates: 0 });
    assert_eq!(publish(0..10).await.unwrap(), Appended { offset: None, duplicates: 10 });
    assert_eq!(publish(4..6).await.unwrap(), Appended { offset: None, duplicates: 2 });
    assert_eq!(publish(8..12).await.unwrap(), Appended { offset: Some(1), duplicates: 2 });
    // At once, so that both may be in one commit.
    let (first, second) = tokio::join!(publish(20..30), publish(25..35));
    assert_eq!(first.unwrap(), Appended { offset: Some(2), duplicates: 0 });
    assert_eq!(second.unwrap(), Appended { offset: Some(3), duplicates: 5 });
    let all =
        read_all(&**transport, ReadSpec::topics([name.clone()], Position::Start, false)).await;
    let found: Vec<_> = all.iter().flat_map(|stored| sequences(&stored.batch)).collect();
    assert_eq!(found, (0..12).chain(20..35).collect::<Vec<_>>());
}

pub(crate) async fn too_large_batches_are_refused(transport: &Arc<dyn Transport>) {
    let max = transport.capabilities().batch_bytes_max;
    let payload_bytes = transport.capabilities().payload_bytes_max;
    let events = max.div_ceil(payload_bytes) as u64 + 1;
    // No batch at all may be larger than 4 MiB: a transport that takes those is not tried.
    if events as usize * payload_bytes < 4 << 20 {
        let large = typed(14, 0..events, 6, None, payload_bytes - 1024);
        let refused: Error = transport.publish(&topic("large"), large).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::TooLarge);
        assert!(refused.to_string().contains(&max.to_string()), "{refused}");
    }
    let fits = typed(14, 10..11, 6, None, payload_bytes - 1024);
    transport.publish(&topic("large"), fits).await.unwrap();
}

pub(crate) async fn order_per_producer_is_kept(transport: &Arc<dyn Transport>) {
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
