//! What is wrong with the account, the network or the input is reported clearly.

use crate::clients::{connect, sdk, sns, sqs};
use worldbus_bus::{Capability, Fate, Kind, Position, ReadSpec, Transport};
use worldbus_conformance::{batch, next, spec, topic, typed};
use worldbus_testkit::{Emulator, EmulatorKind, free_port};
use worldbus_transport_sns_sqs::{Setup, SnsSqs};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_named_with_what_to_do() {
    let emulator = Emulator::start(EmulatorKind::Ministack);
    let transport = connect(&emulator, "missing", "").await;
    let refused = transport.subscribe(spec("s", &["time"], Position::Now)).await.err().unwrap();
    assert_eq!(refused.kind(), Kind::NotFound);
    for part in ["missing-s-events", "us-east-1", "worldbus topology apply"] {
        assert!(refused.to_string().contains(part), "{refused}");
    }
    let error = transport.publish(&topic("time"), batch(1, 0..1)).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::NotFound, Fate::Retry));
    assert!(error.to_string().contains("missing-time-events"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_region_is_named() {
    let emulator = Emulator::start(EmulatorKind::Ministack);
    let here = connect(&emulator, "place", "&create=true").await;
    here.publish(&topic("time"), batch(1, 0..1)).await.unwrap();
    let sdk = || Some(sdk(emulator.port()));
    let elsewhere = "sns-sqs://eu-west-1?prefix=place&linger_ms=0";
    let setup = Setup { sdk: sdk(), ..Setup::default() };
    let transport = SnsSqs::connect(elsewhere, setup).await.unwrap();
    let error = transport.publish(&topic("time"), batch(1, 1..2)).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::NotFound, Fate::Retry));
    assert!(error.to_string().contains("not in eu-west-1"), "{error}");

    let arn = |name: &str| {
        let arn = "arn:aws:sns:us-east-1:000000000000:place-time-events";
        (name == "TIME_EVENTS_TOPIC_ARN").then(|| arn.to_owned())
    };
    let setup = Setup { sdk: sdk(), variable: arn, ..Setup::default() };
    let transport = SnsSqs::connect(elsewhere, setup).await.unwrap();
    let error = transport.publish(&topic("time"), batch(1, 2..3)).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Invalid, Fate::Refused));
    for part in ["TIME_EVENTS_TOPIC_ARN", "us-east-1", "eu-west-1"] {
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn queue_that_would_get_nothing_is_refused() {
    let emulator = Emulator::start(EmulatorKind::Ministack);
    let creating = connect(&emulator, "silent", "&create=true").await;
    creating.subscribe(spec("s", &["time"], Position::Now)).await.unwrap();
    let transport = connect(&emulator, "silent", "").await;
    transport.subscribe(spec("s", &["time"], Position::Now)).await.unwrap();
    let url = sqs(&emulator).get_queue_url().queue_name("silent-s-events").send().await.unwrap();
    let set = sqs(&emulator).set_queue_attributes().queue_url(url.queue_url().unwrap());
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    set.attributes(aws_sdk_sqs::types::QueueAttributeName::Policy, policy).send().await.unwrap();
    let refused = transport.subscribe(spec("s", &["time"], Position::Now)).await.err().unwrap();
    assert!(refused.to_string().contains("does not admit"), "{refused}");

    let narrow = worldbus_bus::SubscriptionSpec {
        filter: worldbus_bus::Filter { types: vec![6], ..Default::default() },
        ..spec("s", &["time"], Position::Now)
    };
    creating.subscribe(narrow).await.unwrap();
    let refused = transport.subscribe(spec("s", &["time"], Position::Now)).await.err().unwrap();
    assert!(refused.to_string().contains("keeps back"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn topic_that_is_deleted_and_made_again_is_found() {
    let emulator = Emulator::start(EmulatorKind::Ministack);
    let transport = connect(&emulator, "gone", "&create=true").await;
    transport.publish(&topic("time"), batch(1, 0..1)).await.unwrap();
    let arn = "arn:aws:sns:us-east-1:000000000000:gone-time-events";
    sns(&emulator).delete_topic().topic_arn(arn).send().await.unwrap();
    let strict = connect(&emulator, "gone", "").await;
    let error = strict.publish(&topic("time"), batch(1, 1..2)).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::NotFound, Fate::Retry), "{error}");
    sns(&emulator).create_topic().name("gone-time-events").send().await.unwrap();
    strict.publish(&topic("time"), batch(1, 1..2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn engine_that_is_away_is_unavailable_and_found_again() {
    let mut emulator = Emulator::start(EmulatorKind::Ministack);
    let transport = connect(&emulator, "away", "&create=true").await;
    let mut consumer = transport.subscribe(spec("s", &["time"], Position::Now)).await.unwrap();
    emulator.stop();
    let error = transport.publish(&topic("time"), batch(1, 0..1)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert_eq!(error.fate(), Fate::Retry, "nothing was sent: {error}");
    emulator.restart();
    // It forgets everything when it stops: as if it had to be set up again.
    let again = connect(&emulator, "away", "&create=true").await;
    again.subscribe(spec("s", &["time"], Position::Now)).await.unwrap().close().await.unwrap();
    transport.publish(&topic("time"), batch(1, 0..1)).await.unwrap();
    assert_eq!(next(&mut consumer).await.batch, batch(1, 0..1));
}

#[tokio::test(flavor = "multi_thread")]
async fn event_of_300_kib_is_refused_before_it_is_sent() {
    let emulator = Emulator::start(EmulatorKind::Ministack);
    let transport = connect(&emulator, "large", "&create=true").await;
    let large = typed(1, 0..1, 6, None, 300 << 10);
    let refused = transport.publish(&topic("time"), large).await.unwrap_err();
    assert_eq!((refused.kind(), refused.fate()), (Kind::TooLarge, Fate::Refused));
    assert!(refused.to_string().contains("184320"), "{refused}");
    let fits = typed(1, 1..2, 6, None, 178 << 10);
    transport.publish(&topic("time"), fits).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_cannot_do_is_refused() {
    let emulator = Emulator::start(EmulatorKind::Ministack);
    let transport = connect(&emulator, "cannot", "&create=true").await;
    assert!(!transport.capabilities().can(Capability::Replay));
    let from_start = spec("s", &["time"], Position::Start);
    let refused = transport.subscribe(from_start).await.err().unwrap();
    assert_eq!(refused.kind(), Kind::Unsupported);
    let refused = transport.read(ReadSpec::all(Position::Start, false)).await.err().unwrap();
    assert_eq!(refused.kind(), Kind::Unsupported);
    assert_eq!(transport.topics().await.unwrap_err().kind(), Kind::Unsupported);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_answer_is_reported_with_where_to_look() {
    let sdk = Some(sdk(free_port()));
    let setup = Setup { sdk, ..Setup::default() };
    let transport = SnsSqs::connect("sns-sqs://us-east-1", setup).await.unwrap();
    let error = transport.subscribe(spec("s", &["time"], Position::Now)).await.err().unwrap();
    assert_eq!((error.kind(), error.fate()), (Kind::Unavailable, Fate::Retry));
    assert!(error.to_string().contains("AWS_ENDPOINT_URL"), "{error}");
}
