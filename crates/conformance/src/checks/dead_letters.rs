//! Checks of dead letters that consumers write: exact, once, listed.

use crate::events::{spec, topic, typed};
use crate::wait::{ack, next, nothing};
use std::sync::Arc;
use worldbus_bus::{
    DeadContent, DeadEvent, DeadLetter, Kind, Position, SubscriptionName, Transport,
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
    let unknown = SubscriptionName::new("nobody").unwrap();
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
}
