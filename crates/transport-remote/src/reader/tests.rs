//! Tests of `reader`: where it goes on.

use super::*;

fn topic(name: &str) -> Topic {
    Topic::new(name).expect("a valid name")
}

fn status(name: &str, next_offset: u64) -> TopicStatus {
    TopicStatus {
        topic: topic(name),
        first_offset: 0,
        next_offset,
        events_total: 0,
        bytes: 0,
        idle: None,
    }
}

#[test]
fn now_becomes_the_end_of_each_topic_and_the_start_of_later_ones() {
    let spec = ReadSpec::all(Position::Now, true);
    assert!(depends_on_now(&spec));
    let spec = fixed(spec, None, &[status("time", 3), status("weather", 7)]);
    assert!(!depends_on_now(&spec));
    assert_eq!(spec.default_from, Position::Start);
    let positions = [(topic("time"), Position::Offset(3)), (topic("weather"), Position::Offset(7))];
    assert_eq!(spec.topics, positions);
}

#[test]
fn now_in_a_topic_that_is_not_there_is_its_start() {
    let spec = ReadSpec::topics([topic("time"), topic("npc")], Position::Now, true);
    let spec = fixed(spec, None, &[status("time", 3), status("weather", 7)]);
    let positions = [(topic("time"), Position::Offset(3)), (topic("npc"), Position::Start)];
    assert_eq!(spec.topics, positions);
}

#[test]
fn reader_goes_on_behind_what_it_returned() {
    let spec = ReadSpec::topics([topic("time"), topic("npc")], Position::Start, true);
    let behind = BTreeMap::from([(topic("time"), 5)]);
    let resumed = resumed(&spec, &behind);
    let positions = [(topic("npc"), Position::Start), (topic("time"), Position::Offset(5))];
    assert_eq!(resumed.topics, positions);
}

#[test]
fn now_is_a_commit_where_they_are_numbered_of_the_log_that_has_it() {
    let log = LogId::from_bits(7);
    let end = LogEnd { log, next_commit: 70, time_ms: 900 };
    let mut spec = ReadSpec::all(Position::Now, true);
    spec.topics = vec![(topic("npc"), Position::Start), (topic("time"), Position::Now)];
    let spec = fixed(spec, Some(end), &[status("time", 3)]);
    assert!(!depends_on_now(&spec));
    assert_eq!(spec.default_from, Position::Commit(70));
    let positions = [(topic("npc"), Position::Start), (topic("time"), Position::Commit(70))];
    assert_eq!(spec.topics, positions);
    assert_eq!(spec.resume, log.map(|log| Resume { log, time_ms: 900 }));
}
