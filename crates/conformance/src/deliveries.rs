//! Checks of subscriptions: order, leases, attempts, dead letters.

use crate::events::{batch, sequences, spec, topic, typed};
use crate::wait::{ack, next, nothing, read_all, soon};
use std::sync::Arc;
use std::time::Duration;
use worldbus_bus::{
    Appended, DeadContent, DeadEvent, Kind, Outcome, Position, ReadSpec, SubscriptionName,
    SubscriptionSpec, Transport,
};

/// Short for a test to wait for its end, long beside the way of a delivery.
const LEASE: Duration = Duration::from_millis(150);

pub(crate) async fn published_batches_are_delivered_in_order(transport: &Arc<dyn Transport>) {
    let mut consumer = transport.subscribe(spec("order", &["order"], Position::Now)).await.unwrap();
    for sequence in 0..20 {
        let appended = transport.publish(&topic("order"), batch(1, sequence..sequence + 1)).await;
        assert_eq!(appended.unwrap(), Appended { offset: Some(sequence), duplicates: 0 });
    }
    for sequence in 0..20 {
        let delivered = next(&mut consumer).await;
        assert_eq!(delivered.lease.offset, sequence);
        assert_eq!(delivered.lease.attempt, 1);
        assert_eq!(delivered.batch, batch(1, sequence..sequence + 1));
        ack(&*consumer, &delivered).await;
    }
    nothing(&mut consumer).await;
    let topics = transport.topics().await.unwrap();
    let status = topics.iter().find(|status| status.topic == topic("order")).unwrap();
    assert_eq!((status.first_offset, status.next_offset, status.events_total), (0, 20, 20));
}

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
        found.extend(sequences(&delivered.batch));
        ack(&*consumer, &delivered).await;
    }
    found.sort_unstable();
    assert_eq!(found, (0..300).collect::<Vec<_>>());
    nothing(&mut consumer).await;
}

pub(crate) async fn consumers_compete(transport: &Arc<dyn Transport>) {
    let spec =
        SubscriptionSpec { in_flight_max: 3, ..spec("compete", &["compete"], Position::Now) };
    let mut first = transport.subscribe(spec.clone()).await.unwrap();
    let mut second = transport.subscribe(spec).await.unwrap();
    for sequence in 0..6 {
        transport.publish(&topic("compete"), batch(2, sequence..sequence + 1)).await.unwrap();
    }
    let mut found = Vec::new();
    let mut held = Vec::new();
    for consumer in [&mut first, &mut second] {
        for _ in 0..3 {
            let delivered = next(consumer).await;
            found.extend(sequences(&delivered.batch));
            held.push(delivered);
        }
        nothing(consumer).await;
    }
    found.sort_unstable();
    assert_eq!(found, [0, 1, 2, 3, 4, 5]);
    for delivered in &held {
        ack(&*first, delivered).await;
    }
}

pub(crate) async fn nacked_batches_come_again(transport: &Arc<dyn Transport>) {
    let mut consumer = transport.subscribe(spec("nack", &["nack"], Position::Now)).await.unwrap();
    transport.publish(&topic("nack"), batch(3, 0..2)).await.unwrap();
    let settler = consumer.settler();
    for attempt in 1..4 {
        let delivered = next(&mut consumer).await;
        assert_eq!(delivered.lease.attempt, attempt);
        let outcome = Outcome::Nack(Duration::from_millis(u64::from(attempt) * 10));
        settler.settle(&delivered.lease, outcome).await.unwrap();
        let twice = settler.settle(&delivered.lease, Outcome::Ack).await.unwrap_err();
        assert_eq!(twice.kind(), Kind::LeaseLost);
    }
    let delivered = next(&mut consumer).await;
    ack(&*consumer, &delivered).await;
    nothing(&mut consumer).await;
}

pub(crate) async fn released_deliveries_do_not_count(transport: &Arc<dyn Transport>) {
    let mut consumer =
        transport.subscribe(spec("release", &["release"], Position::Now)).await.unwrap();
    transport.publish(&topic("release"), batch(4, 0..1)).await.unwrap();
    for _ in 0..20 {
        let delivered = next(&mut consumer).await;
        assert_eq!(delivered.lease.attempt, 1);
        consumer.settler().settle(&delivered.lease, Outcome::Release).await.unwrap();
    }
    let delivered = next(&mut consumer).await;
    ack(&*consumer, &delivered).await;
}

pub(crate) async fn an_ended_lease_is_given_away_and_lost(transport: &Arc<dyn Transport>) {
    let short = SubscriptionSpec { lease: LEASE, ..spec("lease", &["lease"], Position::Now) };
    let mut slow = transport.subscribe(short).await.unwrap();
    transport.publish(&topic("lease"), batch(5, 0..1)).await.unwrap();
    let late = next(&mut slow).await;
    let mut other = transport.subscribe(spec("lease", &["lease"], Position::Now)).await.unwrap();
    // To whichever of them asks first: the slow one may, by itself.
    let given = soon("the delivery again", async {
        tokio::select! {
            given = other.next() => given,
            given = slow.next() => given,
        }
    });
    let given = given.await.unwrap();
    assert_eq!(given.lease.attempt, 2);
    assert_eq!(given.batch, late.batch);
    let lost = slow.settler().settle(&late.lease, Outcome::Ack).await.unwrap_err();
    assert_eq!(lost.kind(), Kind::LeaseLost);
    let event = DeadEvent {
        index: 0,
        reason: String::new(),
        attempts: 1,
        first_failed_ms: 0,
        last_failed_ms: 0,
    };
    let lost = slow.settler().dead_letter(&late.lease, vec![event]).await.unwrap_err();
    assert_eq!(lost.kind(), Kind::LeaseLost);
    other.settler().settle(&given.lease, Outcome::Extend).await.unwrap();
    ack(&*other, &given).await;
    nothing(&mut slow).await;
    nothing(&mut other).await;
}

pub(crate) async fn a_late_ack_counts_until_the_batch_is_given_away(
    transport: &Arc<dyn Transport>,
) {
    let short = SubscriptionSpec { lease: LEASE, ..spec("late", &["late"], Position::Now) };
    let mut consumer = transport.subscribe(short).await.unwrap();
    transport.publish(&topic("late"), batch(6, 0..1)).await.unwrap();
    let delivered = next(&mut consumer).await;
    tokio::time::timeout(2 * LEASE, std::future::pending::<()>()).await.unwrap_err();
    ack(&*consumer, &delivered).await;
    nothing(&mut consumer).await;
}

pub(crate) async fn attempts_are_bounded(transport: &Arc<dyn Transport>) {
    let bounded =
        SubscriptionSpec { attempts_max: 3, ..spec("bounded", &["bounded"], Position::Now) };
    let mut consumer = transport.subscribe(bounded).await.unwrap();
    transport.publish(&topic("bounded"), batch(7, 0..2)).await.unwrap();
    transport.publish(&topic("bounded"), batch(7, 2..3)).await.unwrap();
    let mut attempts = Vec::new();
    let mut other = None;
    while attempts.len() < 3 || other.is_none() {
        let delivered = next(&mut consumer).await;
        if delivered.batch == batch(7, 0..2) {
            attempts.push(delivered.lease.attempt);
            let nack = Outcome::Nack(Duration::ZERO);
            consumer.settler().settle(&delivered.lease, nack).await.unwrap();
        } else {
            ack(&*consumer, &delivered).await;
            other = Some(sequences(&delivered.batch));
        }
    }
    assert_eq!((attempts, other), (vec![1, 2, 3], Some(vec![2])));
    nothing(&mut consumer).await;
    let name = SubscriptionName::new("bounded").unwrap();
    let letters = transport.dead_letters(Some(&name), 10).await.unwrap();
    let found: Vec<_> = letters.iter().map(|letter| letter.event.index).collect();
    assert_eq!(found, [1, 0], "newest first");
    assert_eq!(letters[0].event.attempts, 3);
    let last = batch(7, 0..2).iter().nth(1).unwrap().to_game_event();
    assert_eq!(letters[0].content, DeadContent::Event(last));
    assert_eq!(letters[0].consumer, "contract");
}

pub(crate) async fn events_are_set_aside_once(transport: &Arc<dyn Transport>) {
    let mut consumer = transport.subscribe(spec("aside", &["aside"], Position::Now)).await.unwrap();
    let published = typed(8, 0..3, 1, Some("brussels"), 40);
    transport.publish(&topic("aside"), published.clone()).await.unwrap();
    let delivered = next(&mut consumer).await;
    let event = DeadEvent {
        index: 1,
        reason: "no such region".to_owned(),
        attempts: 4,
        first_failed_ms: 11,
        last_failed_ms: 22,
    };
    let settler = consumer.settler();
    for _ in 0..2 {
        settler.dead_letter(&delivered.lease, vec![event.clone()]).await.unwrap();
    }
    let missing = DeadEvent { index: 3, ..event.clone() };
    let refused = settler.dead_letter(&delivered.lease, vec![missing]).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Invalid);
    ack(&*consumer, &delivered).await;
    let name = SubscriptionName::new("aside").unwrap();
    let letters = transport.dead_letters(Some(&name), 10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].event, event);
    assert_eq!(letters[0].topic, Some(topic("aside")));
    let expected = published.iter().nth(1).unwrap().to_game_event();
    assert_eq!(letters[0].content, DeadContent::Event(expected));
    let unknown = SubscriptionName::new("nobody").unwrap();
    let refused = transport.dead_letters(Some(&unknown), 1).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::NotFound);
}

pub(crate) async fn subscriptions_begin_where_they_ask(transport: &Arc<dyn Transport>) {
    let name = topic("begin");
    for sequence in 0..5 {
        transport.publish(&name, batch(12, sequence..sequence + 1)).await.unwrap();
    }
    let all =
        read_all(&**transport, ReadSpec::topics([name.clone()], Position::Start, false)).await;
    let time = all[3].appended_ms;
    let by_time = all.iter().find(|stored| stored.appended_ms >= time).unwrap().offset;
    let starts = [
        ("begin-start", Position::Start, 0),
        ("begin-offset", Position::Offset(2), 2),
        ("begin-time", Position::TimeMs(time), by_time),
    ];
    for (subscription, start, expected) in starts {
        let mut consumer =
            transport.subscribe(spec(subscription, &["begin"], start)).await.unwrap();
        assert_eq!(next(&mut consumer).await.lease.offset, expected);
    }
    let mut consumer =
        transport.subscribe(spec("begin-now", &["begin"], Position::Now)).await.unwrap();
    nothing(&mut consumer).await;
    transport.publish(&name, batch(12, 5..6)).await.unwrap();
    assert_eq!(next(&mut consumer).await.lease.offset, 5);
    let none = spec("begin-none", &[], Position::Now);
    assert_eq!(transport.subscribe(none).await.err().unwrap().kind(), Kind::Invalid);
}
