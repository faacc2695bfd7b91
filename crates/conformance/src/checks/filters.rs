//! Checks of filters. A consumer gets no batch without an event that it asked for, whoever leaves
//! it out: the capabilities declare only whether the engine does.

use std::sync::Arc;

use crate::events::{spec, topic, typed};
use crate::wait::{ack, next, nothing, read_all};
use worldbus_bus::{Filter, Position, ReadSpec, SubscriptionSpec, Transport};
use worldbus_events::{About, Batch};

pub(crate) async fn filters_by_type_leave_out_batches(transport: &Arc<dyn Transport>) {
    let filter = Filter { types: vec![2, 5], ..Filter::default() };
    let wanted = [typed(9, 30..31, 2, Some("ghent"), 8), typed(9, 50..52, 5, None, 8)];
    let others = [typed(9, 0..1, 1, Some("ghent"), 8), typed(9, 40..42, 3, None, 8)];
    leaves_out(transport, "by-type", filter, wanted, others).await;
}

pub(crate) async fn filters_by_entity_leave_out_batches(transport: &Arc<dyn Transport>) {
    let entities = vec!["ghent".to_owned(), "paris".to_owned()];
    let filter = Filter { types: vec![2], entities, ..Filter::default() };
    let wanted = [typed(9, 130..131, 2, Some("ghent"), 8), typed(9, 150..152, 2, Some("paris"), 8)];
    let others = [typed(9, 110..112, 2, Some("liege"), 8), typed(9, 140..141, 2, None, 8)];
    leaves_out(transport, "by-entity", filter, wanted, others).await;
}

/// An event that names no place is at its entity.
pub(crate) async fn filters_by_place_leave_out_batches(transport: &Arc<dyn Transport>) {
    let npc = About::from("npc-7");
    let places = vec!["market".to_owned(), "dock".to_owned()];
    let filter = Filter { types: vec![2], places, ..Filter::default() };
    let wanted = [typed(9, 330..331, 2, npc.at("market"), 8), typed(9, 350..352, 2, "dock", 8)];
    let others = [typed(9, 310..312, 2, npc.at("mill"), 8), typed(9, 340..341, 2, npc, 8)];
    leaves_out(transport, "by-place", filter, wanted, others).await;
}

/// Publishes both kinds; only what is wanted comes, unchanged.
async fn leaves_out(
    transport: &Arc<dyn Transport>,
    name: &str,
    filter: Filter,
    wanted: [Batch; 2],
    others: [Batch; 2],
) {
    let by = SubscriptionSpec { filter, ..spec(name, &[name], Position::Now) };
    let mut consumer = transport.subscribe(by).await.unwrap();
    for (other, wanted) in others.into_iter().zip(wanted.clone()) {
        transport.publish(&topic(name), other).await.unwrap();
        transport.publish(&topic(name), wanted).await.unwrap();
    }
    let mut found = Vec::new();
    for _ in 0..wanted.len() {
        let delivered = next(&mut consumer).await;
        ack(&*consumer, &delivered).await;
        found.push(delivered.batch);
    }
    found.sort_by_key(Batch::first_id);
    assert_eq!(found, wanted);
    nothing(&mut consumer).await;
}

pub(crate) async fn readers_filter(transport: &Arc<dyn Transport>) {
    let wanted = typed(9, 230..231, 2, Some("ghent"), 8);
    for other in [
        typed(9, 200..201, 1, Some("ghent"), 8),
        typed(9, 210..212, 2, Some("liege"), 8),
        wanted.clone(),
        typed(9, 240..241, 2, None, 8),
    ] {
        transport.publish(&topic("read-by"), other).await.unwrap();
    }
    let entities = vec!["ghent".to_owned()];
    let filter = Filter { types: vec![2], entities, ..Filter::default() };
    let spec = ReadSpec::topics([topic("read-by")], Position::Start, false);
    let read = read_all(&**transport, ReadSpec { filter, ..spec }).await;
    assert_eq!(read.iter().map(|stored| stored.offset).collect::<Vec<_>>(), [2]);
    assert_eq!(read[0].batch, wanted);
}

pub(crate) async fn readers_filter_by_place(transport: &Arc<dyn Transport>) {
    let npc = About::from("npc-7");
    let wanted = typed(9, 430..431, 2, npc.at("market"), 8);
    for other in [
        typed(9, 400..401, 2, npc, 8),
        typed(9, 410..412, 2, npc.at("mill"), 8),
        wanted.clone(),
        typed(9, 440..441, 2, "market", 8),
    ] {
        transport.publish(&topic("read-by-place"), other).await.unwrap();
    }
    let (entities, places) = (vec!["npc-7".to_owned()], vec!["market".to_owned()]);
    let filter = Filter { types: vec![2], entities, places };
    let spec = ReadSpec::topics([topic("read-by-place")], Position::Start, false);
    let read = read_all(&**transport, ReadSpec { filter, ..spec }).await;
    assert_eq!(read.iter().map(|stored| stored.offset).collect::<Vec<_>>(), [2]);
    assert_eq!(read[0].batch, wanted);
}
