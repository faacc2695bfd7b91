//! Checks of filters and of reading what is stored.

use crate::events::{batch, sequences, spec, topic, typed};
use crate::wait::{ack, next, nothing, read_all, soon};
use std::sync::Arc;
use worldbus_bus::{Filter, Position, ReadSpec, SubscriptionSpec, Transport};

pub(crate) async fn filters_select_batches(transport: &Arc<dyn Transport>) {
    let filter = Filter { types: vec![2], entities: vec!["ghent".to_owned()] };
    let by =
        SubscriptionSpec { filter: filter.clone(), ..spec("filter", &["filter"], Position::Now) };
    let mut consumer = transport.subscribe(by).await.unwrap();
    let wanted = typed(9, 30..31, 2, Some("ghent"), 8);
    for other in [
        typed(9, 0..1, 1, Some("ghent"), 8),
        typed(9, 10..12, 2, Some("liege"), 8),
        wanted.clone(),
        typed(9, 40..41, 2, None, 8),
    ] {
        transport.publish(&topic("filter"), other).await.unwrap();
    }
    let delivered = next(&mut consumer).await;
    assert_eq!(delivered.batch, wanted);
    ack(&*consumer, &delivered).await;
    nothing(&mut consumer).await;
    let spec = ReadSpec::topics([topic("filter")], Position::Start, false);
    let read = read_all(&**transport, ReadSpec { filter, ..spec }).await;
    assert_eq!(read.iter().map(|stored| stored.offset).collect::<Vec<_>>(), [2]);
}

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
}

pub(crate) async fn readers_follow_all_topics(transport: &Arc<dyn Transport>) {
    let mut reader = transport.read(ReadSpec::all(Position::Now, true)).await.unwrap();
    let awaited = ReadSpec::topics([topic("later")], Position::Now, true);
    let mut listed = transport.read(awaited).await.unwrap();
    transport.publish(&topic("order"), batch(11, 0..1)).await.unwrap();
    transport.publish(&topic("later"), batch(11, 1..2)).await.unwrap();
    transport.publish(&topic("order"), batch(11, 2..3)).await.unwrap();
    let mut found = Vec::new();
    for _ in 0..3 {
        let stored = soon("a followed batch", reader.next()).await.unwrap().unwrap();
        found.push((stored.topic.as_str().to_owned(), sequences(&stored.batch)[0]));
    }
    let expected = [("order", 0), ("later", 1), ("order", 2)];
    assert_eq!(found, expected.map(|(name, sequence)| (name.to_owned(), sequence)));
    let stored = soon("a topic that came later", listed.next()).await.unwrap().unwrap();
    assert_eq!(sequences(&stored.batch), [1]);
}
