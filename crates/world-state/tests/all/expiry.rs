//! What expires goes when the world's clock reaches its time, over pauses and jumps.

use serde_json::json;

use crate::kit::{State, new_clock, set};
use worldbus_testkit::{DEADLINE, Instance};
use worldbus_world::{Change, GameTime};

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
async fn what_expires_goes_when_the_clock_is_there_and_waits_while_it_stands() {
    let (state, instance) = State::begun().await;
    let mut clock = new_clock(&state.place);
    set(&instance, "a", "stays", json!(1)).await;
    set_until(&instance, "x", 60).await;
    set_until(&instance, "y", 120).await;

    // An hour of 25 s brings the first.
    state.place.advance(25_000_000);
    fields_until(&instance, json!({"stays": 1, "y": 1})).await;

    // While the clock stands no time brings the second.
    let pause = clock.change(Change::Pause, state.place.now());
    clock.insert(pause).unwrap();
    state.tell(&pause).await;
    // Two game minutes later, by a clock that runs, minute 61 has come.
    state.place.advance(833_334);
    let paused = async {
        while instance.get("/api/state/a?at_game_time=61").await.0 == 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, paused).await.expect("not paused in time");
    state.place.advance(3_600_000_000);
    set(&instance, "a", "z", json!(1)).await;
    fields_until(&instance, json!({"stays": 1, "y": 1, "z": 1})).await;

    // A jump does.
    let skip = clock.change(Change::Skip(GameTime::from_minutes(120).0), state.place.now());
    state.tell(&skip).await;
    fields_until(&instance, json!({"stays": 1, "z": 1})).await;
}
