//! Every bound admits its extremes and refuses what is beyond them.

use super::*;
use crate::names::{SubscriptionName, Topic};

fn spec() -> SubscriptionSpec {
    let topic = Topic::new("t").expect("a name");
    SubscriptionSpec::new(SubscriptionName::new("s").expect("a name"), vec![topic])
}

fn dead(index: u32) -> DeadEvent {
    let reason = "r".to_owned();
    DeadEvent { index, reason, attempts: 1, first_failed_ms: 0, last_failed_ms: 0 }
}

#[test]
fn subscription_is_refused_beyond_each_bound_and_not_before() {
    let filter = |types, entities: Vec<String>| {
        let places = entities.clone();
        Filter { types: vec![1; types], entities, places }
    };
    let ok = [
        SubscriptionSpec { lease: LEASE_MAX, in_flight_max: IN_FLIGHT_COUNT_MAX, ..spec() },
        SubscriptionSpec { lease: LEASE_MIN, attempts_max: 1, in_flight_max: 1, ..spec() },
        SubscriptionSpec { consumer: "c".repeat(CONSUMER_BYTES_MAX), ..spec() },
        SubscriptionSpec { topics: vec![spec().topics[0].clone(); TOPIC_COUNT_MAX], ..spec() },
        SubscriptionSpec { filter: filter(FILTER_COUNT_MAX, vec![]), ..spec() },
        SubscriptionSpec { filter: filter(0, vec!["e".repeat(FILTER_BYTES_MAX / 2)]), ..spec() },
    ];
    ok.iter().for_each(|spec| spec.check().expect("within bounds"));
    let many = vec![String::new(); FILTER_COUNT_MAX + 1];
    let beyond = [
        SubscriptionSpec { lease: LEASE_MAX + Duration::from_millis(1), ..spec() },
        SubscriptionSpec { lease: LEASE_MIN - Duration::from_millis(1), ..spec() },
        SubscriptionSpec { attempts_max: ATTEMPT_COUNT_MIN - 1, ..spec() },
        SubscriptionSpec { in_flight_max: IN_FLIGHT_COUNT_MIN - 1, ..spec() },
        SubscriptionSpec { in_flight_max: IN_FLIGHT_COUNT_MAX + 1, ..spec() },
        SubscriptionSpec { consumer: "c".repeat(CONSUMER_BYTES_MAX + 1), ..spec() },
        SubscriptionSpec { topics: vec![spec().topics[0].clone(); TOPIC_COUNT_MAX + 1], ..spec() },
        SubscriptionSpec { topics: vec![], ..spec() },
        SubscriptionSpec { filter: filter(FILTER_COUNT_MAX + 1, vec![]), ..spec() },
        SubscriptionSpec {
            filter: Filter { entities: many.clone(), ..Filter::default() },
            ..spec()
        },
        SubscriptionSpec {
            filter: filter(0, vec!["e".repeat(FILTER_BYTES_MAX / 2 + 1)]),
            ..spec()
        },
        SubscriptionSpec { filter: Filter { places: many.clone(), ..Filter::default() }, ..spec() },
    ];
    for spec in &beyond {
        let error = spec.check().expect_err("beyond a bound");
        assert!(matches!(error.kind(), Kind::Invalid | Kind::TooLarge), "{error}");
    }
}

#[test]
fn nack_is_put_off_by_twelve_hours_at_the_most() {
    Outcome::Nack(NACK_DELAY_MAX).check().expect("the most");
    let beyond = Outcome::Nack(Duration::from_millis(u64::MAX)).check().expect_err("beyond");
    assert_eq!(beyond.kind(), Kind::Invalid);
    assert!(beyond.context().contains("43200000"), "{beyond}");
}

#[test]
fn dead_events_are_each_of_the_batch_and_once() {
    let ordered = check_dead_events(vec![dead(2), dead(0)], 3).expect("two of three");
    assert_eq!(ordered, [dead(0), dead(2)]);
    for (wrong, kind) in [
        (vec![dead(1), dead(1)], Kind::Invalid),
        (vec![dead(3)], Kind::Invalid),
        (vec![dead(0); 4], Kind::TooLarge),
    ] {
        assert_eq!(check_dead_events(wrong, 3).expect_err("wrong").kind(), kind);
    }
    let long = DeadEvent { reason: "é".repeat(REASON_BYTES_MAX), ..dead(0) };
    let cut = check_dead_events(vec![long], 1).expect("cut, not refused");
    assert_eq!(cut[0].reason.len(), REASON_BYTES_MAX);
}

#[test]
fn ids_of_dead_letters_are_bounded_in_number_and_length() {
    check_dead_letter_ids(&vec!["1".repeat(DEAD_LETTER_ID_BYTES_MAX); DEAD_LETTER_ID_COUNT_MAX])
        .expect("the most");
    let many = vec![String::new(); DEAD_LETTER_ID_COUNT_MAX + 1];
    for beyond in [many, vec!["1".repeat(DEAD_LETTER_ID_BYTES_MAX + 1)]] {
        assert_eq!(check_dead_letter_ids(&beyond).expect_err("beyond").kind(), Kind::TooLarge);
    }
}
