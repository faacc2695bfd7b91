//! Tests of `cursor`.

use super::*;
use worldbus_conformance::batch;

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

/// Three events.
fn stored(name: &str, offset: u64, serial: Option<(u64, u32)>) -> StoredBatch {
    let serial = serial.map(|(commit, index)| Serial { commit, index });
    StoredBatch { topic: topic(name), offset, appended_ms: 0, serial, batch: batch(1, 0..3) }
}

fn encode(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

#[test]
fn cursor_comes_back_from_its_text() {
    let now = Cursor::behind(&[status("time", 7), status("weather", u64::MAX)]);
    let time = Cursor::begin(Position::TimeMs(-5));
    let mut within = Cursor::at_commit(u64::MAX);
    within.pass(&stored("time", 7, Some((8, 9))), 1);
    for cursor in [now, time, within, Cursor::begin(Position::Start)] {
        assert_eq!(Cursor::decode(&cursor.encode()).expect("ours"), cursor);
    }
}

#[test]
fn cursor_of_the_version_before_is_taken() {
    let cursor = Cursor::decode(&encode("1;s;time=7.0")).expect("ours");
    assert_eq!(cursor, Cursor::behind(&[status("time", 7)]));
    let cursor = Cursor::decode(&encode("1;t-5")).expect("ours");
    assert_eq!(cursor, Cursor::begin(Position::TimeMs(-5)));
}

#[test]
fn foreign_text_is_refused() {
    let wrong = [
        "".to_owned(),
        "not base64!".to_owned(),
        "42".to_owned(),
        encode("3;s"),
        encode("1"),
        encode("1;x"),
        encode("1;t"),
        encode("1;c1.0.0"),
        encode("2;c1.0"),
        encode("2;c1.0.-1"),
        encode("2;"),
        encode("2;s;l1"),
        encode("1;s;time"),
        encode("1;s;time=1"),
        encode("1;s;Time=1.0"),
        encode("1;s;time=1.-1"),
        encode("1;s;time=99999999999999999999.0"),
        encode(&format!("1;s{}", ";time=1.0".repeat(TEXT_BYTES_MAX))),
    ];
    for wrong in wrong {
        assert_eq!(Cursor::decode(&wrong).expect_err(&wrong).kind(), Kind::Invalid);
    }
}

#[test]
fn topic_that_comes_after_now_is_read_from_its_start() {
    let cursor = Cursor::behind(&[status("time", 7)]);
    let spec = cursor.spec(&[]);
    assert_eq!(spec.topics, [(topic("time"), Position::Offset(7))]);
    assert_eq!((spec.default_from, spec.all_topics), (Position::Start, true));
    let spec = cursor.spec(&[topic("npc"), topic("time")]);
    let positions = [(topic("npc"), Position::Start), (topic("time"), Position::Offset(7))];
    assert_eq!(spec.topics, positions);
    assert!(!spec.all_topics);
}

#[test]
fn cursor_of_any_number_of_topics_is_small_where_commits_are_numbered_and_bounded_elsewhere() {
    let names: Vec<String> = (0..256).map(|n| format!("{n:0>64}")).collect();
    let (mut numbered, mut plain) = (Cursor::at_commit(0), Cursor::begin(Position::Start));
    for (commit, name) in names.iter().enumerate() {
        numbered.pass(&stored(name, u64::MAX - 1, Some((commit as u64, 0))), 0);
        plain.pass(&stored(name, u64::MAX - 1, None), 0);
    }
    assert!(numbered.encode().len() < 100);
    assert_eq!(Cursor::decode(&plain.encode()).expect("within the bound"), plain);
}

#[test]
fn what_was_passed_of_a_commit_is_skipped() {
    let mut cursor = Cursor::at_commit(5);
    let first = stored("time", 0, Some((5, 0)));
    let second = stored("weather", 0, Some((5, 1)));
    cursor.pass(&first, 1);
    assert_eq!((cursor.first_index(&first), cursor.first_index(&second)), (Some(2), Some(0)));
    cursor.pass(&first, 2);
    assert_eq!((cursor.first_index(&first), cursor.first_index(&second)), (None, Some(0)));
    cursor.pass(&second, 0);
    assert_eq!((cursor.first_index(&first), cursor.first_index(&second)), (None, Some(1)));
    assert_eq!(cursor.spec(&[]).default_from, Position::Commit(5));
}

#[test]
fn topics_that_are_listed_ahead_of_the_commit_stay_so_until_they_are_read() {
    let mut cursor = Cursor::decode(&encode("1;s;ahead=9.1")).expect("ours");
    assert!(!cursor.is_shared());
    cursor.pass(&stored("time", 0, Some((1, 0))), 2);
    assert_eq!(cursor.spec(&[]).topics, [(topic("ahead"), Position::Offset(9))]);
    let ahead = stored("ahead", 9, Some((70, 0)));
    assert_eq!(cursor.first_index(&ahead), Some(1));
    cursor.pass(&ahead, 2);
    assert!(cursor.is_shared());
}
