//! Checks of leases: what a settlement does, what happens without one, how often.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::events::{batch, sequences, spec, topic};
use crate::wait::{ack, either, next, nothing, pace, pass, settle};
use worldbus_bus::limits::{CONSUMER_BYTES_MAX, TOPIC_COUNT_MAX};
use worldbus_bus::{
    DeadContent, DeadEvent, Fate, Kind, Outcome, Position, SubscriptionName, SubscriptionSpec,
    Transport,
};

pub(crate) async fn nacked_batches_come_again(transport: &Arc<dyn Transport>) {
    let mut consumer = transport.subscribe(spec("nack", &["nack"], Position::Now)).await.unwrap();
    transport.publish(&topic("nack"), batch(3, 0..2)).await.unwrap();
    let settler = consumer.settler();
    for attempt in 1..4 {
        let delivered = next(&mut consumer).await;
        assert_eq!(delivered.lease.attempt, attempt);
        assert_eq!(delivered.batch, batch(3, 0..2));
        settle(&*consumer, &delivered, Outcome::Nack(Duration::ZERO)).await;
        let twice = settler.settle(&delivered.lease, Outcome::Ack).await.unwrap_err();
        assert_eq!(twice.kind(), Kind::LeaseLost);
    }
    let delivered = next(&mut consumer).await;
    ack(&*consumer, &delivered).await;
    let twice = settler.settle(&delivered.lease, Outcome::Nack(Duration::ZERO)).await.unwrap_err();
    assert_eq!(twice.kind(), Kind::LeaseLost);
    nothing(&mut consumer).await;
}

pub(crate) async fn a_nacked_batch_waits_for_its_delay(transport: &Arc<dyn Transport>) {
    let mut consumer = transport.subscribe(spec("delay", &["delay"], Position::Now)).await.unwrap();
    transport.publish(&topic("delay"), batch(41, 0..1)).await.unwrap();
    let nacked = next(&mut consumer).await;
    let begun = Instant::now();
    settle(&*consumer, &nacked, Outcome::Nack(2 * pace().lease)).await;
    // What comes meanwhile does not wait for it.
    transport.publish(&topic("delay"), batch(41, 1..2)).await.unwrap();
    let other = next(&mut consumer).await;
    assert_eq!(sequences(&other.batch), [1]);
    ack(&*consumer, &other).await;
    let again = next(&mut consumer).await;
    // Engines count in their own steps: half of it is roughly.
    assert!(begun.elapsed() >= pace().lease, "{:?} after the nack", begun.elapsed());
    assert_eq!((sequences(&again.batch), again.lease.attempt), (vec![0], 2));
    ack(&*consumer, &again).await;
    nothing(&mut consumer).await;
}

pub(crate) async fn what_is_beyond_a_bound_is_refused(transport: &Arc<dyn Transport>) {
    let of = || spec("beyond", &["beyond"], Position::Now);
    let absurd = Duration::from_millis(u64::MAX);
    for beyond in [
        SubscriptionSpec { lease: absurd, ..of() },
        SubscriptionSpec { lease: Duration::ZERO, ..of() },
        SubscriptionSpec { attempts_max: 0, ..of() },
        SubscriptionSpec { in_flight_max: 0, ..of() },
        SubscriptionSpec { consumer: "c".repeat(CONSUMER_BYTES_MAX + 1), ..of() },
        SubscriptionSpec { topics: vec![topic("beyond"); TOPIC_COUNT_MAX + 1], ..of() },
        SubscriptionSpec { topics: vec![], ..of() },
    ] {
        let refused = transport.subscribe(beyond).await.err().expect("beyond a bound");
        assert_eq!(refused.fate(), Fate::Refused, "{refused}");
    }
    let mut consumer = transport.subscribe(of()).await.unwrap();
    transport.publish(&topic("beyond"), batch(144, 0..1)).await.unwrap();
    let delivered = next(&mut consumer).await;
    let settler = consumer.settler();
    let refused = settler.settle(&delivered.lease, Outcome::Nack(absurd)).await.unwrap_err();
    assert_eq!((refused.kind(), refused.fate()), (Kind::Invalid, Fate::Refused), "{refused}");
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
        settle(&*consumer, &delivered, Outcome::Release).await;
    }
    let delivered = next(&mut consumer).await;
    ack(&*consumer, &delivered).await;
}

pub(crate) async fn an_ended_lease_is_given_away_and_lost(transport: &Arc<dyn Transport>) {
    let of = || spec("lease", &["lease"], Position::Now);
    let short = SubscriptionSpec { lease: pace().lease, ..of() };
    let mut slow = transport.subscribe(short).await.unwrap();
    transport.publish(&topic("lease"), batch(5, 0..1)).await.unwrap();
    let late = next(&mut slow).await;
    let mut other = transport.subscribe(of()).await.unwrap();
    // To whichever of them asks first: the slow one may, by itself.
    let (given, _) = either(&mut other, &mut slow).await;
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
    settle(&*other, &given, Outcome::Extend).await;
    ack(&*other, &given).await;
    nothing(&mut slow).await;
    nothing(&mut other).await;
}

pub(crate) async fn an_extended_lease_is_kept(transport: &Arc<dyn Transport>) {
    let lease = pace().lease;
    let of = || SubscriptionSpec { lease, ..spec("extend", &["extend"], Position::Now) };
    let mut slow = transport.subscribe(of()).await.unwrap();
    transport.publish(&topic("extend"), batch(42, 0..1)).await.unwrap();
    let held = next(&mut slow).await;
    let mut other = transport.subscribe(of()).await.unwrap();
    // Longer than two leases, in steps that leave room for a machine that is slow.
    for _ in 0..9 {
        let early = tokio::time::timeout(lease / 4, other.next()).await;
        assert!(early.is_err(), "given away although extended: {early:?}");
        settle(&*slow, &held, Outcome::Extend).await;
    }
    ack(&*slow, &held).await;
    nothing(&mut other).await;
}

pub(crate) async fn a_late_ack_counts_until_the_batch_is_given_away(
    transport: &Arc<dyn Transport>,
) {
    let short = SubscriptionSpec { lease: pace().lease, ..spec("late", &["late"], Position::Now) };
    let mut consumer = transport.subscribe(short).await.unwrap();
    transport.publish(&topic("late"), batch(6, 0..1)).await.unwrap();
    let delivered = next(&mut consumer).await;
    pass(2 * pace().lease).await;
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
            assert!(attempts.len() <= 3, "delivered more often than allowed: {attempts:?}");
            settle(&*consumer, &delivered, Outcome::Nack(Duration::ZERO)).await;
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
