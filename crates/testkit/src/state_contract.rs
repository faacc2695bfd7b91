//! What every state store must do. A new backend is a new call of [`keeps_the_state_contract`].

use std::sync::Arc;

use worldbus_service::state::{
    Conflict, Entry, Error, Fate, KEY_BYTES_MAX, Kind, StateStore, VALUE_BYTES_MAX, update,
};

/// The contract, over two handles on one store, as two processes have them.
pub async fn keeps_the_state_contract(one: Arc<dyn StateStore>, two: Arc<dyn StateStore>) {
    absent_key_is_none(&*one).await;
    write_is_seen_by_the_other(&*one, &*two).await;
    stale_writer_loses_and_learns(&*one, &*two).await;
    deleted_key_gets_a_new_revision(&*one, &*two).await;
    list_is_by_prefix_and_in_order(&*one, &*two).await;
    any_bytes_are_kept(&*one, &*two).await;
    limits_are_refused(&*one).await;
    one_of_many_writers_wins_each_round(one, two).await;
}

async fn absent_key_is_none(store: &dyn StateStore) {
    assert_eq!(store.get("absent").await.unwrap(), None);
    assert_eq!(store.list("").await.unwrap(), []);
    let conflict = store.compare_and_set("absent", Some(1), vec![]).await.unwrap().unwrap_err();
    assert_eq!(conflict.current, None);
    assert_eq!(store.delete("absent", 1).await.unwrap(), Err(Conflict { current: None }));
}

async fn write_is_seen_by_the_other(one: &dyn StateStore, two: &dyn StateStore) {
    let revision = one.compare_and_set("seen", None, b"a".to_vec()).await.unwrap().unwrap();
    let entry = Entry { value: b"a".to_vec(), revision };
    assert_eq!(one.get("seen").await.unwrap(), Some(entry.clone()));
    assert_eq!(two.get("seen").await.unwrap(), Some(entry));
    let next = two.compare_and_set("seen", Some(revision), b"b".to_vec()).await.unwrap().unwrap();
    assert!(next > revision);
    assert_eq!(one.get("seen").await.unwrap().unwrap().value, b"b");
}

async fn stale_writer_loses_and_learns(one: &dyn StateStore, two: &dyn StateStore) {
    let first = one.compare_and_set("stale", None, b"a".to_vec()).await.unwrap().unwrap();
    let second = two.compare_and_set("stale", Some(first), b"b".to_vec()).await.unwrap().unwrap();
    let current = Some(Entry { value: b"b".to_vec(), revision: second });
    for expected in [None, Some(first), Some(second + 1)] {
        let lost = one.compare_and_set("stale", expected, b"c".to_vec()).await.unwrap();
        assert_eq!(lost, Err(Conflict { current: current.clone() }));
    }
    assert_eq!(one.delete("stale", first).await.unwrap(), Err(Conflict { current }));
    assert_eq!(one.get("stale").await.unwrap().unwrap().value, b"b");
}

async fn deleted_key_gets_a_new_revision(one: &dyn StateStore, two: &dyn StateStore) {
    let first = one.compare_and_set("again", None, b"a".to_vec()).await.unwrap().unwrap();
    assert_eq!(two.delete("again", first).await.unwrap(), Ok(()));
    assert_eq!(one.get("again").await.unwrap(), None);
    let second = one.compare_and_set("again", None, b"a".to_vec()).await.unwrap().unwrap();
    assert!(second > first, "a revision was used twice");
    assert!(two.compare_and_set("again", Some(first), b"x".to_vec()).await.unwrap().is_err());
}

async fn list_is_by_prefix_and_in_order(one: &dyn StateStore, two: &dyn StateStore) {
    for key in ["list/b", "list/a", "list/a/x", "lisu", "list", "LIST/c", "list/\u{e9}"] {
        one.compare_and_set(key, None, key.as_bytes().to_vec()).await.unwrap().unwrap();
    }
    let listed = two.list("list/").await.unwrap();
    let keys: Vec<&str> = listed.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["list/a", "list/a/x", "list/b", "list/\u{e9}"]);
    assert!(listed.iter().all(|(key, entry)| entry.value == key.as_bytes()));
    assert_eq!(two.list("list/z").await.unwrap(), []);
}

async fn any_bytes_are_kept(one: &dyn StateStore, two: &dyn StateStore) {
    let values = [vec![], vec![0], (0..=255).collect(), vec![0xff; VALUE_BYTES_MAX]];
    for (number, value) in values.into_iter().enumerate() {
        let key = format!("bytes/{number}/%_'\"\u{1f30d}");
        one.compare_and_set(&key, None, value.clone()).await.unwrap().unwrap();
        assert_eq!(two.get(&key).await.unwrap().unwrap().value, value);
    }
}

async fn limits_are_refused(store: &dyn StateStore) {
    let long = "k".repeat(KEY_BYTES_MAX + 1);
    let large = vec![0; VALUE_BYTES_MAX + 1];
    let refused = [
        store.get(&long).await.unwrap_err(),
        store.list(&long).await.unwrap_err(),
        store.delete(&long, 1).await.unwrap_err(),
        store.compare_and_set(&long, None, vec![]).await.unwrap_err(),
        store.compare_and_set("large", None, large).await.unwrap_err(),
    ];
    for error in refused {
        assert_eq!((error.kind(), error.fate()), (Kind::TooLarge, Fate::Refused));
    }
    assert_eq!(store.get("large").await.unwrap(), None);
}

/// Eight writers count up one number by compare-and-set: no count is lost.
async fn one_of_many_writers_wins_each_round(one: Arc<dyn StateStore>, two: Arc<dyn StateStore>) {
    const WRITERS: u64 = 8;
    const COUNTS: u64 = 10;
    let writers = (0..WRITERS).map(|number| {
        let store = Arc::clone(if number % 2 == 0 { &one } else { &two });
        tokio::spawn(async move {
            for _ in 0..COUNTS {
                count_up(&*store).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let total = two.get("count").await.unwrap().unwrap().value;
    assert_eq!(u64::from_le_bytes(total.try_into().unwrap()), WRITERS * COUNTS);
}

async fn count_up(store: &dyn StateStore) {
    let one_more = |value: Option<&[u8]>| -> Result<Vec<u8>, Error> {
        let number = value.map_or(0, |value| u64::from_le_bytes(value.try_into().unwrap()));
        Ok((number + 1).to_le_bytes().to_vec())
    };
    while let Err(error) = update(store, "count", one_more).await {
        assert_eq!(error.fate(), Fate::Retry, "{error}");
    }
}
