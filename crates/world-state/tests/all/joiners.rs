//! Late joiners: who takes a snapshot while writes go on and then the changes behind it has the
//! state, with no gap and no double. `WORLDBUS_TEST_JOINERS` sets how many there are.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::kit::{State, set};
use worldbus_testkit::DEADLINE;

/// Joiners at once.
const JOINER_COUNT: usize = 12;
const RETRY_DELAY: Duration = Duration::from_millis(100);

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
    // On threads of their own: the service reads its database on those of the runtime.
    let (sender, mut received) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..count.unwrap_or(JOINER_COUNT) {
        let (url, sender) = (instance.url.clone(), sender.clone());
        std::thread::spawn(move || sender.send(join(&url)).unwrap());
    }
    drop(sender);
    let mut snapshots = Vec::new();
    while let Some(snapshot) = received.recv().await {
        snapshots.push(snapshot);
    }
    assert_eq!(snapshots.len(), count.unwrap_or(JOINER_COUNT));
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
    // What each joiner has is what the changes up to its version come to; all that follow come to
    // the state, so each that takes them on has it.
    snapshots.sort_by_key(|(version, _)| *version);
    assert!(snapshots[0].0 >= 700);
    let mut snapshots = snapshots.into_iter().peekable();
    let (mut at, mut fields) = (0, Fields::new());
    while at < last {
        let path = format!("/api/state/changes?from_version={at}&limit=1000");
        let (_, page) = instance.get(&path).await;
        for step in page["changes"].as_array().unwrap() {
            assert_eq!(step["version"], at + 1, "a gap or a double");
            at += 1;
            apply(&mut fields, step);
            while let Some((version, joined)) = snapshots.next_if(|(version, _)| *version == at) {
                assert_eq!(joined, fields, "the snapshot at {version}");
            }
        }
    }
    assert_eq!(snapshots.next(), None);
    assert_eq!(fields, folded);
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

/// The body, asked for again where the service has no room for a connection.
fn ureq_get(url: &str) -> Vec<u8> {
    let end = Instant::now() + DEADLINE;
    loop {
        let body = ureq::get(url).call().and_then(|mut response| {
            response.body_mut().with_config().limit(64 << 20).read_to_vec()
        });
        match body {
            Ok(body) => return body,
            Err(error) => assert!(Instant::now() < end, "{error}"),
        }
        std::thread::sleep(RETRY_DELAY);
    }
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
