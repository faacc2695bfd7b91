//! What expires goes when the world's clock reaches its time, over pauses and jumps.

use serde_json::json;

use crate::kit::{State, new_clock, set};
use worldbus_testkit::{DEADLINE, Instance};
use worldbus_world::Change;

async fn set_until(instance: &Instance, field: &str, minute: i64) {
    let body = json!({
        "changes": [{"entity": "a", "field": field, "op": "set", "value": 1}],
        "expires_at_game": minute,
    });
    let (status, answer) = instance.post("/api/state/commands", &body.to_string()).await;
    assert_eq!(status, 200, "{answer}");
}

async fn fields_until(instance: &Instance, wanted: serde_json::Value) {
    let gone = async {
        loop {
            if instance.get("/api/state/a").await.1["fields"] == wanted {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, gone).await.expect("not removed in time");
}

#[tokio::test]
async fn what_expires_waits_while_the_clock_stands_and_goes_when_it_jumps_there() {
    let (state, instance) = State::begun().await;
    set(&instance, "a", "stays", json!(1)).await;
    set_until(&instance, "x", 60).await;
    set_until(&instance, "y", 120).await;

    // An hour of 25 s brings the first.
    state.place.advance(25_000_000);
    fields_until(&instance, json!({"stays": 1, "y": 1})).await;

    // Paused, no time brings the second.
    let mut clock = new_clock(&state.place);
    clock.insert(clock.change(Change::Pause, state.place.now())).unwrap();
    let paused = clock.last().clone();
    state.tell(&paused).await;
    fields_until(&instance, json!({"stays": 1, "y": 1})).await;
    let (_, entity) = instance.get("/api/state/a").await;
    assert_eq!(entity["version"], 4);
}
