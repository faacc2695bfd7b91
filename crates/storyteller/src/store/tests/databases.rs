//! What one kind of database has and the other has not: files that are not chronicles, schemas.

use std::time::Instant;

use super::place::{Place, WORLD, postgres};
use super::*;
use worldbus_postgres::Options;
use worldbus_service::state::{Fate, Kind};
use worldbus_testkit::{DEADLINE, PostgresServer};

#[tokio::test]
async fn file_that_is_not_this_worlds_chronicle_is_refused() {
    let place = Place::file();
    drop(place.open().await);
    let Place::File(dir) = place else { return };
    let path = dir.path().join("chronicle.db");
    let other = Sqlite::open(path.clone(), "isles").await.unwrap_err();
    assert!(other.to_string().contains("is of world \"europe\""), "{other}");
    std::fs::write(dir.path().join("text.db"), "not a database, but long enough".repeat(99))
        .unwrap();
    let text = Sqlite::open(dir.path().join("text.db"), "europe").await.unwrap_err();
    assert_eq!(text.kind(), Kind::Damaged);
    let folder = Sqlite::open(dir.path().to_owned(), "europe").await.unwrap_err();
    assert_eq!(folder.kind(), Kind::Unopenable);
}

#[tokio::test(flavor = "multi_thread")]
async fn schema_has_the_chronicle_of_one_world() {
    let server = PostgresServer::start();
    let europe = postgres(&server.url(), WORLD).await;
    let isles = Postgres::open(Options::parse(&server.url()).unwrap(), "isles");
    let refused = isles.await.unwrap_err();
    assert_eq!((refused.kind(), refused.fate()), (Kind::Unopenable, Fate::Refused));
    for part in ["schema `public` of", "world \"europe\"", "world \"isles\"", "?schema=NAME"] {
        assert!(refused.to_string().contains(part), "{refused}");
    }
    let isles = postgres(&format!("{}?schema=isles", server.url()), "isles").await;
    let changes = Changes { news: vec![News::Entry(entry(1, "", 1, "x"))], ..Changes::default() };
    isles.commit(None, changes).await.unwrap();
    let counts = (europe.extent().await.unwrap().count, isles.extent().await.unwrap().count);
    assert_eq!(counts, (0, 1));
}

/// Publications of writers that interleave have numbers in the order of their commits: a reader
/// that takes out what it has seen takes out nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn outbox_that_is_read_while_others_write_gives_all_once_and_in_order() {
    const WRITERS: u64 = 4;
    const ENTRIES: u64 = 25;
    let server = PostgresServer::start();
    let reader = postgres(&server.url(), WORLD).await;
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let store = postgres(&server.url(), WORLD).await;
        writers.push(tokio::spawn(async move {
            for number in 0..ENTRIES {
                let news = vec![News::Entry(entry(writer * 1_000 + number, "", 1, "x"))];
                store.commit(None, Changes { news, ..Changes::default() }).await.unwrap();
            }
        }));
    }
    let (mut seen, end) = (Vec::new(), Instant::now() + DEADLINE);
    while seen.len() < (WRITERS * ENTRIES) as usize {
        assert!(Instant::now() < end, "{} of them were read", seen.len());
        let queued = reader.outbox(7).await.unwrap();
        let Some((last, _)) = queued.last() else { continue };
        reader.published(*last).await.unwrap();
        seen.extend(queued);
    }
    assert!(seen.is_sorted_by_key(|(number, _)| *number), "{seen:?}");
    let ids: std::collections::BTreeSet<_> = seen.iter().map(|(_, event)| event.id).collect();
    assert_eq!(ids.len(), seen.len());
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(reader.outbox(1).await.unwrap(), []);
}
