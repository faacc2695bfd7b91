//! Checks of consumers that go and come: nothing is lost, what was taken ahead goes to others.

use std::sync::Arc;

use crate::events::{batch, sequences, spec, topic};
use crate::wait::{ack, next, nothing, soon};
use worldbus_bus::{Position, Transport};

pub(crate) async fn a_subscription_waits_for_its_consumer(transport: &Arc<dyn Transport>) {
    let of = || spec("wait", &["wait"], Position::Now);
    let consumer = transport.subscribe(of()).await.unwrap();
    soon("the close", consumer.close()).await.unwrap();
    for sequence in 0..5 {
        transport.publish(&topic("wait"), batch(44, sequence..sequence + 1)).await.unwrap();
    }
    let mut consumer = transport.subscribe(of()).await.unwrap();
    let mut found = Vec::new();
    for _ in 0..5 {
        let delivered = next(&mut consumer).await;
        assert_eq!(delivered.lease.attempt, 1);
        found.extend(sequences(&delivered.batch));
        ack(&*consumer, &delivered).await;
    }
    found.sort_unstable();
    assert_eq!(found, [0, 1, 2, 3, 4]);
    soon("the close", consumer.close()).await.unwrap();
    let mut consumer = transport.subscribe(of()).await.unwrap();
    nothing(&mut consumer).await;
}

/// The leases are longer than the check waits.
pub(crate) async fn a_consumer_that_closes_hands_back_what_it_took_ahead(
    transport: &Arc<dyn Transport>,
) {
    let of = || spec("leave", &["leave"], Position::Now);
    let mut leaving = transport.subscribe(of()).await.unwrap();
    for sequence in 0..10 {
        transport.publish(&topic("leave"), batch(45, sequence..sequence + 1)).await.unwrap();
    }
    let held = next(&mut leaving).await;
    let settler = leaving.settler();
    soon("the close", leaving.close()).await.unwrap();
    let mut other = transport.subscribe(of()).await.unwrap();
    let mut found = sequences(&held.batch);
    for _ in 0..9 {
        let delivered = next(&mut other).await;
        assert_eq!(delivered.lease.attempt, 1, "what was not begun does not count");
        found.extend(sequences(&delivered.batch));
        ack(&*other, &delivered).await;
    }
    found.sort_unstable();
    assert_eq!(found, (0..10).collect::<Vec<_>>());
    nothing(&mut other).await;
    // What it had returned is its own still.
    settler.settle(&held.lease, worldbus_bus::Outcome::Ack).await.unwrap();
    nothing(&mut other).await;
}
