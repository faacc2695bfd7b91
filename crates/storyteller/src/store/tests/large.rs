//! Searches of a large chronicle, in a file and in a database: they are quick, and find the same.
//! By hand, with a million entries: `WORLDBUS_TEST_ENTRIES=1000000 cargo nextest run --release -p
//! worldbus-storyteller large --no-capture`.

use std::time::{Duration, Instant};

use super::*;

/// Entries, unless `WORLDBUS_TEST_ENTRIES` is set.
const ENTRIES: u64 = 1_500;
/// Entries that are searched in both.
const COMPARED: u64 = 6_000;
const BATCH: u64 = 5_000;
/// The game time from one entry to the next.
const STEP_US: i64 = 31_500_000;
const SEARCHES: u64 = 400;
/// What 99 of 100 searches must keep at a million entries, optimised.
const P99_MAX: Duration = Duration::from_millis(50);

const REGIONS: [&str; 12] = [
    "brussels",
    "amsterdam",
    "london",
    "paris",
    "cologne",
    "berlin",
    "copenhagen",
    "munich",
    "zurich",
    "prague",
    "vienna",
    "",
];
const WORDS: [&str; 24] = [
    "rain", "storm", "snow", "wind", "market", "feast", "drought", "river", "lantern", "harbour",
    "guild", "crown", "bridge", "frost", "thunder", "heat", "fog", "morning", "evening", "night",
    "street", "roof", "people", "gust",
];

/// Words of which the first are in most entries and the last in few.
fn text(number: u64) -> String {
    let word = |rank: u64| {
        let draw = worldbus_world::ids::mix(number * 31 + rank) % 1_000;
        WORDS[(draw * draw * WORDS.len() as u64 / 1_000_000) as usize]
    };
    let words: Vec<&str> = (0..10).map(word).collect();
    format!("The {} of {} number {number}", words.join(" "), REGIONS[(number % 11) as usize])
}

/// Few are significant, and many are not.
fn spread(number: u64) -> u16 {
    let draw = worldbus_world::ids::mix(number) % 1_000;
    (draw.pow(2) / 1_000) as u16
}

/// Most have one significance.
fn alike(number: u64) -> u16 {
    if number.is_multiple_of(5) { spread(number) } else { 100 }
}

async fn filled(place: &Place, count: u64, significance: fn(u64) -> u16) -> Arc<dyn Store> {
    let store = place.open().await;
    for first in (0..count).step_by(BATCH as usize) {
        let news = (first..count.min(first + BATCH)).map(|number| {
            let region = REGIONS[(number % 12) as usize];
            let mut entry = entry(number, region, significance(number), &text(number));
            // A million entries are a year of the world.
            entry.game_us = number as i64 * STEP_US;
            entry.arc = number.is_multiple_of(9).then(|| format!("storm-{}", number / 90));
            News::Entry(entry)
        });
        let changes = Changes { news: news.collect(), ..Changes::default() };
        store.commit(None, changes).await.unwrap();
        let (last, _) = *store.outbox(1).await.unwrap().first().unwrap();
        store.published(last + BATCH as i64).await.unwrap();
    }
    store
}

/// Searches of all kinds, common words and rare ones.
fn search(number: u64, span_us: i64) -> Search {
    let pick = |of: u64| WORDS[(number * of % WORDS.len() as u64) as usize].to_owned();
    let words = match number % 4 {
        0 => vec!["rain".to_owned()],
        1 => vec![pick(7), pick(5)],
        2 => vec!["the".to_owned(), "rain".to_owned(), pick(3)],
        _ => Vec::new(),
    };
    let from = span_us / 400 * (number % 300) as i64;
    Search {
        words,
        region: number.is_multiple_of(3).then(|| REGIONS[(number % 11) as usize].to_owned()),
        from_us: number.is_multiple_of(5).then_some(from),
        to_us: number.is_multiple_of(5).then_some(from + span_us / 52),
        significance_min: [0, 0, 300, 700, 950][(number % 5) as usize],
        order: [Order::Best, Order::Best, Order::Latest, Order::Significance]
            [(number / 4 % 4) as usize],
        limit: 50,
        ..Search::default()
    }
}

async fn searches_are_quick(place: Place, significance: fn(u64) -> u16) {
    let count = std::env::var("WORLDBUS_TEST_ENTRIES").ok().and_then(|text| text.parse().ok());
    let count = count.unwrap_or(ENTRIES);
    let begun = Instant::now();
    let store = filled(&place, count, significance).await;
    println!("{count} entries, {} bytes, written in {:?}", place.bytes(), begun.elapsed());
    let span_us = count as i64 * STEP_US;
    let mut times = Vec::new();
    for number in 0..SEARCHES {
        let search = search(number, span_us);
        let asked = format!("{search:?}");
        let begun = Instant::now();
        let page = store.search(search).await.unwrap();
        times.push((begun.elapsed(), page.found.len(), asked));
    }
    times.sort();
    let found = times.iter().filter(|(_, found, _)| *found > 0).count() as u64;
    assert!(found > SEARCHES / 3, "{found} searches found something");
    let at = |share: usize| times[times.len() * share / 1_000].0;
    println!("p50 {:?}, p99 {:?}, most {:?}", at(500), at(990), times[times.len() - 1]);
    for slow in &times[times.len() - 5..] {
        println!("{slow:?}");
    }
    if !cfg!(debug_assertions) {
        assert!(at(990) <= P99_MAX, "p99 {:?}", at(990));
    }
}

#[tokio::test]
async fn searches_of_a_large_chronicle_are_quick() {
    searches_are_quick(Place::file(), spread).await;
}

#[tokio::test]
async fn searches_of_a_large_chronicle_in_a_database_are_quick() {
    searches_are_quick(Place::large_database(), spread).await;
}

#[tokio::test]
async fn searches_of_a_large_chronicle_in_a_database_of_one_significance_are_quick() {
    searches_are_quick(Place::large_database(), alike).await;
}

/// With words that are in most entries: a database finds them by windows.
#[tokio::test]
async fn database_finds_what_a_file_finds() {
    for significance in [spread, alike] {
        let (file, database) = (Place::file(), Place::database());
        let file = filled(&file, COMPARED, significance).await;
        let database = filled(&database, COMPARED, significance).await;
        for number in 0..SEARCHES / 2 {
            let span_us = COMPARED as i64 * STEP_US;
            let mut search = search(number, span_us);
            // Some within more entries than a file reads one by one.
            if number.is_multiple_of(7) {
                (search.from_us, search.to_us) = (Some(span_us / 20), Some(span_us));
            }
            let (expected, found) =
                (file.search(search.clone()).await, database.search(search.clone()).await);
            let (expected, found) = (expected.unwrap(), found.unwrap());
            assert_eq!(ids(&found), ids(&expected), "{search:?}");
            assert_eq!(found.more, expected.more, "{search:?}");
        }
    }
}

fn ids(page: &Page) -> Vec<u64> {
    page.found.iter().map(|found| found.entry.id.sequence).collect()
}
