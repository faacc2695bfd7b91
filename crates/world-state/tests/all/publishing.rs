//! What is published: every step once, in order, under one id, also when the bus was away.

use serde_json::json;

use crate::kit::{State, set};
use worldbus_events::prost::Message as _;
use worldbus_events::v1::{StateOperation, WorldStateUpdated};

#[tokio::test]
async fn step_is_published_with_who_and_why_and_its_entity() {
    let (state, instance) = State::begun().await;
    let body = json!({
        "changes": [
            {"entity": "region/ghent", "field": "ruler", "op": "set", "value": "anna"},
            {"entity": "region/ghent", "field": "tax", "op": "increment", "value": 2},
        ],
        "actor": "gm", "reason": "a coup",
    });
    instance.post("/api/state/commands", &body.to_string()).await;
    let body = json!({"changes": [
        {"entity": "region/ghent", "op": "remove"},
        {"entity": "region/paris", "field": "tax", "op": "set", "value": 1},
    ]});
    instance.post("/api/state/commands", &body.to_string()).await;
    let (seen, fold) = state.folded(2).await;
    assert_eq!(seen[0].entity.as_deref(), Some("region/ghent"));
    assert_eq!(
        (seen[0].metadata["actor"].as_str(), &*seen[0].metadata["reason"]),
        ("gm", "a coup")
    );
    assert_eq!(seen[1].entity, None);
    let event = WorldStateUpdated::decode(&seen[0].payload[..]).unwrap();
    assert_eq!((event.version, event.previous_version), (1, 0));
    let changes: Vec<_> = event
        .changes
        .iter()
        .map(|change| (change.path.as_str(), change.operation(), change.value.as_slice()))
        .collect();
    let set = StateOperation::Set;
    assert_eq!(
        changes,
        [("region/ghent/ruler", set, &b"\"anna\""[..]), ("region/ghent/tax", set, &b"2"[..])]
    );
    assert_eq!(fold.entities.keys().collect::<Vec<_>>(), ["region/paris"]);
}

#[tokio::test]
async fn events_of_two_instances_and_a_restart_are_there_once_and_in_order() {
    let (state, first) = State::begun().await;
    let second = state.run().await;
    for number in 0..10 {
        set(&first, "a", "x", json!(number)).await;
        set(&second, "b", "x", json!(number)).await;
    }
    first.stop().await;
    let first = state.run().await;
    let version = set(&first, "a", "x", json!("last")).await;
    let (seen, fold) = state.folded(version).await;
    // The fold has checked that no version is missing or there twice.
    assert_eq!((seen.len() as u64, fold.version), (version, 21));
    assert_eq!(fold.entities["a"].fields["x"], "\"last\"");
    let producers: std::collections::BTreeSet<_> = seen.iter().map(|s| s.id.producer).collect();
    assert_eq!(producers.len(), 1);
}
