//! PostgreSQL: another world, what another instance writes, a server that is killed while steps are
//! made. `WORLDBUS_TEST_KILLS` sets how often.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::time::timeout;

use super::place::LIMITS;
use super::{parts, set, text};
use crate::model::{Change, Fold, Op, Step, StepParts, Value};
use crate::store::{Committed, NotCommitted, Postgres, Store};
use worldbus_events::prost::Message as _;
use worldbus_events::v1::WorldStateUpdated;
use worldbus_postgres::Options;
use worldbus_testkit::{DEADLINE, PostgresServer};

const WRITERS: usize = 4;
/// Steps before each kill.
const STEPS: u64 = 40;
const KILLS: usize = 3;

async fn open(server: &PostgresServer, world: &str) -> Result<Postgres, String> {
    let options = Options::parse(&server.url()).unwrap();
    Postgres::open(options, world, LIMITS).await.map_err(|error| error.to_string())
}

async fn take(store: &Postgres, parts: StepParts) -> Result<Committed, NotCommitted> {
    store.commit(Step::new(parts).unwrap(), super::moment(0)).await
}

#[tokio::test]
async fn schema_of_another_world_is_refused_by_name() {
    let server = PostgresServer::start();
    drop(open(&server, "europe").await.unwrap());
    let error = open(&server, "asia").await.unwrap_err();
    assert!(error.contains("\"asia\"") && error.contains("\"europe\""), "{error}");
    assert!(error.contains("?schema=NAME"), "{error}");
}

#[tokio::test]
async fn step_of_another_instance_is_news() {
    let server = PostgresServer::start();
    let (one, other) = (open(&server, "europe").await, open(&server, "europe").await);
    let (one, other) = (one.unwrap(), other.unwrap());
    let mut news = one.news();
    let version = take(&other, parts(vec![set("a", "x", json!(1))])).await.unwrap().version;
    timeout(DEADLINE, news.wait_for(|known| *known == version)).await.unwrap().unwrap();
    assert_eq!(one.producer(), other.producer());
}

#[tokio::test]
async fn database_that_goes_away_is_reported_to_who_waits_for_news_and_comes_back() {
    let mut server = PostgresServer::start();
    let store = open(&server, "europe").await.unwrap();
    take(&store, parts(vec![set("a", "x", json!(1))])).await.unwrap();
    server.kill();
    let error = take(&store, parts(vec![set("a", "x", json!(2))])).await.unwrap_err();
    assert!(error.may_pass() && error.to_string().contains("PostgreSQL"), "{error}");
    let mut news = store.news();
    news.mark_unchanged();
    timeout(DEADLINE, news.changed()).await.unwrap().unwrap();
    assert!(store.versions().await.unwrap_err().may_pass());
    server.restart();
    let made = async {
        loop {
            match take(&store, parts(vec![set("a", "x", json!(2))])).await {
                Ok(made) => return made,
                Err(error) => assert!(error.may_pass(), "{error}"),
            }
        }
    };
    timeout(DEADLINE, made).await.unwrap();
}

/// What the writers know of each other.
#[derive(Default)]
struct Progress {
    made: watch::Sender<u64>,
    done: watch::Sender<bool>,
}

/// Two instances, each with writers that repeat a step under its key until it is answered.
///
/// What this cannot show: that what was acknowledged is on the disk, since the system keeps what a
/// killed process wrote.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_step_is_lost_doubled_or_torn_when_the_server_is_killed() {
    let kills = std::env::var("WORLDBUS_TEST_KILLS").ok().and_then(|text| text.parse().ok());
    let mut server = PostgresServer::start();
    let stores = [open(&server, "europe").await.unwrap(), open(&server, "europe").await.unwrap()];
    let (stores, progress) = (stores.map(Arc::new), Arc::new(Progress::default()));
    let writers = (0..WRITERS).map(|number| {
        let store = Arc::clone(&stores[number % stores.len()]);
        tokio::spawn(write(store, number, Arc::clone(&progress)))
    });
    let writers: Vec<_> = writers.collect();
    for _ in 0..kills.unwrap_or(KILLS) {
        more(&progress.made, STEPS).await;
        server.kill();
        server.restart();
    }
    more(&progress.made, STEPS).await;
    progress.done.send_replace(true);
    let mut counts = Vec::new();
    for writer in writers {
        counts.push(writer.await.unwrap());
    }

    let (mut fold, mut after) = (Fold::default(), 0);
    loop {
        let steps = stores[0].steps(after, 1_000).await.unwrap();
        let Some(last) = steps.last() else { break };
        after = last.version;
        for step in &steps {
            fold.apply(&WorldStateUpdated::decode(step.event.as_slice()).unwrap()).unwrap();
        }
    }
    let total: u64 = counts.iter().sum();
    assert_eq!(fold.version, total, "each step once");
    assert_eq!(fold.entities["total"].fields["n"], total.to_string());
    for (number, count) in counts.iter().enumerate() {
        let name = format!("writer/{number}");
        assert_eq!(fold.entities[&name].fields["n"], count.to_string());
        let (entity, _) = stores[1].entity(&name, None).await.unwrap();
        assert_eq!(text(&entity.unwrap())["n"], count.to_string());
    }
}

/// Counts up a field of its own and one of all, in one step; how often it did.
async fn write(store: Arc<Postgres>, number: usize, progress: Arc<Progress>) -> u64 {
    let one = || Op::Increment("n".parse().unwrap(), Value::new(&json!(1)).unwrap());
    let mut count = 0;
    while !*progress.done.borrow() {
        count += 1;
        let names = [format!("writer/{number}"), "total".to_owned()];
        let changes = names.map(|entity| Change {
            entity: entity.parse().unwrap(),
            op: one(),
            if_version: None,
        });
        let key = Some(format!("{number}-{count}"));
        let parts = StepParts { key, ..parts(changes.to_vec()) };
        while let Err(error) = take(&store, parts.clone()).await {
            assert!(error.may_pass(), "{error}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        progress.made.send_modify(|made| *made += 1);
    }
    count
}

/// Waits for as many more than there are.
async fn more(counter: &watch::Sender<u64>, more: u64) {
    let mut counter = counter.subscribe();
    let wanted = *counter.borrow() + more;
    timeout(DEADLINE, counter.wait_for(|count| *count >= wanted)).await.unwrap().unwrap();
}
