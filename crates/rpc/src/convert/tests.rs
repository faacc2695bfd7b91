//! Tests of the conversions: what goes out comes back, and what is wrong is refused.

use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::v1;
use worldbus_bus::{
    Appended, Capabilities, Capability, DeadEvent, Fate, Filter, Gap, GapReason, Lease, LogEnd,
    LogId, Notice, Outcome, Position, ReadSpec, Resume, SubscriptionName, SubscriptionSpec,
    SubscriptionStatus, Topic, TopicStatus,
};

fn name() -> impl Strategy<Value = String> {
    "[a-z0-9_-]{1,64}"
}

fn topic() -> impl Strategy<Value = Topic> {
    name().prop_map(|name| Topic::new(&name).expect("a valid name"))
}

fn subscription() -> impl Strategy<Value = SubscriptionName> {
    name().prop_map(|name| SubscriptionName::new(&name).expect("a valid name"))
}

fn position() -> impl Strategy<Value = Position> {
    prop_oneof![
        Just(Position::Now),
        Just(Position::Start),
        any::<u64>().prop_map(Position::Offset),
        any::<i64>().prop_map(Position::TimeMs),
        any::<u64>().prop_map(Position::Commit),
    ]
}

fn log_id() -> impl Strategy<Value = LogId> {
    any::<u64>().prop_map(LogId::from_random)
}

fn filter() -> impl Strategy<Value = Filter> {
    (vec(any::<u32>(), 0..5), vec(".{0,8}", 0..5), vec(".{0,8}", 0..5))
        .prop_map(|(types, entities, places)| Filter { types, entities, places })
}

fn error() -> impl Strategy<Value = Error> {
    let kinds = vec![
        Kind::Invalid,
        Kind::TooLarge,
        Kind::Unsupported,
        Kind::NotFound,
        Kind::Unauthorized,
        Kind::LeaseLost,
        Kind::Full,
        Kind::InUse,
        Kind::Unavailable,
        Kind::Timeout,
        Kind::Damaged,
        Kind::Closed,
    ];
    let fates = vec![Fate::Refused, Fate::Retry, Fate::Unknown];
    (proptest::sample::select(kinds), proptest::sample::select(fates), ".{0,40}")
        .prop_map(|(kind, fate, context)| Error::refused(kind, context).with_fate(fate))
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Ack),
        any::<u64>().prop_map(|ms| Outcome::Nack(Duration::from_millis(ms))),
        Just(Outcome::Release),
        Just(Outcome::Extend),
    ]
}

prop_compose! {
    fn subscription_spec()(
        name in subscription(), topics in vec(topic(), 1..4), filter in filter(),
        start in position(), lease_ms in any::<u64>(), attempts_max in any::<u32>(),
        in_flight_max in any::<u32>(), consumer in ".{0,20}",
    ) -> SubscriptionSpec {
        let lease = Duration::from_millis(lease_ms);
        SubscriptionSpec {
            name, topics, filter, start, lease, attempts_max, in_flight_max, consumer,
        }
    }
}

prop_compose! {
    fn read_spec()(
        topics in vec((topic(), position()), 0..4), default_from in position(),
        all_topics in any::<bool>(), filter in filter(), follow in any::<bool>(),
        log in proptest::option::of(log_id()), time_ms in any::<i64>(),
    ) -> ReadSpec {
        let resume = log.map(|log| Resume { log, time_ms });
        ReadSpec { topics, default_from, all_topics, filter, follow, resume }
    }
}

prop_compose! {
    fn lease()(
        subscription in subscription(), topic in topic(), offset in any::<u64>(),
        attempt in any::<u32>(),
    ) -> Lease {
        Lease { subscription, topic, offset, attempt }
    }
}

proptest! {
    #[test]
    fn error_comes_back(error in error()) {
        let back = Error::from(v1::Error::from(&error));
        prop_assert_eq!(back.kind(), error.kind());
        prop_assert_eq!(back.fate(), error.fate());
        prop_assert_eq!(back.context(), error.context());
    }

    #[test]
    fn subscription_spec_comes_back(spec in subscription_spec()) {
        let back = SubscriptionSpec::try_from(v1::Subscription::from(&spec)).expect("valid");
        prop_assert_eq!(format!("{back:?}"), format!("{spec:?}"));
    }

    #[test]
    fn read_spec_comes_back(spec in read_spec()) {
        let back = ReadSpec::try_from(v1::ReadRequest::from(&spec)).expect("valid");
        prop_assert_eq!(format!("{back:?}"), format!("{spec:?}"));
    }

    #[test]
    fn lease_and_outcome_come_back(lease in lease(), out in outcomes()) {
        prop_assert_eq!(Lease::try_from(v1::Lease::from(&lease)).expect("valid"), lease);
        prop_assert_eq!(outcome(Some(out.into())).expect("valid"), out);
    }

    #[test]
    fn publish_result_comes_back(
        offset in any::<Option<u64>>(), duplicates in prop::collection::vec(any::<u32>(), 0..9),
        error in error(),
    ) {
        let appended = Appended { offset, duplicates };
        let back = v1::PublishResult::from(&Ok(appended.clone())).into_result().expect("has one");
        prop_assert_eq!(back.expect("appended"), appended);
        let back = v1::PublishResult::from(&Err(error.clone())).into_result().expect("has one");
        let back = back.expect_err("failed");
        prop_assert_eq!(back.context(), error.context());
    }

    #[test]
    fn topic_status_comes_back(
        topic in topic(), first_offset in any::<u64>(), next_offset in any::<u64>(),
        events_total in any::<u64>(), bytes in any::<u64>(), idle_ms in any::<Option<u64>>(),
    ) {
        let idle = idle_ms.map(Duration::from_millis);
        let status = TopicStatus { topic, first_offset, next_offset, events_total, bytes, idle };
        let back = TopicStatus::try_from(v1::TopicStatus::from(&status)).expect("valid");
        prop_assert_eq!(back, status);
    }

    #[test]
    fn end_of_a_log_and_notices_come_back(
        log in log_id(), next_commit in any::<u64>(), time_ms in any::<i64>(),
        topic in proptest::option::of(topic()), batches in any::<Option<u64>>(),
        from_ms in any::<Option<i64>>(), until_ms in any::<Option<i64>>(), began in any::<bool>(),
    ) {
        for log in [Some(log), None] {
            let end = Some(LogEnd { log, next_commit, time_ms });
            prop_assert_eq!(v1::ListTopicsResponse::default().with_end(end).end(), end);
        }
        let reason = if began { GapReason::LogBegan } else { GapReason::Retention };
        let gap = Gap { reason, topic, batches, from_ms, until_ms };
        for notice in [Notice::Gap(gap), Notice::Resumed { from_ms: time_ms }] {
            let back = Notice::try_from(v1::Notice::from(notice.clone())).expect("valid");
            prop_assert_eq!(back, notice);
        }
    }

    #[test]
    fn subscription_status_comes_back(
        name in subscription(), topics in vec(topic(), 0..4), batches in any::<u64>(),
        consumers in any::<u64>(), idle_ms in any::<Option<u64>>(),
    ) {
        let idle = idle_ms.map(Duration::from_millis);
        let status = SubscriptionStatus { name, topics, batches, consumers, idle };
        let back = v1::SubscriptionStatus::from(&status);
        prop_assert_eq!(SubscriptionStatus::try_from(back).expect("valid"), status);
    }

    #[test]
    fn dead_event_comes_back(
        index in any::<u32>(), reason in ".{0,40}", attempts in any::<u32>(),
        first_failed_ms in any::<i64>(), last_failed_ms in any::<i64>(),
    ) {
        let event = DeadEvent { index, reason, attempts, first_failed_ms, last_failed_ms };
        prop_assert_eq!(DeadEvent::from(v1::DeadEvent::from(&event)), event);
    }

    #[test]
    fn noise_is_no_batch_and_no_panic(noise in vec(any::<u8>(), 0..200)) {
        if let Err(error) = batch(Bytes::from(noise)) {
            prop_assert_eq!(error.fate(), Fate::Refused);
        }
    }
}

#[test]
fn capabilities_come_back() {
    let here = Capabilities {
        transport: "embedded",
        has: Capability::ALL.to_vec(),
        payload_bytes_max: 1 << 20,
        batch_bytes_max: 4 << 20,
        linger: Duration::from_millis(50),
    };
    let message = v1::DescribeResponse::from(&here);
    assert_eq!(message.transport, "embedded");
    let there = capabilities("remote", &message).expect("valid");
    assert_eq!(there, Capabilities { transport: "remote", ..here });
}

#[test]
fn capability_of_a_newer_server_is_left_out() {
    let message = v1::DescribeResponse {
        capabilities: vec![99, v1::Capability::Replay.into()],
        payload_bytes_max: 1,
        batch_bytes_max: 1,
        ..Default::default()
    };
    let there = capabilities("remote", &message).expect("valid");
    assert_eq!(there.has, [Capability::Replay]);
}

#[test]
fn what_is_missing_or_wrong_is_refused_by_name() {
    let refusals = [
        capabilities("remote", &v1::DescribeResponse::default()).map(drop),
        outcome(None).map(drop),
        outcome(Some(v1::Outcome { outcome: None })).map(drop),
        Lease::try_from(v1::Lease::default()).map(drop),
        ReadSpec::try_from(v1::ReadRequest::default()).map(drop),
        SubscriptionSpec::try_from(v1::Subscription {
            name: "a".to_owned(),
            topics: vec!["Not A Topic".to_owned()],
            ..Default::default()
        })
        .map(drop),
        SubscriptionSpec::try_from(v1::Subscription {
            topics: vec![String::new(); worldbus_bus::limits::TOPIC_COUNT_MAX + 1],
            ..Default::default()
        })
        .map(drop),
    ];
    for refusal in refusals {
        let error = refusal.expect_err("refused");
        assert_eq!((error.kind(), error.fate()), (Kind::Invalid, Fate::Refused), "{error}");
    }
}

#[test]
fn error_of_a_newer_peer_is_taken_carefully() {
    let error = Error::from(v1::Error { kind: 99, fate: 99, context: "new".to_owned() });
    assert_eq!((error.kind(), error.fate()), (Kind::Unavailable, Fate::Unknown));
}
