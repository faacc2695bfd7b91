//! Tests of `cursor`.

use super::*;

fn topic(name: &str) -> Topic {
    Topic::new(name).expect("a valid name")
}

fn status(name: &str, next_offset: u64) -> TopicStatus {
    TopicStatus { topic: topic(name), first_offset: 0, next_offset, events_total: 0, bytes: 0 }
}

#[test]
fn cursor_comes_back_from_its_text() {
    let now = Cursor::begin(Position::Now, &[status("time", 7), status("weather", u64::MAX)]);
    let time = Cursor::begin(Position::TimeMs(-5), &[status("time", 7)]);
    for cursor in [now, time, Cursor::begin(Position::Start, &[])] {
        assert_eq!(Cursor::decode(&cursor.encode()).expect("ours"), cursor);
    }
}

#[test]
fn text_of_somebody_else_is_refused() {
    let encode = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let wrong = [
        "".to_owned(),
        "not base64!".to_owned(),
        "42".to_owned(),
        encode("2;s"),
        encode("1"),
        encode("1;x"),
        encode("1;t"),
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
    let cursor = Cursor::begin(Position::Now, &[status("time", 7)]);
    let spec = cursor.spec(&[]);
    assert_eq!(spec.topics, [(topic("time"), Position::Offset(7))]);
    assert_eq!((spec.default_from, spec.all_topics), (Position::Start, true));
    let spec = cursor.spec(&[topic("npc"), topic("time")]);
    let positions = [(topic("npc"), Position::Start), (topic("time"), Position::Offset(7))];
    assert_eq!(spec.topics, positions);
    assert!(!spec.all_topics);
}
