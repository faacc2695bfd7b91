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

fn at_commit(next_commit: u64) -> Cursor {
    Cursor::at_end(LogEnd { log: None, next_commit, time_ms: 0 })
}

fn log(bits: u64) -> LogId {
    LogId::from_bits(bits).expect("a name of a log")
}

fn encode(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

#[test]
fn cursor_comes_back_from_its_text() {
    let now = Cursor::behind(&[status("time", 7), status("weather", u64::MAX)]);
    let time = Cursor::begin(Position::TimeMs(-5));
    let mut within = at_commit(u64::MAX);
    within.pass(&stored("time", 7, Some((8, 9))), 1, 5);
    for mut cursor in [now, time, within, Cursor::begin(Position::Start)] {
        // Without a log the time is of no use.
        let text = cursor.encode();
        cursor.time_ms = None;
        assert_eq!(Cursor::decode(&text).expect("ours"), cursor);
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
    let (mut numbered, mut plain) = (at_commit(0), Cursor::begin(Position::Start));
    for (commit, name) in names.iter().enumerate() {
        numbered.pass(&stored(name, u64::MAX - 1, Some((commit as u64, 0))), 0, 0);
        plain.pass(&stored(name, u64::MAX - 1, None), 0, 0);
    }
    assert!(numbered.encode().len() < 100);
    assert!(Cursor::decode(&plain.encode()).expect("within the bound") == plain);
}

#[test]
fn what_was_passed_of_a_commit_is_skipped() {
    let mut cursor = at_commit(5);
    let first = stored("time", 0, Some((5, 0)));
    let second = stored("weather", 0, Some((5, 1)));
    cursor.pass(&first, 1, 0);
    assert_eq!((cursor.first_index(&first), cursor.first_index(&second)), (Some(2), Some(0)));
    cursor.pass(&first, 2, 0);
    assert_eq!((cursor.first_index(&first), cursor.first_index(&second)), (None, Some(0)));
    cursor.pass(&second, 0, 0);
    assert_eq!((cursor.first_index(&first), cursor.first_index(&second)), (None, Some(1)));
    assert_eq!(cursor.spec(&[]).default_from, Position::Commit(5));
}

#[test]
fn topics_that_are_listed_ahead_of_the_commit_stay_so_until_they_are_read() {
    let mut cursor = Cursor::decode(&encode("1;s;ahead=9.1")).expect("ours");
    assert!(!cursor.is_shared());
    cursor.pass(&stored("time", 0, Some((1, 0))), 2, 0);
    assert_eq!(cursor.spec(&[]).topics, [(topic("ahead"), Position::Offset(9))]);
    let ahead = stored("ahead", 9, Some((70, 0)));
    assert_eq!(cursor.first_index(&ahead), Some(1));
    cursor.pass(&ahead, 2, 0);
    assert!(cursor.is_shared());
}

#[test]
fn cursor_of_a_log_names_it_and_the_time_in_few_bytes() {
    let (log, time_ms) = (log(0xffff_ffff_fffe), 1_900_000_000_000);
    let mut cursor = Cursor::at_end(LogEnd { log: Some(log), next_commit: 9_000_000, time_ms });
    assert_eq!(cursor.spec(&[]).resume, Some(Resume { log, time_ms }));
    let batch = StoredBatch { appended_ms: time_ms, ..stored("time", 7, Some((9_000_001, 0))) };
    // The earlier of both counts.
    for (happened_ms, expected) in [(time_ms + 5, time_ms), (time_ms - 5, time_ms - 5)] {
        cursor.pass(&batch, 0, happened_ms);
        let text = cursor.encode();
        assert!(text.len() <= 28, "{text}");
        let back = Cursor::decode(&text).expect("ours");
        assert_eq!(back, cursor);
        assert_eq!(back.spec(&[]).resume, Some(Resume { log, time_ms: expected }));
    }
    for time_ms in [i64::MIN, -1, 0, i64::MAX] {
        let cursor = Cursor::at_end(LogEnd { log: Some(log), next_commit: u64::MAX, time_ms });
        assert_eq!(Cursor::decode(&cursor.encode()).expect("ours"), cursor);
    }
}

#[test]
fn cursor_of_a_log_keeps_topics_that_are_ahead_of_its_commit() {
    let mut cursor = Cursor::decode(&encode("1;s;ahead=9.1")).expect("ours");
    cursor.enter(Some(log(1)));
    assert_eq!(cursor.encode(), encode("2;s;ahead=9.1"), "without a commit it is of any log");
    cursor.pass(&stored("time", 0, Some((1, 0))), 2, -7);
    assert_eq!(Cursor::decode(&cursor.encode()).expect("ours"), cursor);
}

#[test]
fn cursor_goes_on_by_time_until_it_has_passed_an_event_of_the_other_log() {
    let end = LogEnd { log: Some(log(1)), next_commit: 70, time_ms: 9_000_000 };
    let mut cursor = Cursor::at_end(end);
    cursor.enter(Some(log(2)));
    cursor.go_on_by_time(8_940_000);
    assert_eq!(cursor.encode(), encode("2;t8940000"));
    let first = stored("time", 0, Some((3, 0)));
    assert_eq!(cursor.first_index(&first), Some(0), "commits of the log before do not count");
    cursor.pass(&first, 2, 0);
    let resume = Some(Resume { log: log(2), time_ms: 0 });
    assert_eq!(Cursor::decode(&cursor.encode()).expect("ours").spec(&[]).resume, resume);
}

#[test]
fn cut_changed_and_overlong_cursors_of_a_log_are_refused_or_another_place() {
    let end = LogEnd { log: Some(log(0x0102_0304_0506)), next_commit: 300, time_ms: 1 };
    let good = BASE64_URL_SAFE_NO_PAD.decode(Cursor::at_end(end).encode()).expect("base64");
    let decode = |bytes: &[u8]| Cursor::decode(&BASE64_URL_SAFE_NO_PAD.encode(bytes));
    assert!(decode(&good).is_ok());
    for length in 0..good.len() {
        decode(&good[..length]).expect_err("cut");
    }
    for position in 0..good.len() {
        for bit in 0..8 {
            let mut changed = good.clone();
            changed[position] ^= 1 << bit;
            if let Ok(other) = decode(&changed) {
                assert_eq!(BASE64_URL_SAFE_NO_PAD.decode(other.encode()).expect("base64"), changed);
            }
        }
    }
    let mut wrong = good.clone();
    wrong[1..7].fill(0);
    decode(&wrong).expect_err("log 0");
    decode(&[&good[..], b"x"].concat()).expect_err("more behind it");
    decode(&[&good[..], b";a=1.0;a=1.0"].concat()).expect_err("a topic twice");
    let overlong = [&good[..7], &[0x82, 0x00], &good[8..]].concat();
    decode(&overlong).expect_err("a number with more bytes than it needs");
    let beyond = [&good[..8], &[0xff; 10], &good[10..]].concat();
    decode(&beyond).expect_err("a commit of more than 64 bits");
}

/// Services hand it out, which do not know this crate.
#[test]
fn cursor_at_the_end_of_a_log_is_the_one_that_the_bus_gives() {
    for (bits, next_commit, time_ms) in [(1, 0, 0), ((1 << 48) - 1, u64::MAX, i64::MIN)] {
        let end = LogEnd { log: Some(log(bits)), next_commit, time_ms };
        assert_eq!(end.cursor(), Some(Cursor::at_end(end).encode()));
    }
    assert_eq!(LogEnd { log: None, next_commit: 1, time_ms: 1 }.cursor(), None);
}
