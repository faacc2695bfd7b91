//! Checks of the way from publishers to consumers: everything once, bounded, whoever competes.
//! None of them assumes an order.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::events::{batch, sequences, spec, topic};
use crate::wait::{ack, either, next, nothing, pace, perhaps, soon};
use worldbus_bus::{CancellationToken, Consumer, Position, SubscriptionSpec, Transport};

pub(crate) async fn everything_arrives(transport: &Arc<dyn Transport>) {
    let names = ["arrive-a", "arrive-b"];
    let mut consumer = transport.subscribe(spec("arrive", &names, Position::Now)).await.unwrap();
    for sequence in 0..30 {
        let of = sequence % 2;
        let published = batch(20 + of, sequence * 10..sequence * 10 + 10);
        transport.publish(&topic(names[of as usize]), published).await.unwrap();
    }
    let mut found = Vec::new();
    while found.len() < 300 {
        let delivered = next(&mut consumer).await;
        let of = delivered.batch.producer().number() - 20;
        assert_eq!(delivered.lease.topic.as_str(), names[of as usize]);
        assert_eq!(delivered.lease.attempt, 1);
        let first = delivered.batch.first_id().sequence;
        assert_eq!(delivered.batch, batch(20 + of, first..first + 10), "its bytes are others");
        found.extend(sequences(&delivered.batch));
        ack(&*consumer, &delivered).await;
    }
    found.sort_unstable();
    assert_eq!(found, (0..300).collect::<Vec<_>>());
    nothing(&mut consumer).await;
}

pub(crate) async fn every_subscription_gets_everything(transport: &Arc<dyn Transport>) {
    let mut consumers = Vec::new();
    for name in ["fan-a", "fan-b", "fan-c"] {
        let spec = spec(name, &["fan"], Position::Now);
        consumers.push(transport.subscribe(spec).await.unwrap());
    }
    for sequence in 0..5 {
        transport.publish(&topic("fan"), batch(22, sequence..sequence + 1)).await.unwrap();
    }
    for consumer in &mut consumers {
        let mut found = Vec::new();
        for _ in 0..5 {
            let delivered = next(consumer).await;
            found.extend(sequences(&delivered.batch));
            ack(&**consumer, &delivered).await;
        }
        found.sort_unstable();
        assert_eq!(found, [0, 1, 2, 3, 4]);
        nothing(consumer).await;
    }
}

pub(crate) async fn a_new_subscription_begins_now(transport: &Arc<dyn Transport>) {
    transport.publish(&topic("new"), batch(23, 0..1)).await.unwrap();
    let mut consumer = transport.subscribe(spec("new", &["new"], Position::Now)).await.unwrap();
    transport.publish(&topic("new"), batch(23, 1..2)).await.unwrap();
    let delivered = next(&mut consumer).await;
    assert_eq!(sequences(&delivered.batch), [1]);
    ack(&*consumer, &delivered).await;
    nothing(&mut consumer).await;
}

pub(crate) async fn concurrent_publishers_and_consumers_lose_and_double_nothing(
    transport: &Arc<dyn Transport>,
) {
    const PUBLISHERS: u64 = 4;
    const BATCHES: u64 = 25;
    const EVENTS: u64 = 8;
    let of = || spec("busy", &["busy"], Position::Now);
    let mut consumers = Vec::new();
    for _ in 0..3 {
        consumers.push(transport.subscribe(of()).await.unwrap());
    }
    let publish = async |publisher: u64| {
        for number in 0..BATCHES {
            let published = batch(30 + publisher, number * EVENTS..(number + 1) * EVENTS);
            transport.publish(&topic("busy"), published).await.unwrap();
        }
    };
    let found = tokio::sync::Mutex::new(Vec::new());
    let all = (PUBLISHERS * BATCHES * EVENTS) as usize;
    let done = CancellationToken::new();
    let consume = async |mut consumer: Box<dyn Consumer>| {
        loop {
            let delivered = tokio::select! {
                delivered = consumer.next() => delivered.unwrap(),
                () = done.cancelled() => return consumer,
            };
            ack(&*consumer, &delivered).await;
            let mut found = found.lock().await;
            found.extend(delivered.batch.iter().map(|event| event.id));
            if found.len() >= all {
                done.cancel();
                return consumer;
            }
        }
    };
    let publishing = join_all((0..PUBLISHERS).map(publish));
    let consuming = join_all(consumers.into_iter().map(consume));
    let (_, mut consumers) =
        soon("everything", async { tokio::join!(publishing, consuming) }).await;
    for consumer in &mut consumers {
        nothing(consumer).await;
    }
    let found = found.into_inner();
    let distinct: BTreeSet<_> = found.iter().collect();
    assert_eq!((found.len(), distinct.len()), (all, all), "deliveries of events, and events");
}

pub(crate) async fn no_batch_is_held_by_two_at_once(transport: &Arc<dyn Transport>) {
    let of =
        || SubscriptionSpec { in_flight_max: 6, ..spec("compete", &["compete"], Position::Now) };
    let mut first = transport.subscribe(of()).await.unwrap();
    let mut second = transport.subscribe(of()).await.unwrap();
    for sequence in 0..6 {
        transport.publish(&topic("compete"), batch(2, sequence..sequence + 1)).await.unwrap();
    }
    let mut held = Vec::new();
    for _ in 0..6 {
        held.push(either(&mut first, &mut second).await);
    }
    let mut found: Vec<_> = held.iter().flat_map(|(one, _)| sequences(&one.batch)).collect();
    found.sort_unstable();
    assert_eq!(found, [0, 1, 2, 3, 4, 5]);
    nothing(&mut first).await;
    nothing(&mut second).await;
    for (delivered, of_second) in &held {
        ack(if *of_second { &*second } else { &*first }, delivered).await;
    }
    nothing(&mut first).await;
    nothing(&mut second).await;
}

pub(crate) async fn a_stalled_consumer_is_bounded_and_holds_nobody_up(
    transport: &Arc<dyn Transport>,
) {
    const IN_FLIGHT_MAX: u32 = 4;
    const BATCHES: u64 = 40;
    let of = |name| spec(name, &["stall"], Position::Now);
    let bounded = SubscriptionSpec { in_flight_max: IN_FLIGHT_MAX, ..of("stall") };
    let mut stalled = transport.subscribe(bounded).await.unwrap();
    let mut brisk = transport.subscribe(of("stall-brisk")).await.unwrap();
    let mut held = Vec::new();
    for sequence in 0..BATCHES {
        let published = batch(24, sequence..sequence + 1);
        soon("the publisher", transport.publish(&topic("stall"), published)).await.unwrap();
    }
    while held.len() < IN_FLIGHT_MAX as usize {
        held.push(next(&mut stalled).await);
    }
    nothing(&mut stalled).await;
    for _ in 0..BATCHES {
        let delivered = next(&mut brisk).await;
        ack(&*brisk, &delivered).await;
    }
    let mut found = Vec::new();
    while let Some(delivered) = held.pop() {
        ack(&*stalled, &delivered).await;
        found.extend(sequences(&delivered.batch));
        if found.len() + held.len() < BATCHES as usize {
            held.push(next(&mut stalled).await);
        }
    }
    found.sort_unstable();
    assert_eq!(found, (0..BATCHES).collect::<Vec<_>>());
    nothing(&mut stalled).await;
}

pub(crate) async fn a_cancelled_next_loses_nothing(transport: &Arc<dyn Transport>) {
    const BATCHES: u64 = 20;
    let short =
        SubscriptionSpec { lease: pace().lease, ..spec("cancel", &["cancel"], Position::Now) };
    let mut consumer = transport.subscribe(short).await.unwrap();
    let mut found = BTreeSet::new();
    let publishing = async {
        for sequence in 0..BATCHES {
            transport.publish(&topic("cancel"), batch(25, sequence..sequence + 1)).await.unwrap();
        }
    };
    let consuming = async {
        while found.len() < BATCHES as usize {
            // Given up at once, and soon, and then in earnest.
            for patience in [Duration::ZERO, Duration::from_millis(1), pace().deadline] {
                let given_up = tokio::time::timeout(patience, consumer.next()).await;
                let Ok(delivered) = given_up else { continue };
                let delivered = delivered.unwrap();
                ack(&*consumer, &delivered).await;
                found.extend(sequences(&delivered.batch));
                break;
            }
        }
    };
    soon("every batch", async { tokio::join!(publishing, consuming) }).await;
    assert!(perhaps(&mut consumer).await.is_none());
}
