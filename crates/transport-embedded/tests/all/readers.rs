//! What readers hold and in which order they read.

use std::collections::HashSet;
use std::path::Path;

use worldbus_bus::{Position, ReadSpec, Serial, StoredBatch, Transport};
use worldbus_conformance::{batch, read_all, soon, topic, typed};
use worldbus_transport_embedded::{Embedded, Options};

fn open(dir: &Path, tail_bytes_max: usize) -> Embedded {
    Embedded::open(dir, Options { sync: false, tail_bytes_max, ..Options::default() }).unwrap()
}

fn serials(stored: &[StoredBatch]) -> Vec<Serial> {
    stored.iter().map(|stored| stored.serial.unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_come_in_one_order_while_topics_are_created() {
    const TOPICS: u64 = 60;
    let dir = tempfile::tempdir().unwrap();
    let embedded = open(dir.path(), 16 << 20);
    let mut readers = Vec::new();
    for _ in 0..4 {
        let mut reader = embedded.read(ReadSpec::all(Position::Start, true)).await.unwrap();
        readers.push(tokio::spawn(async move {
            let mut found = Vec::new();
            while found.len() < 4 * TOPICS as usize {
                found.push(soon("a batch", reader.next()).await.unwrap().unwrap());
            }
            serials(&found)
        }));
    }
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let embedded = embedded.clone();
            tokio::spawn(async move {
                for number in 0..TOPICS {
                    let name = topic(&format!("t{}", (number + writer * 15) % TOPICS));
                    embedded.publish(&name, batch(writer + 1, number..number + 1)).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    for reader in readers {
        let found = reader.await.unwrap();
        assert!(found.is_sorted_by(|a, b| a < b), "{found:?}");
    }
    embedded.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_from_a_commit_is_the_same_from_memory_and_from_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let embedded = open(dir.path(), 16 << 20);
    for round in 0..10 {
        let appends = (0..6).map(|n| {
            let embedded = embedded.clone();
            let name = topic(&format!("t{n}"));
            async move { embedded.publish(&name, batch(n + 1, round..round + 1)).await.unwrap() }
        });
        futures_util::future::join_all(appends).await;
    }
    let next = embedded.end().await.unwrap().unwrap();
    let all = read_all(&embedded, ReadSpec::all(Position::Start, false)).await;
    assert_eq!(all.len(), 60);
    let all = serials(&all);
    embedded.close().await.unwrap();
    drop(embedded);
    let embedded = open(dir.path(), 1);
    let again = embedded.end().await.unwrap().unwrap();
    let next = next.next_commit;
    assert_eq!(again.next_commit, next);
    let commits: HashSet<u64> = all.iter().map(|serial| serial.commit).chain([0, next]).collect();
    for commit in commits {
        let found = read_all(&embedded, ReadSpec::all(Position::Commit(commit), false)).await;
        let expected: Vec<_> = all.iter().filter(|s| s.commit >= commit).copied().collect();
        assert_eq!(serials(&found), expected, "from commit {commit}");
    }
    embedded.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn large_commit_is_read_in_slices_without_gap_or_double() {
    let dir = tempfile::tempdir().unwrap();
    let embedded = open(dir.path(), 1);
    // In one or a few commits, each larger than what a reader holds.
    let appends = (0..40).map(|n| {
        let (embedded, name) = (embedded.clone(), topic(&format!("t{}", n % 3)));
        async move { embedded.publish(&name, typed(n + 1, 0..1, 6, None, 50 << 10)).await.unwrap() }
    });
    futures_util::future::join_all(appends).await;
    let found = read_all(&embedded, ReadSpec::all(Position::Start, false)).await;
    let found = serials(&found);
    assert_eq!(found.len(), 40);
    assert!(found.is_sorted_by(|a, b| a < b), "{found:?}");
    embedded.close().await.unwrap();
}
