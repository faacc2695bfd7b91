//! What comes, whoever sent it and however it was delivered.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sns::primitives::Blob;
use aws_sdk_sns::types::MessageAttributeValue;
use tokio::time::{sleep, timeout};

use crate::clients::{connect, sns, sqs};
use worldbus_bus::{DeadContent, Outcome, Position, SubscriptionName, Transport};
use worldbus_conformance::{batch, next, soon, spec, topic, typed};
use worldbus_events::{Catalogue, ContentType, codec};
use worldbus_testkit::{Emulator, EmulatorKind};

#[tokio::test(flavor = "multi_thread")]
async fn every_encoding_arrives_as_it_was() {
    let emulator = Emulator::start(EmulatorKind::Ministack);
    for encoding in ["protobuf", "zstd", "json"] {
        let more = format!("&create=true&encoding={encoding}");
        let transport = connect(&emulator, encoding, &more).await;
        let mut consumer =
            transport.subscribe(spec("s", &["weather"], Position::Now)).await.unwrap();
        let published = typed(1, 0..200, 4711, Some("brussels"), 16);
        transport.publish(&topic("weather"), published.clone()).await.unwrap();
        let delivered = next(&mut consumer).await;
        assert_eq!(delivered.lease.topic, topic("weather"));
        let events = |batch: &worldbus_events::Batch| {
            batch.iter().map(|event| event.to_game_event()).collect::<Vec<_>>()
        };
        assert_eq!(events(&delivered.batch), events(&published), "{encoding}");
        consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
        consumer.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn game_event_of_another_program_arrives_and_so_does_a_wrapped_one() {
    // The other emulator leaves Binary attributes out of what it wraps.
    let emulator = Emulator::start(EmulatorKind::Moto);
    let transport = connect(&emulator, "others", "&create=true").await;
    let mut consumer = transport.subscribe(spec("s", &["weather"], Position::Now)).await.unwrap();
    let event = typed(1, 0..1, 1, Some("brussels"), 8);
    let bytes = codec::encode(ContentType::GameEvent, &event, &Catalogue::builtin()).unwrap();
    let text = |kind: &str, value: &str| {
        MessageAttributeValue::builder().data_type(kind).string_value(value).build().unwrap()
    };
    let binary = MessageAttributeValue::builder().data_type("Binary");
    let arn = "arn:aws:sns:us-east-1:123456789012:others-weather-events";
    let publish = sns(&emulator).publish().topic_arn(arn).message("an event");
    let publish = publish
        .message_attributes("event", binary.binary_value(Blob::new(bytes)).build().unwrap())
        .message_attributes("event_types", text("String.Array", "[\"weather.changed\"]"));
    publish.clone().send().await.unwrap();
    let delivered = next(&mut consumer).await;
    assert_eq!(delivered.lease.topic, topic("weather"));
    let found = delivered.batch.iter().next().unwrap().to_game_event();
    assert_eq!(found, event.iter().next().unwrap().to_game_event());
    consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();

    let subscriptions = sns(&emulator).list_subscriptions().send().await.unwrap();
    let subscription = subscriptions.subscriptions()[0].subscription_arn().unwrap().to_owned();
    let set = sns(&emulator).set_subscription_attributes().subscription_arn(subscription);
    set.attribute_name("RawMessageDelivery").attribute_value("false").send().await.unwrap();
    publish.send().await.unwrap();
    let delivered = next(&mut consumer).await;
    assert_eq!(delivered.batch.iter().next().unwrap().to_game_event(), found);
    consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
    consumer.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_goes_to_the_dead_letters_at_once_with_its_bytes() {
    let emulator = Emulator::start(EmulatorKind::Ministack);
    let transport = Arc::new(connect(&emulator, "hostile", "&create=true").await);
    let mut consumer = transport.subscribe(spec("s", &["weather"], Position::Now)).await.unwrap();
    let url = sqs(&emulator).get_queue_url().queue_name("hostile-s-events").send().await.unwrap();
    let send = sqs(&emulator).send_message().queue_url(url.queue_url().unwrap());
    send.message_body("not an event").send().await.unwrap();
    let name = SubscriptionName::new("s").unwrap();
    let letter = soon("the dead letter", async {
        loop {
            let letters = transport.dead_letters(Some(&name), 10).await.unwrap();
            if let Some(letter) = letters.into_iter().next() {
                return letter;
            }
        }
    })
    .await;
    let DeadContent::Undecoded { content_type, bytes } = &letter.content else {
        panic!("{letter:?}")
    };
    assert_eq!((content_type.as_str(), &bytes[..]), ("application/json", &b"not an event"[..]));
    assert!(letter.event.reason.contains("not an event in JSON"), "{letter:?}");
    assert_eq!((letter.event.attempts, letter.consumer.as_str()), (1, "contract"));
    // What comes behind it is not held up.
    transport.publish(&topic("weather"), batch(1, 0..1)).await.unwrap();
    let delivered = next(&mut consumer).await;
    consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
    consumer.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_of_all_subscriptions_are_counted_also_while_a_client_looks_at_them() {
    for kind in [EmulatorKind::Ministack, EmulatorKind::Moto] {
        let emulator = Emulator::start(kind);
        let counting = async || {
            let fresh = connect(&emulator, "count", "").await;
            fresh.dead_letter_count().await.unwrap().unwrap()
        };
        assert_eq!(counting().await, 0);
        let transport = connect(&emulator, "count", "&create=true").await;
        for name in ["a", "b"] {
            let consumer = transport.subscribe(spec(name, &["t"], Position::Now)).await.unwrap();
            let queue = format!("count-{name}-events-dead-letters");
            let url = sqs(&emulator).get_queue_url().queue_name(queue).send().await.unwrap();
            for _ in 0..4 {
                let send = sqs(&emulator).send_message().queue_url(url.queue_url().unwrap());
                send.message_body("set aside").send().await.unwrap();
            }
            if name == "b" {
                let look = sqs(&emulator).receive_message().queue_url(url.queue_url().unwrap());
                let look = look.max_number_of_messages(2).visibility_timeout(60);
                assert!(!look.send().await.unwrap().messages().is_empty());
            }
            consumer.close().await.unwrap();
        }
        assert_eq!(counting().await, 8);
        transport.close().await.unwrap();
    }
}

/// What SQS gives to a poll that was cut off is lost until its lease has ended.
#[tokio::test(flavor = "multi_thread")]
async fn poll_under_way_at_the_end_is_awaited_and_what_it_brings_is_handed_back() {
    let emulator = Emulator::start(EmulatorKind::Ministack);
    let ending = connect(&emulator, "end", "&create=true").await;
    let next_one = connect(&emulator, "end", "&create=true").await;
    let mut consumer = ending.subscribe(spec("s", &["weather"], Position::Now)).await.unwrap();
    next_one.publish(&topic("weather"), batch(1, 0..1)).await.unwrap();
    let delivered = next(&mut consumer).await;
    consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
    // The next poll begins at once, and nothing shows it; it lasts for 20 s.
    sleep(Duration::from_millis(500)).await;
    consumer.close().await.unwrap();
    let closing = ending.close();
    let mut closing = std::pin::pin!(closing);
    let closed = timeout(Duration::from_millis(1_500), &mut closing).await;
    assert!(closed.is_err(), "the poll is not awaited");
    next_one.publish(&topic("weather"), batch(1, 1..2)).await.unwrap();
    soon("the end", closing).await.unwrap();
    let mut consumer = next_one.subscribe(spec("s", &["weather"], Position::Now)).await.unwrap();
    let lease = spec("s", &["weather"], Position::Now).lease;
    let delivered = timeout(lease / 3, next(&mut consumer)).await.expect("withheld");
    assert_eq!(delivered.batch.iter().next().unwrap().id.sequence, 1);
    consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
    consumer.close().await.unwrap();
    next_one.close().await.unwrap();
}
