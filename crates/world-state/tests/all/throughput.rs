//! Steps of 64 callers at once: all are made, durable and published. It prints how many a second;
//! `WORLDBUS_TEST_STEPS` and `WORLDBUS_TEST_ENTITIES` make it a measurement, with a build that is
//! optimised. The database syncs each transaction; the log of the test's bus does not.

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;

use crate::kit::{State, set};

const CALLER_COUNT: usize = 64;
/// Steps of a caller.
const STEP_COUNT: usize = 12;
/// Entities that are there before.
const ENTITY_COUNT: usize = 2_000;
/// Changes of a step.
const CHANGE_COUNT_MAX: usize = 256;

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_of_64_callers_are_durable_and_published() {
    measure(State::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_of_64_callers_are_durable_in_postgresql_and_published() {
    measure(State::over_postgres().await).await;
}

async fn measure(state: State) {
    let steps = number("WORLDBUS_TEST_STEPS", STEP_COUNT);
    let entities = number("WORLDBUS_TEST_ENTITIES", ENTITY_COUNT);
    let (state, instance) = state.begin().await;
    let instance = Arc::new(instance);
    let begun = Instant::now();
    for first in (0..entities).step_by(CHANGE_COUNT_MAX) {
        let changes = (first..entities.min(first + CHANGE_COUNT_MAX)).map(|number| {
            json!({"entity": format!("npc/{number}"), "field": "gold", "op": "set", "value": 1})
        });
        let body = json!({"changes": changes.collect::<Vec<_>>()}).to_string();
        assert_eq!(instance.post("/api/state/commands", &body).await.0, 200);
    }
    println!("{entities} entities in {:.1} s", begun.elapsed().as_secs_f64());

    let begun = Instant::now();
    let callers = (0..CALLER_COUNT).map(|caller| {
        let instance = Arc::clone(&instance);
        tokio::spawn(async move {
            let mut slowest = 0.0_f64;
            for step in 0..steps {
                let npc = (caller * 7_919 + step * 104_729) % entities;
                let body = json!({"actor": "bench", "changes": [
                    {"entity": format!("npc/{npc}"), "field": "gold", "op": "increment",
                        "value": 1}]});
                let begun = Instant::now();
                let (status, answer) =
                    instance.post("/api/state/commands", &body.to_string()).await;
                assert_eq!(status, 200, "{answer}");
                slowest = slowest.max(begun.elapsed().as_secs_f64());
            }
            slowest
        })
    });
    let mut slowest = 0.0_f64;
    for caller in callers.collect::<Vec<_>>() {
        slowest = slowest.max(caller.await.unwrap());
    }
    let (count, took) = (CALLER_COUNT * steps, begun.elapsed().as_secs_f64());
    let last = set(&instance, "last", "x", json!(1)).await;
    let (_, fold) = state.folded(last).await;
    let published = begun.elapsed().as_secs_f64();
    println!(
        "{CALLER_COUNT} callers, {count} steps: {:.0} a second, the slowest {:.1} ms; published \
         after {published:.2} s",
        count as f64 / took,
        slowest * 1e3,
    );
    assert_eq!(fold.version, last);
    assert_eq!(fold.entities.len(), entities + 1);
    let sum = fold.entities.values().filter_map(|entity| entity.fields.get("gold"));
    let sum: u64 = sum.map(|gold| gold.parse::<u64>().unwrap()).sum();
    assert_eq!(sum, (entities + count) as u64);
}
