//! Requests on the bus to change the state.

use serde_json::json;

use crate::kit::{State, set};
use worldbus_bus::{Outgoing, Topic};
use worldbus_events::prost::Message as _;
use worldbus_events::v1::{StateChangeWish, StateWish, WorldStateChangeRequested};
use worldbus_events::{Event as _, EventId, ProducerId};
use worldbus_testkit::DEADLINE;

async fn ask(state: &State, world: &str, sequence: u64, changes: Vec<StateChangeWish>) {
    let request = WorldStateChangeRequested {
        changes,
        actor: "anna".to_owned(),
        reason: "the feast".to_owned(),
    };
    let payload = request.encode_to_vec();
    let event = Outgoing {
        event_type: WorldStateChangeRequested::NUMBER,
        id: Some(EventId { producer: ProducerId::from_bits(77), sequence }),
        payload: &payload,
        ..Outgoing::default()
    };
    let topic = Topic::new(WorldStateChangeRequested::TOPIC).unwrap();
    // A publisher each, so that the bus does not leave out what comes again.
    let publisher = state.place.bus.publisher("time-manager", world);
    publisher.enqueue_raw(&topic, event).await.unwrap().await.unwrap();
}

fn wish(field: &str, wish: StateWish, value: &[u8]) -> StateChangeWish {
    StateChangeWish {
        entity: "city/ghent".to_owned(),
        field: field.to_owned(),
        wish: wish.into(),
        value: value.to_vec(),
        if_version: None,
    }
}

#[tokio::test]
async fn request_is_taken_with_who_wants_it_and_a_wrong_one_is_set_aside() {
    let (state, instance) = State::begun().await;
    set(&instance, "city/ghent", "old", json!(1)).await;
    let wishes = vec![
        wish("mood", StateWish::Set, b"\"merry\""),
        wish("guests", StateWish::Increment, b"40"),
        wish("old", StateWish::Remove, b""),
    ];
    ask(&state, "europe", 1, vec![wish("mood", StateWish::Set, b"{")]).await;
    ask(&state, "asia", 2, wishes.clone()).await;
    ask(&state, "europe", 3, wishes).await;
    let (seen, fold) = state.folded(2).await;
    let fields = &fold.entities["city/ghent"].fields;
    assert_eq!((fields.len(), &*fields["mood"], &*fields["guests"]), (2, "\"merry\"", "40"));
    assert_eq!((&*seen[1].metadata["actor"], &*seen[1].metadata["reason"]), ("anna", "the feast"));
    let set_aside = async {
        loop {
            let dead = state.place.bus.transport().dead_letters(None, 10).await.unwrap();
            if dead.len() == 2 {
                return dead;
            }
            tokio::task::yield_now().await;
        }
    };
    let dead = tokio::time::timeout(DEADLINE, set_aside).await.expect("not set aside in time");
    let mut reasons: Vec<_> = dead.into_iter().map(|letter| letter.event.reason).collect();
    reasons.sort();
    assert_eq!(reasons.len(), 2);
    assert!(reasons[0].starts_with("changes[0].value: expected JSON"), "{reasons:?}");
    assert!(reasons[1].contains("\"asia\""), "{reasons:?}");
}
