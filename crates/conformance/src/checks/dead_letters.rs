//! Checks of dead letters: written by consumers exact and once; listed, replayed, discarded.

use std::sync::Arc;
use std::time::Duration;

use super::restarts::lease;
use crate::engine::Engine;
use crate::events::{id, sequences, spec, topic, typed};
use crate::wait::{ack, next, nothing, soon};
use worldbus_bus::limits::DEAD_LETTER_ID_COUNT_MAX;
use worldbus_bus::{
    Consumer, DeadContent, DeadEvent, DeadLetter, Error, Kind, Position, SubscriptionName,
    SubscriptionSpec, Transport,
};

fn dead(index: u32, at_ms: i64) -> DeadEvent {
    DeadEvent {
        index,
        reason: "no such region".to_owned(),
        attempts: 4,
        first_failed_ms: at_ms,
        last_failed_ms: at_ms + 11,
    }
}

pub(crate) async fn events_are_set_aside_once(transport: &Arc<dyn Transport>) {
    let mut consumer = transport.subscribe(spec("aside", &["aside"], Position::Now)).await.unwrap();
    let published = typed(8, 0..3, 1, Some("brussels"), 40);
    transport.publish(&topic("aside"), published.clone()).await.unwrap();
    let delivered = next(&mut consumer).await;
    let event = dead(1, 11);
    let settler = consumer.settler();
    for _ in 0..2 {
        settler.dead_letter(&delivered.lease, vec![event.clone()]).await.unwrap();
    }
    let missing = DeadEvent { index: 3, ..event.clone() };
    let refused = settler.dead_letter(&delivered.lease, vec![missing]).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Invalid);
    let twice = vec![dead(0, 11), dead(0, 12)];
    let refused = settler.dead_letter(&delivered.lease, twice).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Invalid);
    ack(&*consumer, &delivered).await;
    nothing(&mut consumer).await;
    let name = SubscriptionName::new("aside").unwrap();
    let letters = transport.dead_letters(Some(&name), 10).await.unwrap();
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(letters[0].subscription, name);
    assert_eq!(letters[0].event, event);
    assert_eq!(letters[0].topic, Some(topic("aside")));
    let expected = published.iter().nth(1).unwrap().to_game_event();
    assert_eq!(letters[0].content, DeadContent::Event(expected));
    let unknown = SubscriptionName::new("unknown").unwrap();
    let refused = transport.dead_letters(Some(&unknown), 1).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::NotFound);
}

pub(crate) async fn dead_letters_are_listed_newest_first(transport: &Arc<dyn Transport>) {
    // Behind those of all other checks, whatever the engine orders them by.
    const FAR_MS: i64 = 4_000_000_000_000;
    let names = ["list-a", "list-b"];
    for (turn, name) in [(0, names[0]), (1, names[1]), (2, names[0])] {
        let mut consumer = transport.subscribe(spec(name, &[name], Position::Now)).await.unwrap();
        transport.publish(&topic(name), typed(43, turn..turn + 1, 6, None, 8)).await.unwrap();
        let delivered = next(&mut consumer).await;
        let event = dead(0, FAR_MS + turn as i64 * 1000);
        consumer.settler().dead_letter(&delivered.lease, vec![event]).await.unwrap();
        ack(&*consumer, &delivered).await;
        consumer.close().await.unwrap();
    }
    let turns = |letters: Vec<DeadLetter>| -> Vec<i64> {
        let turn = |letter: DeadLetter| (letter.event.first_failed_ms - FAR_MS) / 1000;
        letters.into_iter().map(turn).collect()
    };
    let first = SubscriptionName::new(names[0]).unwrap();
    assert_eq!(turns(transport.dead_letters(Some(&first), 10).await.unwrap()), [2, 0]);
    assert_eq!(turns(transport.dead_letters(Some(&first), 1).await.unwrap()), [2]);
    assert_eq!(turns(transport.dead_letters(None, 3).await.unwrap()), [2, 1, 0]);
    let all = transport.dead_letters(None, 3).await.unwrap();
    assert_ne!(all[0].id, all[1].id);
    let mut paged: Vec<DeadLetter> = Vec::new();
    loop {
        let after = paged.last().map(|letter| letter.id.as_str());
        let page = transport.dead_letter_page(Some(&first), after, 10).await.unwrap();
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(turns(paged), [2, 0]);
    if let Some(count) = transport.dead_letter_count().await.unwrap() {
        let all = transport.dead_letters(None, 10_000).await.unwrap();
        assert_eq!(count, all.len() as u64);
    }
}

/// Sets the middle one of three events aside and settles the rest.
async fn set_middle_aside(
    transport: &Arc<dyn Transport>,
    consumer: &mut Box<dyn Consumer>,
    name: &str,
    producer: u64,
) -> Vec<String> {
    transport.publish(&topic(name), typed(producer, 0..3, 6, None, 8)).await.unwrap();
    let delivered = next(consumer).await;
    consumer.settler().dead_letter(&delivered.lease, vec![dead(1, 11)]).await.unwrap();
    ack(&**consumer, &delivered).await;
    ids(transport, name).await
}

async fn ids(transport: &Arc<dyn Transport>, subscription: &str) -> Vec<String> {
    let name = SubscriptionName::new(subscription).unwrap();
    let letters = transport.dead_letters(Some(&name), 10).await.unwrap();
    letters.into_iter().map(|letter| letter.id).collect()
}

pub(crate) async fn a_replayed_event_goes_to_its_subscription_only(transport: &Arc<dyn Transport>) {
    let of = |name| spec(name, &["replay"], Position::Now);
    let mut consumer = transport.subscribe(of("replay")).await.unwrap();
    let mut other = transport.subscribe(of("replay-other")).await.unwrap();
    let ids_of_one = set_middle_aside(transport, &mut consumer, "replay", 46).await;
    let whole = next(&mut other).await;
    ack(&*other, &whole).await;
    let name = SubscriptionName::new("replay").unwrap();
    let mut asked = ids_of_one.clone();
    asked.push("no-such-letter".to_owned());
    for _ in 0..2 {
        // What failed again is replayed as what failed once.
        let missing = transport.replay_dead_letters(&name, &asked).await.unwrap();
        assert_eq!(missing, ["no-such-letter"]);
        assert_eq!(ids(transport, "replay").await, [""; 0]);
        let again = next(&mut consumer).await;
        assert_eq!((again.lease.topic.as_str(), again.lease.attempt), ("replay", 1));
        assert_eq!(again.batch.iter().map(|event| event.id).collect::<Vec<_>>(), [id(46, 1)]);
        consumer.settler().dead_letter(&again.lease, vec![dead(0, 22)]).await.unwrap();
        ack(&*consumer, &again).await;
        let letters = transport.dead_letters(Some(&name), 10).await.unwrap();
        assert_eq!(letters.len(), 1, "{letters:?}");
        assert_eq!(letters[0].topic, Some(topic("replay")));
        asked[0].clone_from(&letters[0].id);
    }
    nothing(&mut consumer).await;
    nothing(&mut other).await;
}

pub(crate) async fn a_replayed_event_is_delivered_as_any_other(transport: &Arc<dyn Transport>) {
    let of = || spec("replay-any", &["replay-any"], Position::Now);
    let mut consumer = transport.subscribe(of()).await.unwrap();
    let ids = set_middle_aside(transport, &mut consumer, "replay-any", 47).await;
    consumer.close().await.unwrap();
    let name = SubscriptionName::new("replay-any").unwrap();
    assert!(transport.replay_dead_letters(&name, &ids).await.unwrap().is_empty());
    // Opened again, and what came since is not held up.
    transport.publish(&topic("replay-any"), typed(47, 3..4, 6, None, 8)).await.unwrap();
    let mut consumer = transport.subscribe(of()).await.unwrap();
    let mut found = Vec::new();
    while found.len() < 2 {
        let delivered = next(&mut consumer).await;
        if delivered.lease.attempt == 1 {
            let nack = worldbus_bus::Outcome::Nack(Duration::ZERO);
            consumer.settler().settle(&delivered.lease, nack).await.unwrap();
        } else {
            assert_eq!(delivered.lease.attempt, 2);
            ack(&*consumer, &delivered).await;
            found.extend(sequences(&delivered.batch));
        }
    }
    found.sort_unstable();
    assert_eq!(found, [1, 3]);
    nothing(&mut consumer).await;
}

pub(crate) async fn a_discarded_event_is_gone(transport: &Arc<dyn Transport>) {
    let mut consumer =
        transport.subscribe(spec("discard", &["discard"], Position::Now)).await.unwrap();
    let first = set_middle_aside(transport, &mut consumer, "discard", 48).await;
    let both = set_middle_aside(transport, &mut consumer, "discard", 49).await;
    assert_eq!((first.len(), both.len()), (1, 2));
    let name = SubscriptionName::new("discard").unwrap();
    // An id has one spelling: by another nothing is found, and nothing goes.
    let others: Vec<String> =
        first.iter().flat_map(|id| [format!("+{id}"), format!("0{id}")]).collect();
    assert_eq!(transport.discard_dead_letters(&name, &others).await.unwrap(), others);
    assert_eq!(transport.replay_dead_letters(&name, &others).await.unwrap(), others);
    assert!(transport.discard_dead_letters(&name, &first).await.unwrap().is_empty());
    assert_eq!(transport.discard_dead_letters(&name, &first).await.unwrap(), first);
    assert_eq!(transport.replay_dead_letters(&name, &first).await.unwrap(), first);
    let left = ids(transport, "discard").await;
    assert!(left.len() == 1 && both.contains(&left[0]) && left != first, "{left:?}");
    nothing(&mut consumer).await;
    let unknown = SubscriptionName::new("unknown").unwrap();
    let many = vec![first[0].clone(); DEAD_LETTER_ID_COUNT_MAX + 1];
    for (name, ids, kind) in [(&unknown, &first, Kind::NotFound), (&name, &many, Kind::TooLarge)] {
        let kinds = [
            transport.replay_dead_letters(name, ids).await.as_ref().map_err(Error::kind).err(),
            transport.discard_dead_letters(name, ids).await.as_ref().map_err(Error::kind).err(),
        ];
        assert_eq!(kinds, [Some(kind); 2]);
    }
}

/// Taken back before the engine stops, and delivered after it is there again.
pub(crate) async fn a_replay_outlives_a_restart(engine: &dyn Engine) {
    let of = || {
        let spec = spec("replay-lasts", &["replay-lasts"], Position::Now);
        SubscriptionSpec { lease: lease(), ..spec }
    };
    let transport = engine.transport();
    let mut consumer = transport.subscribe(of()).await.unwrap();
    let ids_before = set_middle_aside(&transport, &mut consumer, "replay-lasts", 72).await;
    consumer.close().await.unwrap();
    let name = SubscriptionName::new("replay-lasts").unwrap();
    assert!(transport.replay_dead_letters(&name, &ids_before).await.unwrap().is_empty());
    drop(transport);
    engine.restart().expect("asked before").await;
    let transport = engine.transport();
    let mut consumer = soon("the subscription", async {
        loop {
            match transport.subscribe(of()).await {
                Ok(consumer) => return consumer,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    })
    .await;
    let again = next(&mut consumer).await;
    // What was on its way to the consumer that closed may have been lost with the engine.
    assert!(again.lease.attempt <= 2, "{:?}", again.lease);
    assert_eq!(sequences(&again.batch), [1]);
    ack(&*consumer, &again).await;
    assert_eq!(ids(&transport, "replay-lasts").await, [""; 0]);
    nothing(&mut consumer).await;
}
