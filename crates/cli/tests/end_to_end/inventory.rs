//! `worldbus topics` and `worldbus subscriptions`: what a bus holds is listed and deleted, in a
//! directory and at an event-bus.

use tokio::runtime::Runtime;

use crate::support::{Finished, Town, empty_log, eventually, get, run, run_with_input, worldbus};
use worldbus_bus::{Position, SubscriptionName, SubscriptionSpec, Topic};

fn at(url: &str, arguments: &[&str]) -> Finished {
    run(&[arguments, &["--url", url]].concat())
}

/// Opens a subscription and leaves.
pub(crate) fn subscribe(url: &str, name: &str, topic: &str) {
    Runtime::new().unwrap().block_on(async {
        let bus = worldbus::connect(url, None).await.unwrap();
        let topics = vec![Topic::new(topic).unwrap()];
        let spec = SubscriptionSpec::new(SubscriptionName::new(name).unwrap(), topics);
        let spec = SubscriptionSpec { start: Position::Start, ..spec };
        let consumer = bus.transport().subscribe(spec).await.unwrap();
        consumer.close().await.unwrap();
        bus.close().await.unwrap();
    });
}

fn row(url: &str, things: &str, name: &str) -> Option<String> {
    let list = at(url, &[things, "list"]);
    assert_eq!(list.code, 0, "{list:?}");
    list.lines().into_iter().find(|line| line.starts_with(name))
}

fn columns(row: &str) -> Vec<&str> {
    row.split_whitespace().collect()
}

/// Whether it is an idle time of less than an hour.
fn is_short(idle: &str) -> bool {
    idle.strip_suffix(['s', 'm']).is_some_and(|count| count.parse::<u32>().is_ok())
}

/// Lists and deletes what was published to `time` by hand and a subscription to it.
fn deletes(url: &str) {
    let payload = "{\"total_minutes\":\"1\"}";
    assert_eq!(at(url, &["publish", "time.updated", payload]).code, 0);
    subscribe(url, "old-service", "time");
    let waits = || row(url, "subscriptions", "old-service").filter(|row| columns(row)[2] == "0");
    let row_of = eventually("its consumer is gone", waits);
    let columns = columns(&row_of);
    assert_eq!([&columns[..3], &columns[4..]].concat(), ["old-service", "1", "0", "time"]);
    assert!(is_short(columns[3]), "{row_of}");
    let topic = row(url, "topics", "time").unwrap();
    assert!(is_short(topic.split_whitespace().last().unwrap()), "{topic}");

    at(url, &["topics", "delete", "time", "--yes"]).refused(&["old-service", "catalogue"]);
    let unasked = at(url, &["subscriptions", "delete", "old-service"]);
    unasked.refused(&["1 unread batch and 0 dead letters would be lost", "--yes"]);
    let deleted = at(url, &["subscriptions", "delete", "old-service", "--yes"]);
    assert_eq!((deleted.code, deleted.lines()), (0, vec!["old-service deleted".to_owned()]));
    assert_eq!(row(url, "subscriptions", "old-service"), None);

    at(url, &["topics", "delete", "time"]).refused(&["1 batch and", "would be lost", "--yes"]);
    assert_eq!(at(url, &["topics", "delete", "time", "--yes"]).code, 0);
    assert_eq!(row(url, "topics", "time "), None);
    at(url, &["topics", "delete", "time"]).refused(&["time does not exist"]);
    at(url, &["subscriptions", "delete", "old-service"]).refused(&["does not exist"]);
}

#[test]
fn topics_and_subscriptions_of_a_directory_are_listed_and_deleted() {
    let dir = tempfile::tempdir().unwrap();
    deletes(&empty_log(dir.path()));
}

#[test]
fn topics_and_subscriptions_of_an_event_bus_are_listed_and_deleted() {
    let mut town = Town::found();
    deletes(&town.bus.url.clone());
    town.without_bus(|| ());
    let url = town.bus.url.clone();
    assert_eq!(row(&url, "subscriptions", "old-service"), None);
    assert_eq!(row(&url, "topics", "time "), None);
}

/// The gauges of a topic or subscription at `/metrics`, by line.
pub(crate) fn gauges(url: &str, name: &str) -> Vec<String> {
    const NAMES: [&str; 4] = [
        "worldbus_topic_bytes{",
        "worldbus_topic_next_offset{",
        "worldbus_unread_retention_used_ratio{",
        "worldbus_subscription_lag_batches{",
    ];
    let page = get(&format!("{url}/metrics")).unwrap().text;
    let is_of = |line: &&str| NAMES.iter().any(|gauge| line.starts_with(gauge));
    let is_named = |line: &&str| line.contains(&format!("=\"{name}"));
    page.lines().filter(is_of).filter(is_named).map(str::to_owned).collect()
}

#[test]
fn what_was_deleted_has_no_gauges_until_it_is_there_again() {
    let town = Town::found();
    let url = &town.bus.url;
    let publish = || at(url, &["publish", "time.updated", "{\"total_minutes\":\"1\"}"]);
    let await_gauges = |topics: usize, subscriptions: usize| {
        let counts = || (gauges(url, "time\"").len(), gauges(url, "old-service\"").len());
        let wanted = (topics, subscriptions);
        eventually("gauges are those of what is there", || (counts() == wanted).then_some(()));
    };
    assert_eq!(publish().code, 0);
    subscribe(url, "old-service", "time");
    await_gauges(3, 1);
    let waits = || row(url, "subscriptions", "old-service").filter(|row| columns(row)[2] == "0");
    eventually("its consumer is gone", waits);
    assert_eq!(at(url, &["subscriptions", "delete", "old-service", "--yes"]).code, 0);
    assert_eq!(at(url, &["topics", "delete", "time", "--yes"]).code, 0);
    await_gauges(0, 0);
    assert_eq!(publish().code, 0);
    await_gauges(3, 0);
}

#[test]
fn bus_without_a_list_reports_it_of_topics_as_of_subscriptions() {
    for what in ["topics", "subscriptions"] {
        let mut list = worldbus();
        list.args([what, "list", "--url", "sns-sqs://us-east-1?prefix=none"]);
        list.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").env("AWS_ACCESS_KEY_ID", "none");
        list.env("AWS_SECRET_ACCESS_KEY", "none").env("AWS_EC2_METADATA_DISABLED", "true");
        let refused = run_with_input(&mut list, b"");
        let expected = "error: the sns-sqs transport keeps no list of topics and subscriptions";
        assert!(refused.stderr.contains(expected), "{refused:?}");
    }
}
