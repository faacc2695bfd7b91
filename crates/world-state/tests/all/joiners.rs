//! Late joiners: who takes a snapshot while writes go on and then the changes behind it has the
//! state, with no gap and no double. `WORLDBUS_TEST_JOINERS` sets how many there are.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::kit::{State, set};

/// Joiners at once.
const JOINER_COUNT: usize = 12;

type Fields = BTreeMap<(String, String), Value>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshot_and_the_changes_behind_it_are_the_state() {
    join_all(State::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshot_of_postgresql_and_the_changes_behind_it_are_the_state() {
    join_all(State::over_postgres().await).await;
}

async fn join_all(state: State) {
    let count = std::env::var("WORLDBUS_TEST_JOINERS").ok().and_then(|text| text.parse().ok());
    let (state, instance) = state.begin().await;
    let instance = Arc::new(instance);
    for number in 0..700 {
        set(&instance, &format!("e/{number:03}"), "x", json!(0)).await;
    }

    // Writers go on while all join.
    let joined = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (instance, joined) = (Arc::clone(&instance), Arc::clone(&joined));
        async move {
            let mut number = 0;
            while !joined.load(Ordering::Relaxed) {
                number += 1;
                set(&instance, &format!("e/{:03}", number * 37 % 900), "x", json!(number)).await;
                let gone = format!("e/{:03}", number * 53 % 900);
                let body = json!({"changes": [{"entity": gone, "op": "remove"}]});
                instance.post("/api/state/commands", &body.to_string()).await;
            }
            set(&instance, "last", "x", json!(number)).await
        }
    });
    let joiners = (0..count.unwrap_or(JOINER_COUNT)).map(|_| {
        let url = instance.url.clone();
        tokio::task::spawn_blocking(move || join(&url))
    });
    let mut snapshots = Vec::new();
    for joiner in joiners.collect::<Vec<_>>() {
        snapshots.push(joiner.await.unwrap());
    }
    joined.store(true, Ordering::Relaxed);
    let last = writer.await.unwrap();

    let (_, fold) = state.folded(last).await;
    let folded: Fields = fold
        .entities
        .iter()
        .flat_map(|(entity, of)| {
            of.fields.iter().map(move |(field, value)| {
                ((entity.clone(), field.clone()), serde_json::from_str(value).unwrap())
            })
        })
        .collect();
    for (version, mut fields) in snapshots {
        assert!(version >= 700);
        let mut at = version;
        while at < last {
            let path = format!("/api/state/changes?from_version={at}&limit=1000");
            let (_, page) = instance.get(&path).await;
            for step in page["changes"].as_array().unwrap() {
                assert_eq!(step["version"], at + 1, "a gap or a double");
                at += 1;
                apply(&mut fields, step);
            }
        }
        assert_eq!(fields, folded);
    }
}

fn join(url: &str) -> (u64, Fields) {
    let body = ureq_get(&format!("{url}/api/state/snapshot"));
    let mut lines = BufReader::new(body.as_slice()).lines();
    let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert!(first["cursor"].is_string(), "{first}");
    let mut fields = Fields::new();
    for line in lines {
        let entity: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let name = entity["entity"].as_str().unwrap();
        for (field, value) in entity["fields"].as_object().unwrap() {
            fields.insert((name.to_owned(), field.clone()), value.clone());
        }
    }
    (first["world_version"].as_u64().unwrap(), fields)
}

fn ureq_get(url: &str) -> Vec<u8> {
    let mut response = ureq::get(url).call().unwrap();
    response.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap()
}

fn apply(fields: &mut Fields, step: &Value) {
    for delta in step["changes"].as_array().unwrap() {
        let text = |name: &str| delta[name].as_str().unwrap().to_owned();
        let key = (text("entity"), text("field"));
        match delta["op"].as_str().unwrap() {
            "set" => fields.insert(key, delta["value"].clone()),
            _ => fields.remove(&key),
        };
    }
}
