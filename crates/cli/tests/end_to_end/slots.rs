//! Several instances of the event-bus over SNS and SQS, each with a slot: a subscription that it
//! claims in the state store, so that each of them sees every event.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Account, Service, Tail, eventually, eventually_within, get, run_with_input};
use worldbus_event_bus::{GRACE_MS, TERM_MS};

const EVENTS: usize = 300;
/// A waiting instance looks every 2 s.
const LOOK_MAX: Duration = Duration::from_secs(10);

/// An account in which queues come about as they are used.
fn open(prefix: &str) -> Account {
    let mut account = Account::open(prefix);
    account.url.push_str("&create=true");
    account
}

/// Publishes events to SNS; their ids.
fn publish(account: &Account, count: usize) -> HashSet<String> {
    let mut publish = account.command(&["publish", "--stdin"]);
    let lines = "{\"type\":\"world_state.updated\",\"payload\":{}}\n".repeat(count);
    let published = run_with_input(&mut publish, lines.as_bytes());
    assert_eq!(published.code, 0, "{published:?}");
    published.lines().into_iter().collect()
}

/// Waits until a tail has shown all of these, each once.
fn shows(tail: &Tail, mut wanted: HashSet<String>) {
    let mut seen = HashSet::new();
    tail.until(|event: &Value| {
        let id = event["event_id"].as_str().unwrap().to_owned();
        wanted.remove(&id);
        assert!(seen.insert(id), "{event} came twice");
        wanted.is_empty()
    });
}

fn readiness(service: &Service) -> String {
    get(&format!("{}/readyz", service.url)).unwrap().text
}

#[test]
fn two_event_buses_with_four_slots_each_see_every_event() {
    let account = open("both");
    let slots = ["--subscription-slots", "4"];
    let first = account.event_bus("first", &slots).ready();
    let second = account.event_bus("second", &slots).ready();
    let tails = [&first, &second].map(|bus| Tail::start(&bus.url, &[]));
    let ids = publish(&account, EVENTS);
    tails.iter().for_each(|tail| shows(tail, ids.clone()));
    first.terminate();
    second.terminate();
}

#[test]
fn slot_of_a_killed_event_bus_is_taken_over_and_one_that_was_given_back_at_once() {
    let account = open("over");
    let slots = ["--subscription-slots", "2"];
    let killed = account.event_bus("killed", &slots).ready();
    let leaving = account.event_bus("leaving", &slots).ready();
    let third = account.event_bus("third", &slots);
    let waits = |bus: &Service| {
        eventually("it reports who has the slots", || {
            let reply = readiness(bus);
            (reply.contains("all 2 slots are taken") && reply.contains("event-bus-2 by"))
                .then_some(())
        });
    };
    waits(&third);
    killed.kill();
    let begun = Instant::now();
    // No instance has the slot now; what comes waits in its queue.
    let mut ids = publish(&account, EVENTS);
    let over = Duration::from_millis(TERM_MS + GRACE_MS);
    eventually_within(over + LOOK_MAX, "the slot is taken over", || {
        (readiness(&third) == "ok\n").then_some(())
    });
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(GRACE_MS), "taken over after {took:?}");
    println!("taken over after {took:?}");
    ids.extend(publish(&account, EVENTS));
    shows(&Tail::start(&third.url, &[]), ids);

    let fourth = account.event_bus("fourth", &slots);
    waits(&fourth);
    leaving.terminate();
    eventually_within(LOOK_MAX, "the slot is taken at once", || {
        (readiness(&fourth) == "ok\n").then_some(())
    });
    let ids = publish(&account, EVENTS);
    shows(&Tail::start(&fourth.url, &[]), ids);
    third.terminate();
    fourth.terminate();
}

#[test]
fn slots_that_cannot_be_meant_are_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let bus = ["event-bus", "--listen", "127.0.0.1:0", "--data-dir", dir];
    for wrong in ["0", "17"] {
        let refused = crate::support::run(&[&bus[..], &["--subscription-slots", wrong]].concat());
        refused.refused(&["--subscription-slots", "1 to 16", wrong]);
    }
    let account = Account::open("alone");
    let refused = account.run(&[&bus[..], &["--subscription-slots", "2"]].concat());
    refused.refused(&["state store that all of them share", "--state-url"]);
}
