//! Checks of reading what is stored, by readers and by new subscriptions.

use std::sync::Arc;

use crate::events::{batch, sequences, spec, topic};
use crate::wait::{ack, next, nothing, read_all, soon};
use worldbus_bus::{Kind, Position, ReadSpec, Transport};

pub(crate) async fn the_past_is_read_again(transport: &Arc<dyn Transport>) {
    let name = topic("past");
    for sequence in 0..10 {
        transport.publish(&name, batch(10, sequence..sequence + 1)).await.unwrap();
    }
    let from = |position| ReadSpec::topics([name.clone()], position, false);
    let all = read_all(&**transport, from(Position::Start)).await;
    assert_eq!(
        all.iter().flat_map(|stored| sequences(&stored.batch)).collect::<Vec<_>>(),
        (0..10).collect::<Vec<_>>()
    );
    assert_eq!(read_all(&**transport, from(Position::Offset(7))).await.len(), 3);
    assert_eq!(read_all(&**transport, from(Position::Offset(70))).await.len(), 0);
    assert_eq!(read_all(&**transport, from(Position::Now)).await.len(), 0);
    for stored in &all {
        let since = read_all(&**transport, from(Position::TimeMs(stored.appended_ms))).await;
        let expected = all.iter().filter(|other| other.appended_ms >= stored.appended_ms).count();
        assert_eq!(since.len(), expected);
    }
    let beyond = Position::TimeMs(all[9].appended_ms + 1);
    assert_eq!(read_all(&**transport, from(beyond)).await.len(), 0);
    assert_eq!(read_all(&**transport, from(Position::TimeMs(0))).await.len(), 10);
    let nowhere = ReadSpec::topics([topic("not-there")], Position::Start, false);
    assert_eq!(read_all(&**transport, nowhere).await.len(), 0);
    commits_order_all_topics(transport).await;
}

/// An engine that numbers its commits has one order over all topics, in which readers read and
/// from any place of which they begin.
async fn commits_order_all_topics(transport: &Arc<dyn Transport>) {
    let Some(before) = transport.end().await.unwrap() else { return };
    for sequence in 20..26 {
        let name = ["commit-a", "commit-b"][sequence as usize % 2];
        transport.publish(&topic(name), batch(10, sequence..sequence + 1)).await.unwrap();
    }
    let end = transport.end().await.unwrap().unwrap();
    assert_eq!(end.log, before.log, "a log keeps its name");
    let (before, next) = (before.next_commit, end.next_commit);
    let from = |commit| ReadSpec::all(Position::Commit(commit), false);
    let all = read_all(&**transport, from(before)).await;
    let found: Vec<_> = all.iter().flat_map(|stored| sequences(&stored.batch)).collect();
    assert_eq!(found, (20..26).collect::<Vec<_>>());
    let serials: Vec<_> = all.iter().map(|stored| stored.serial.unwrap()).collect();
    assert!(serials.is_sorted_by(|a, b| a < b), "{serials:?}");
    assert!(serials.iter().all(|serial| (before..next).contains(&serial.commit)), "{serials:?}");
    for serial in &serials {
        let expected = serials.iter().filter(|other| other.commit >= serial.commit).count();
        assert_eq!(read_all(&**transport, from(serial.commit)).await.len(), expected);
    }
    assert_eq!(read_all(&**transport, from(next)).await.len(), 0);
}

pub(crate) async fn readers_follow_all_topics(transport: &Arc<dyn Transport>) {
    let mut reader = transport.read(ReadSpec::all(Position::Now, true)).await.unwrap();
    let awaited = ReadSpec::topics([topic("later")], Position::Now, true);
    let mut listed = transport.read(awaited).await.unwrap();
    transport.publish(&topic("sooner"), batch(11, 0..1)).await.unwrap();
    transport.publish(&topic("later"), batch(11, 1..2)).await.unwrap();
    transport.publish(&topic("sooner"), batch(11, 2..3)).await.unwrap();
    let mut found = Vec::new();
    for _ in 0..3 {
        let stored = soon("a followed batch", reader.next()).await.unwrap().unwrap();
        found.push((stored.topic.as_str().to_owned(), sequences(&stored.batch)[0]));
    }
    let expected = [("sooner", 0), ("later", 1), ("sooner", 2)];
    assert_eq!(found, expected.map(|(name, sequence)| (name.to_owned(), sequence)));
    let stored = soon("a topic that came later", listed.next()).await.unwrap().unwrap();
    assert_eq!(sequences(&stored.batch), [1]);
}

pub(crate) async fn subscriptions_begin_where_they_ask(transport: &Arc<dyn Transport>) {
    let name = topic("begin");
    for sequence in 0..5 {
        transport.publish(&name, batch(12, sequence..sequence + 1)).await.unwrap();
    }
    let all =
        read_all(&**transport, ReadSpec::topics([name.clone()], Position::Start, false)).await;
    let time = all[3].appended_ms;
    let by_time = all.iter().find(|stored| stored.appended_ms >= time).unwrap().offset;
    let starts = [
        ("begin-start", Position::Start, 0),
        ("begin-offset", Position::Offset(2), 2),
        ("begin-time", Position::TimeMs(time), by_time),
    ];
    for (subscription, start, expected) in starts {
        let mut consumer =
            transport.subscribe(spec(subscription, &["begin"], start)).await.unwrap();
        for offset in expected..5 {
            let delivered = next(&mut consumer).await;
            assert_eq!(delivered.lease.offset, offset);
            ack(&*consumer, &delivered).await;
        }
        nothing(&mut consumer).await;
    }
    // Beyond the end is the end: what comes next arrives.
    let ends = [("begin-now", Position::Now, 5), ("begin-beyond", Position::Offset(u64::MAX), 6)];
    for (subscription, start, offset) in ends {
        let mut consumer =
            transport.subscribe(spec(subscription, &["begin"], start)).await.unwrap();
        nothing(&mut consumer).await;
        transport.publish(&name, batch(12, offset..offset + 1)).await.unwrap();
        assert_eq!(next(&mut consumer).await.lease.offset, offset);
    }
    let none = spec("begin-none", &[], Position::Now);
    assert_eq!(transport.subscribe(none).await.err().unwrap().kind(), Kind::Invalid);
}
