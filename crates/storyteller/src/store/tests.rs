//! The store: what is written is found, in order and once, and no search does harm.

mod databases;
mod large;
mod place;

use std::sync::Arc;

use super::*;
use crate::ledger::{Changes, News};
use place::Place;
use worldbus_events::{EventId, ProducerId};

/// Each of these tests over a file and over a database.
macro_rules! over_both {
    ($($test:ident),+ $(,)?) => {
        mod in_a_file {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::Place::file()).await;
            })+
        }

        mod in_a_database {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::Place::database()).await;
            })+
        }
    };
}

over_both!(
    what_was_written_is_read_as_it_was_also_after_a_restart,
    matches_are_ranked_by_words_and_significance,
    filters_hold_together_with_words_and_without,
    orders_are_those_that_were_asked_for,
    pages_of_every_order_follow_each_other_without_gap_or_repeat,
    signs_of_a_search_are_no_operators,
    what_is_written_again_is_there_and_published_once,
    changes_of_a_ledger_that_another_instance_moved_are_refused_whole,
    rewritten_entry_keeps_its_own_text_and_is_found_by_both,
    kept_values_are_written_by_compare_and_set,
);

fn id(sequence: u64) -> EventId {
    EventId { producer: ProducerId::from_bits(9), sequence }
}

fn entry(number: u64, region: &str, significance: u16, text: &str) -> Entry {
    Entry {
        id: id(number),
        game_us: number as i64 * 3_600_000_000,
        region: (!region.is_empty()).then(|| region.to_owned()),
        significance,
        text: text.to_owned(),
        arc: (region == "paris").then(|| "storm-1".to_owned()),
        rule: "test".to_owned(),
        causes: vec![id(1_000 + number)],
        wall_ms: number as i64,
    }
}

async fn filled(place: &Place) -> Arc<dyn Store> {
    let store = place.open().await;
    let entries = [
        entry(1, "paris", 100, "Rain began over Paris."),
        entry(2, "brussels", 200, "Heavy rain swept Brussels; the rain did not end."),
        entry(3, "paris", 900, "A storm broke over Paris and the rain with it."),
        entry(4, "", 500, "The year 2025 began."),
        entry(5, "brussels", 50, "Der Köln-Zug kam \"OR\" nicht NEAR(x) an: 50% *teuer*."),
    ];
    let news = entries.into_iter().map(News::Entry).collect();
    let changes = Changes { news, ..Changes::default() };
    store.commit(None, changes).await.unwrap();
    store
}

async fn numbers(store: &Arc<dyn Store>, search: Search) -> Vec<u64> {
    let search = Search { limit: 10, ..search };
    let found = store.search(search).await.unwrap().found;
    found.iter().map(|found| found.entry.id.sequence).collect()
}

fn words(text: &str) -> Search {
    Search { words: query_words(text).unwrap(), ..Search::default() }
}

async fn what_was_written_is_read_as_it_was_also_after_a_restart(place: Place) {
    let written = entry(3, "paris", 900, "A storm broke over Paris and the rain with it.");
    drop(filled(&place).await);
    let store = place.open().await;
    assert_eq!(store.entry(id(3)).await.unwrap().unwrap().entry, written);
    assert_eq!(store.entry(id(77)).await.unwrap(), None);
    let extent = store.extent().await.unwrap();
    assert_eq!(extent, Extent { count: 5, span_us: Some((3_600_000_000, 18_000_000_000)) });
}

async fn matches_are_ranked_by_words_and_significance(place: Place) {
    let store = filled(&place).await;
    assert_eq!(numbers(&store, words("rain")).await, [3, 2, 1]);
    assert_eq!(numbers(&store, words("RAIN paris")).await, [3, 1]);
    assert_eq!(numbers(&store, words("snow")).await, [0_u64; 0]);
    assert_eq!(numbers(&store, Search { significance_min: 200, ..words("rain") }).await, [3, 2]);
}

async fn filters_hold_together_with_words_and_without(place: Place) {
    let store = filled(&place).await;
    let hour = 3_600_000_000;
    for found in [words("rain"), Search::default()] {
        let paris = Search { region: Some("paris".into()), ..found.clone() };
        assert_eq!(numbers(&store, paris).await, [3, 1]);
        let storm = Search { arc: Some("storm-1".into()), ..found.clone() };
        assert_eq!(numbers(&store, storm).await, [3, 1]);
        let span = Search { from_us: Some(2 * hour), to_us: Some(4 * hour), ..found.clone() };
        assert_eq!(numbers(&store, span).await, [3, 2]);
        let nowhere = Search { region: Some("p' OR 1=1 --".into()), ..found };
        assert_eq!(numbers(&store, nowhere).await, [0_u64; 0]);
    }
}

async fn orders_are_those_that_were_asked_for(place: Place) {
    let store = filled(&place).await;
    for (order, expected) in [
        (Order::Best, [5, 4, 3, 2, 1]),
        (Order::Latest, [5, 4, 3, 2, 1]),
        (Order::Earliest, [1, 2, 3, 4, 5]),
        (Order::Significance, [3, 4, 2, 1, 5]),
    ] {
        assert_eq!(numbers(&store, Search { order, ..Search::default() }).await, expected);
    }
    let earliest = Search { order: Order::Earliest, ..words("rain") };
    assert_eq!(numbers(&store, earliest).await, [1, 2, 3]);
}

async fn pages_of_every_order_follow_each_other_without_gap_or_repeat(place: Place) {
    let store = filled(&place).await;
    for order in [Order::Best, Order::Latest, Order::Earliest, Order::Significance] {
        for search in [Search::default(), words("rain"), words("the")] {
            let search = Search { order, ..search };
            let whole = numbers(&store, search.clone()).await;
            let (mut paged, mut after) = (Vec::new(), None);
            loop {
                let page =
                    store.search(Search { limit: 1, after, ..search.clone() }).await.unwrap();
                after = page.found.last().map(|found| found.cursor);
                paged.extend(page.found.iter().map(|found| found.entry.id.sequence));
                if !page.more {
                    break;
                }
            }
            assert_eq!(paged, whole, "{order:?}");
        }
    }
}

async fn signs_of_a_search_are_no_operators(place: Place) {
    let store = filled(&place).await;
    assert_eq!(numbers(&store, words("\"OR\" NEAR(x)")).await, [5]);
    assert_eq!(numbers(&store, words("rain OR year")).await, [0_u64; 0]);
    assert_eq!(numbers(&store, words("text:rain* -paris ^a")).await, [0_u64; 0]);
    assert_eq!(numbers(&store, words("koln")).await, [5]);
    for text in
        ["\"", "'; DROP TABLE entry; --", "a\u{0}b", "\u{e000}r", "ﬁ ½ ǅ ١٢ 日本", "* ^ + -"]
    {
        let _ = numbers(&store, words(text)).await;
    }
    assert_eq!(store.extent().await.unwrap().count, 5);
}

#[test]
fn a_search_of_ten_thousand_words_is_refused() {
    let many = (0..10_000).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
    assert!(query_words(&many).unwrap_err().contains("at most 16 different words"));
    assert!(query_words(&"x".repeat(401)).is_err());
    assert_eq!(query_words("It's it ITS").unwrap(), ["it", "s", "its"]);
}

async fn what_is_written_again_is_there_and_published_once(place: Place) {
    let store = filled(&place).await;
    let again = News::Entry(entry(3, "paris", 900, "Another text."));
    let changes = Changes { news: vec![again], ..Changes::default() };
    store.commit(None, changes).await.unwrap();
    let outbox = store.outbox(100).await.unwrap();
    assert_eq!(outbox.len(), 5);
    let ids: Vec<_> = outbox.iter().map(|(_, event)| event.id).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5].map(|n| id(n).to_u128()));
    store.published(outbox[2].0).await.unwrap();
    assert_eq!(store.outbox(100).await.unwrap(), outbox[3..]);
    let found = store.entry(id(3)).await.unwrap().unwrap();
    assert!(found.text().starts_with("A storm"));
}

async fn changes_of_a_ledger_that_another_instance_moved_are_refused_whole(place: Place) {
    let (one, other) = (place.open().await, place.open().await);
    let (revision, _) = one.load().await.unwrap();
    let changes = Changes { done: vec![(1, 2, 3)], ..Changes::default() };
    let done = one.commit(Some(revision), changes).await.unwrap();
    assert_eq!(done, Committed::Done(revision + 1));
    let news = vec![News::Entry(entry(1, "paris", 1, "x"))];
    let changes = Changes { done: vec![(4, 5, 6)], news, ..Changes::default() };
    assert_eq!(other.commit(Some(revision), changes).await.unwrap(), Committed::Conflict);
    let (now, saved) = other.load().await.unwrap();
    assert_eq!((now, saved.done), (revision + 1, vec![(1, 2, 3)]));
    assert_eq!(other.extent().await.unwrap().count, 0);
}

async fn rewritten_entry_keeps_its_own_text_and_is_found_by_both(place: Place) {
    let store = filled(&place).await;
    let rewrite = |text: &str| Rewrite {
        entry: id(3),
        text: text.to_owned(),
        model: "m".to_owned(),
        publication: entry(9, "", 1, "x").publication(),
    };
    assert!(store.rewrite(rewrite("Tempests came.")).await.unwrap());
    assert!(!store.rewrite(rewrite("Again.")).await.unwrap());
    let found = store.entry(id(3)).await.unwrap().unwrap();
    assert_eq!(found.text(), "Tempests came.");
    assert!(found.entry.text.starts_with("A storm"));
    assert_eq!(numbers(&store, words("tempests")).await, [3]);
    assert_eq!(numbers(&store, words("storm")).await, [3]);
    assert_eq!(store.outbox(100).await.unwrap().len(), 6);
}

async fn kept_values_are_written_by_compare_and_set(place: Place) {
    let store = place.open().await;
    let publication = entry(9, "", 1, "x").publication();
    assert!(store.keep("a", 0, "1".into(), vec![publication]).await.unwrap());
    assert!(!store.keep("a", 0, "2".into(), Vec::new()).await.unwrap());
    let kept = store.kept("a").await.unwrap().unwrap();
    assert_eq!(kept, Kept { value: "1".into(), revision: 1 });
    assert_eq!(store.outbox(9).await.unwrap().len(), 1);
}
