//! A chronicle in PostgreSQL whose server is away at times. `WORLDBUS_TEST_KILLS` sets how often it
//! is killed.

use std::collections::BTreeSet;

use tokio::time::timeout;

use crate::kit::{feast, place, run_with, settings};
use worldbus_events::{Event as _, v1};
use worldbus_storyteller::{DirectorMode, Settings};
use worldbus_testkit::{DEADLINE, Instance, PostgresServer, Seen};

const CONDITION: &str = "storyteller: chronicle";
const KILLS: usize = 3;
/// Entries before each kill, and while the server is away.
const ENTRIES: i64 = 12;

fn without_director() -> Settings {
    Settings { director: DirectorMode::Off, ..settings("nowhere/chronicle.db".into()) }
}

fn added(events: &[Seen]) -> Vec<&Seen> {
    events.iter().filter(|event| event.event_type == v1::StoryEntryAdded::NUMBER).collect()
}

/// Waits until the chronicle's condition fails; why.
async fn failed(instance: &Instance) -> String {
    let failed = async {
        loop {
            let missing = instance.readiness.missing();
            if let Some(reason) = missing.get(CONDITION) {
                return reason.clone();
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, failed).await.expect("the condition holds")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_entry_is_lost_or_written_twice_when_the_server_is_killed_while_it_writes() {
    let kills = std::env::var("WORLDBUS_TEST_KILLS").ok().and_then(|text| text.parse().ok());
    let mut server = PostgresServer::start();
    let place = place().await.with_database(&server.url());
    let instance = run_with(&place, without_director()).await;
    let mut hour = 0;
    for _ in 0..kills.unwrap_or(KILLS) {
        for _ in 0..ENTRIES {
            hour += 1;
            feast(&place, hour, &format!("Feast {hour}")).await;
        }
        // Some of them are written, some are being written, and some were not received.
        server.kill();
        for _ in 0..ENTRIES {
            hour += 1;
            feast(&place, hour, &format!("Feast {hour}")).await;
        }
        let reason = failed(&instance).await;
        assert!(reason.contains("PostgreSQL database `worldbus`"), "{reason}");
        server.restart();
        instance.ready().await;
    }
    let count = hour as usize;
    let all = |events: &[Seen]| added(events).len() >= count;
    let events = place.events_until(v1::StoryEntryAdded::TOPIC, all).await;
    let ids: BTreeSet<_> = added(&events).iter().map(|event| event.id).collect();
    assert_eq!((added(&events).len(), ids.len()), (count, count));
    let (_, contents) = instance.get("/api/chronicle/contents").await;
    assert_eq!(contents["entry_count"], count, "{contents}");
    instance.stop().await;
    let stored = server.sql("worldbus", "SELECT count(*) FROM chronicle_entry");
    assert_eq!(stored.trim(), count.to_string());
}
