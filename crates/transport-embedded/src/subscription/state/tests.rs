//! The record of a subscription: that of before is read, and places come back.

use super::*;

const NOW_MS: i64 = 1000;

fn subscription(places: &[&str]) -> Subscription {
    let mut subscription = Subscription::new(SubscriptionName::new("npc").unwrap());
    let places = places.iter().map(|&place| place.to_owned()).collect();
    let filter = Filter { types: vec![6, 1], entities: vec!["oslo".to_owned()], places };
    subscription.bind(&[(3, 17)], &filter);
    subscription
}

/// The record as it was before filters had places.
fn of_before(subscription: &Subscription) -> Put {
    let put = Put::default().bytes(b"npc").u32(2).u32(6).u32(1).u32(1).bytes(b"oslo");
    subscription.cursors[&3].encode(put.u32(1).u32(3), NOW_MS)
}

#[test]
fn record_without_places_is_that_of_before() {
    let subscription = subscription(&[]);
    let record = of_before(&subscription).seal(Kind::Subscription, 9);
    assert_eq!(subscription.encode(9, NOW_MS), record);
    let read = Subscription::decode(9, &record, NOW_MS).unwrap();
    assert_eq!((read.filter, read.cursors.len()), (subscription.filter, 1));
}

#[test]
fn places_of_a_filter_come_back_and_a_record_that_ends_within_them_is_damaged() {
    let subscription = subscription(&["market", ""]);
    let read = Subscription::decode(9, &subscription.encode(9, NOW_MS), NOW_MS).unwrap();
    assert_eq!(read.filter, subscription.filter);
    let cut = of_before(&subscription).u32(2).bytes(b"market").seal(Kind::Subscription, 9);
    assert!(Subscription::decode(9, &cut, NOW_MS).is_none());
}
