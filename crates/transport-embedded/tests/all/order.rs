//! The order over all topics in which a subscription and a reader get what is new, whether what
//! they have not got is in memory or on the disk. The order within a topic is in `conformance`.

use std::collections::VecDeque;

use proptest::prelude::*;

use worldbus_bus::{Delivered, Filter, Outcome, Position, ReadSpec, SubscriptionSpec, Transport};
use worldbus_conformance::{next, soon, spec, topic, typed};
use worldbus_transport_embedded::{Embedded, Options};

const TOPICS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
/// A type that the subscription wants, and one that it does not.
const WANTED: u32 = 7;
const UNWANTED: u32 = 8;
/// Deliveries of one topic that may be under way, of all consumers of a subscription.
const PENDING_MAX: u64 = 4096;

#[derive(Debug, Clone, Copy)]
enum Step {
    Publish {
        topic: usize,
        event_type: u32,
    },
    Receive,
    /// The oldest delivery under way.
    Settle(Outcome),
    /// Opened once more, bound to one topic more.
    Open,
}

fn step() -> impl Strategy<Value = Step> {
    let event_type = prop_oneof![3 => Just(WANTED), 1 => Just(UNWANTED)];
    let publish = (0..TOPICS.len(), event_type);
    prop_oneof![
        8 => publish.prop_map(|(topic, event_type)| Step::Publish { topic, event_type }),
        6 => Just(Step::Receive),
        4 => Just(Step::Settle(Outcome::Ack)),
        1 => Just(Step::Settle(Outcome::Release)),
        1 => Just(Step::Open),
    ]
}

fn bound_to(count: usize) -> SubscriptionSpec {
    let filter = Filter { types: vec![WANTED], ..Filter::default() };
    SubscriptionSpec { filter, in_flight_max: 9, ..spec("s", &TOPICS[..count], Position::Start) }
}

async fn run(steps: Vec<Step>, tail_bytes_max: usize) {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { sync: false, tail_bytes_max, ..Options::default() };
    let bus = Embedded::open(dir.path(), options).unwrap();
    let mut bound = 1;
    let mut consumer = bus.subscribe(bound_to(bound)).await.unwrap();
    let mut reader = bus.read(ReadSpec::all(Position::Start, true)).await.unwrap();
    let (mut published, mut read) = (Vec::new(), 0);
    // What is wanted of all topics and was never delivered, in the order of its publication.
    let mut fresh: Vec<(usize, u64)> = Vec::new();
    let (mut under_way, mut released) = (VecDeque::<Delivered>::new(), Vec::new());
    for (sequence, step) in (0..).zip(steps) {
        match step {
            Step::Publish { topic: index, event_type } => {
                let batch = typed(1, sequence..sequence + 1, event_type, None, 8);
                let appended = bus.publish(&topic(TOPICS[index]), batch).await.unwrap();
                published.push(sequence);
                if event_type == WANTED {
                    fresh.push((index, appended.offset.unwrap()));
                }
            }
            Step::Receive => {
                if read < published.len() {
                    let stored = soon("a batch", reader.next()).await.unwrap().unwrap();
                    assert_eq!(stored.batch.first_id().sequence, published[read]);
                    read += 1;
                }
                let expected = fresh.iter().position(|&(topic, _)| topic < bound);
                if under_way.len() == 9 || (released.is_empty() && expected.is_none()) {
                    continue;
                }
                let delivered = next(&mut consumer).await;
                let name = delivered.lease.topic.as_str();
                let index = TOPICS.iter().position(|topic| *topic == name).unwrap();
                let place = (index, delivered.lease.offset);
                // What was handed back comes first, in whatever order.
                match released.iter().position(|released| *released == place) {
                    Some(again) => drop(released.swap_remove(again)),
                    None => {
                        assert!(released.is_empty());
                        assert_eq!(place, fresh.remove(expected.unwrap()));
                    }
                }
                under_way.push_back(delivered);
            }
            Step::Settle(outcome) => {
                let Some(delivered) = under_way.pop_front() else { continue };
                consumer.settler().settle(&delivered.lease, outcome).await.unwrap();
                if outcome == Outcome::Release {
                    let name = delivered.lease.topic.as_str();
                    let index = TOPICS.iter().position(|topic| *topic == name).unwrap();
                    released.push((index, delivered.lease.offset));
                }
            }
            Step::Open => {
                // What the consumer holds is handed back, so that another one has its room.
                for delivered in under_way.drain(..) {
                    consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
                }
                bound = (bound + 1).min(TOPICS.len());
                consumer = bus.subscribe(bound_to(bound)).await.unwrap();
            }
        }
    }
    for sequence in &published[read..] {
        let stored = soon("a batch", reader.next()).await.unwrap().unwrap();
        assert_eq!(stored.batch.first_id().sequence, *sequence);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn what_is_new_comes_in_the_order_of_all_topics(
        steps in proptest::collection::vec(step(), 1..200),
        // Nothing, a few batches, all.
        tail_bytes_max in prop_oneof![Just(0), Just(3 << 10), Just(16 << 20)],
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps, tail_bytes_max));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn topic_with_too_many_deliveries_under_way_holds_up_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { sync: false, ..Options::default() };
    let bus = Embedded::open(dir.path(), options).unwrap();
    let open = || bus.subscribe(SubscriptionSpec { in_flight_max: 4096, ..bound_to(2) });
    let (mut first, mut second) = (open().await.unwrap(), open().await.unwrap());
    for sequence in 0..PENDING_MAX + 2 {
        let batch = typed(1, sequence..sequence + 1, WANTED, None, 8);
        bus.publish(&topic("a"), batch).await.unwrap();
    }
    bus.publish(&topic("b"), typed(2, 0..1, WANTED, None, 8)).await.unwrap();
    let mut held = Vec::new();
    for _ in 0..PENDING_MAX {
        held.push(next(&mut first).await.lease);
    }
    assert_eq!(held.last().map(|lease| lease.offset), Some(PENDING_MAX - 1));

    assert_eq!(next(&mut second).await.lease.topic, topic("b"));

    first.settler().settle(&held[0], Outcome::Ack).await.unwrap();
    let freed = next(&mut second).await.lease;
    assert_eq!((freed.topic, freed.offset), (topic("a"), PENDING_MAX));
}
