//! Instances: the same entries whichever writes them, once, over restarts, shared files and shared
//! databases.

use crate::kit::{HOUR_US, feast, go_on, much_later, place, ruler, run, storm, story};
use worldbus_events::prost::Message as _;
use worldbus_events::{Event as _, v1};
use worldbus_testkit::{Instance, Place, PostgresServer, Seen};

const TOPIC: &str = v1::StoryEntryAdded::TOPIC;

fn ended(events: &[Seen]) -> bool {
    let last = |event: &Seen| {
        event.event_type == v1::StoryArcAdvanced::NUMBER
            && v1::StoryArcAdvanced::decode(event.payload.as_slice()).unwrap().ended
    };
    events.iter().filter(|event| last(event)).count() >= 2
}

/// What happens, in pieces; the ruler's events come from another service than the storms.
async fn happen(place: &Place, piece: usize) {
    match piece {
        0 => storm(place, 10, "paris").await,
        1 => ruler(place, 12, "paris", "faction/guild").await,
        2 => storm(place, 14, "vienna").await,
        3 => ruler(place, 16, "paris", "faction/crown").await,
        _ => feast(place, 18, "Lantern Night").await,
    }
}

/// The rule by which a piece has an entry of its own, and how many pieces before it have one.
const RULES: [(&str, usize); 5] = [
    ("thunder", 0),
    ("faction_leader", 0),
    ("thunder", 1),
    ("faction_leader", 1),
    ("feast_begins", 0),
];

/// Each of these pieces has its entry.
fn have_entries(events: &[Seen], pieces: &[usize]) -> bool {
    let added = events.iter().filter(|event| event.event_type == v1::StoryEntryAdded::NUMBER);
    let entries = added.map(|event| v1::StoryEntryAdded::decode(&event.payload[..]).unwrap());
    let rules: Vec<_> = entries.map(|entry| entry.rule).collect();
    pieces.iter().all(|piece| {
        let (rule, before) = RULES[*piece];
        rules.iter().filter(|found| *found == rule).count() > before
    })
}

/// Lets time pass once each event was received.
async fn finish(place: &Place) {
    place.events_until(TOPIC, |events| have_entries(events, &[0, 1, 2, 3, 4])).await;
    much_later(place).await;
}

async fn written(order: [usize; 5], restarts: bool) -> Vec<Seen> {
    let place = place().await;
    let dir = tempfile::tempdir().unwrap();
    let mut instance: Instance = run(&place, dir.path()).await;
    for piece in order {
        happen(&place, piece).await;
        if restarts {
            instance.stop().await;
            instance = run(&place, dir.path()).await;
        }
    }
    finish(&place).await;
    let events = place.events_until(TOPIC, ended).await;
    instance.stop().await;
    events
}

#[tokio::test]
async fn instances_write_the_same_whatever_the_order_of_services_and_over_restarts() {
    let straight = written([0, 1, 2, 3, 4], false).await;
    assert!(straight.len() >= 9, "{}", straight.len());
    let shuffled = written([1, 3, 4, 0, 2], false).await;
    assert_eq!(story(&shuffled), story(&straight));
    let restarted = written([0, 2, 1, 4, 3], true).await;
    assert_eq!(story(&restarted), story(&straight));
}

/// Two instances with one chronicle write what one writes.
async fn share(place: impl Future<Output = Place>) {
    let straight = written([0, 1, 2, 3, 4], false).await;
    let place = place.await;
    let dir = tempfile::tempdir().unwrap();
    let one = run(&place, dir.path()).await;
    let other = run(&place, dir.path()).await;
    for piece in 0..5 {
        happen(&place, piece).await;
        // As in a running world: an hour apart is more than an instance takes for an event.
        place.events_until(TOPIC, |events| have_entries(events, &[piece])).await;
    }
    finish(&place).await;
    // An hour that one takes may come behind the announcement that the other takes.
    let all = |events: &[Seen]| ended(events) && events.len() >= straight.len();
    let events = tokio::select! {
        events = place.events_until(TOPIC, all) => events,
        () = go_on(&place) => unreachable!("time goes on"),
    };
    one.stop().await;
    other.stop().await;
    assert_eq!(story(&events), story(&straight));
}

#[tokio::test]
async fn two_instances_that_share_a_file_write_everything_once() {
    share(place()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_that_share_a_database_write_everything_once() {
    let server = PostgresServer::start();
    share(async { place().await.with_database(&server.url()) }).await;
    let entries = server.sql("worldbus", "SELECT count(*) FROM chronicle_entry");
    assert!(entries.trim().parse::<usize>().unwrap() >= 5, "{entries}");
}

#[tokio::test]
async fn entries_of_another_world_on_the_same_bus_are_not_written() {
    let place = place().await;
    let dir = tempfile::tempdir().unwrap();
    let instance = run(&place, dir.path()).await;
    let event = v1::YearChanged { new_year: 2031, ..Default::default() };
    place.bus.publisher("test", "elsewhere").publish(&event).await.unwrap();
    feast(&place, 18, "Lantern Night").await;
    let events = place.events_until(TOPIC, |events| !events.is_empty()).await;
    assert_eq!(events.len(), 1);
    let entry = v1::StoryEntryAdded::decode(events[0].payload.as_slice()).unwrap();
    assert_eq!((entry.rule.as_str(), events[0].world.as_str()), ("feast_begins", "europe"));
    instance.stop().await;
}

#[tokio::test]
async fn events_of_a_batch_share_commits() {
    const COUNT: i64 = 200;
    let (place, dir) = (place().await, tempfile::tempdir().unwrap());
    let instance = run(&place, dir.path()).await;
    let file = rusqlite::Connection::open(dir.path().join("chronicle.db")).unwrap();
    let number = |sql: &str| file.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let publisher = place.bus.publisher("weather-manager", &place.world.id);
    let mut pending = Vec::new();
    for hour in 0..COUNT {
        let event = v1::WeatherChanged {
            region_id: "paris".into(),
            new_state: v1::WeatherState::Storm.into(),
            started_game_us: hour * HOUR_US,
            ..Default::default()
        };
        pending.push(publisher.enqueue(Some("paris"), &event).await.unwrap());
    }
    for pending in pending {
        pending.await.unwrap();
    }
    let written = async {
        while number("SELECT count(*) FROM observation") < COUNT {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(worldbus_testkit::DEADLINE, written).await.unwrap();
    let commits = number("SELECT value FROM counter WHERE name = 'ledger'");
    assert!(commits <= COUNT / 10, "{commits} commits");
    instance.stop().await;
}
