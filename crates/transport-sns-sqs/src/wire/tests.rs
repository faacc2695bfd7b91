//! Tests of `wire`.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;

use super::read::{Decoded, Received, read};
use super::write::write;
use super::*;
use crate::names::Names;
use crate::options::Encoding;
use worldbus_bus::{Kind, Topic, trace};
use worldbus_conformance::{batch, topic, typed};
use worldbus_events::{
    Batch, BatchBuilder, Catalogue, ContentType, EventId, NewEvent, ProducerId, codec,
};

fn names() -> Names {
    Names::new("gaming-system").unwrap()
}

fn written(batch: &Batch, encoding: Encoding) -> Message {
    write(&topic("weather"), batch, encoding, &Catalogue::builtin()).unwrap()
}

fn received(message: Message) -> Received {
    Received { body: message.body, attributes: message.attributes, trace_header: None }
}

fn all_back(received: &Received) -> Result<Vec<Decoded>, Undecodable> {
    read(received, &[], &names(), &Catalogue::builtin())
}

fn back(received: &Received) -> Result<Decoded, Undecodable> {
    all_back(received).map(|decoded| <[Decoded; 1]>::try_from(decoded).unwrap()).map(|[only]| only)
}

/// An event whose every text holds what AWS does not take.
fn awkward() -> Batch {
    let mut builder = BatchBuilder::new("source\u{1}", "world\u{ffff}");
    let id = EventId { producer: ProducerId::from_bits(7), sequence: 1 };
    let (entity, place) = (Some("\u{fffe}\u{0}\"\n"), Some("\u{0}\u{ffff}"));
    let (event_type, timestamp_ms, payload, metadata) = (4, 5, &[][..], None);
    let new = NewEvent { event_type, id, timestamp_ms, entity, place, payload, metadata };
    builder.push(new).unwrap();
    builder.finish().unwrap()
}

#[test]
fn every_encoding_comes_back_as_it_was() {
    for batch in
        [typed(1, 0..50, 4711, None, 8), awkward(), typed(2, 0..3, 4711, Some("brussels"), 99)]
    {
        for encoding in [Encoding::Protobuf, Encoding::Zstd, Encoding::Json] {
            let message = written(&batch, encoding);
            assert!(message.attributes.len() <= 6, "{message:?}");
            assert!(message.body.chars().all(is_allowed), "{message:?}");
            assert!(!message.body.is_empty() && !message.body.contains('\n'));
            let decoded = back(&received(message)).unwrap();
            assert_eq!(decoded.topic, topic("weather"));
            assert!(decoded.batch.iter().eq_by_game_event(&batch), "{encoding:?}");
        }
    }
}

trait EqByGameEvent {
    fn eq_by_game_event(self, other: &Batch) -> bool;
}

impl<'a, I: Iterator<Item = worldbus_events::EventView<'a>>> EqByGameEvent for I {
    fn eq_by_game_event(self, other: &Batch) -> bool {
        self.map(|event| event.to_game_event()).eq(other.iter().map(|event| event.to_game_event()))
    }
}

#[test]
fn filter_policies_find_the_types_by_name() {
    let message = written(&typed(1, 0..3, 1, None, 8), Encoding::Protobuf);
    let types = Value::Texts("[\"weather.changed\"]".to_owned());
    assert_eq!(message.attributes[attribute::EVENT_TYPES], types);
    let unknown = written(&typed(1, 0..3, 4711, None, 8), Encoding::Protobuf);
    let types = Value::Texts("[\"4711\"]".to_owned());
    assert_eq!(unknown.attributes[attribute::EVENT_TYPES], types);
}

#[test]
fn body_shows_people_what_it_is() {
    let message = written(&typed(1, 0..3, 1, None, 8), Encoding::Protobuf);
    let line: serde_json::Value = serde_json::from_str(&message.body).unwrap();
    assert_eq!(line["topic"], "weather");
    assert_eq!(line["events"], 3);
    assert_eq!(line["types"]["weather.changed"], 3);
}

#[test]
fn single_game_events_of_others_are_taken() {
    let event = typed(1, 0..1, 1, Some("brussels"), 8);
    let bytes = codec::encode(ContentType::GameEvent, &event, &Catalogue::builtin()).unwrap();
    let attributes = [("event".to_owned(), Value::Binary(bytes))].into();
    let decoded =
        back(&Received { body: "-".to_owned(), attributes, ..Received::default() }).unwrap();
    assert_eq!(decoded.topic, topic("weather"), "as in the catalogue");
    assert_eq!(decoded.batch.iter().next().unwrap().entity, Some("brussels"));
}

#[test]
fn wrapped_notifications_are_unwrapped() {
    let published = typed(3, 0..9, 4711, None, 8);
    let message = written(&published, Encoding::Zstd);
    let Value::Binary(bytes) = &message.attributes[attribute::BATCH] else { panic!("binary") };
    let wrapper = |attributes: serde_json::Value, body: &str| {
        let arn = "arn:aws:sns:us-east-1:000000000000:gaming-system-npc-events";
        let wrapped = serde_json::json!({
            "Type": "Notification", "MessageId": "m", "TopicArn": arn, "Message": body,
            "Timestamp": "2026-01-01T00:00:00.000Z", "MessageAttributes": attributes,
        });
        Received { body: wrapped.to_string(), ..Received::default() }
    };
    let attributes = serde_json::json!({
        "batch": {"Type": "Binary", "Value": BASE64_STANDARD.encode(bytes)},
        "content_type": {"Type": "String", "Value": ContentType::EventBatchZstd.as_str()},
    });
    let decoded = back(&wrapper(attributes, &message.body)).unwrap();
    assert_eq!((decoded.topic, decoded.batch), (topic("npc"), published.clone()));
    let json = written(&published, Encoding::Json).body;
    let decoded = back(&wrapper(serde_json::json!({}), &json)).unwrap();
    assert!(decoded.batch.iter().eq_by_game_event(&published));
    let twice = wrapper(serde_json::json!({}), &wrapper(serde_json::json!({}), &json).body);
    assert!(back(&twice).is_err(), "a wrapper within a wrapper is undecodable");
}

#[test]
fn what_cannot_be_decoded_is_given_back_with_the_reason() {
    let hostile = Bytes::from_static(b"\xff\x00 not a batch");
    let attributes = [(attribute::BATCH.to_owned(), Value::Binary(hostile.clone()))].into();
    let refused =
        back(&Received { body: "-".to_owned(), attributes, ..Received::default() }).unwrap_err();
    assert_eq!(
        (refused.bytes, refused.content_type.as_str()),
        (hostile, ContentType::EventBatch.as_str())
    );
    assert!(!refused.reason.is_empty());
    for body in ["", "hello", "{}", "[]", "{\"Type\":\"Notification\"}", "\u{10ffff}"] {
        let refused = back(&Received { body: body.to_owned(), ..Received::default() }).unwrap_err();
        assert_eq!(&refused.bytes[..], body.as_bytes());
    }
    let declared = Value::Text("text/plain".to_owned());
    let attributes = [(attribute::CONTENT_TYPE.to_owned(), declared)].into();
    let refused = back(&Received { body: "hello".to_owned(), attributes, ..Received::default() })
        .unwrap_err();
    assert!(refused.reason.contains("text/plain"), "{}", refused.reason);
}

#[test]
fn unknown_type_on_no_topic_is_taken_if_the_subscription_has_one() {
    let event = typed(1, 0..1, 4711, None, 8);
    let attributes = [(attribute::BATCH.to_owned(), Value::Binary(event.bytes().clone()))];
    let received =
        Received { body: "-".to_owned(), attributes: attributes.into(), ..Received::default() };
    assert!(back(&received).unwrap_err().reason.contains("topic"));
    let bound: [Topic; 1] = [topic("quests")];
    let decoded = read(&received, &bound, &names(), &Catalogue::builtin()).unwrap();
    assert_eq!(decoded[0].topic, topic("quests"));
}

/// Events of other programs: an array in which each has a producer of its own, some twice.
fn array_of_three() -> Received {
    let object = |event_type: &str, id: &str, payload: &str| {
        format!(r#"{{"type":"{event_type}","event_id":"{id}","timestamp":1,"payload":{payload}}}"#)
    };
    let id = |producer: u64, sequence| {
        EventId { producer: ProducerId::from_bits(producer), sequence }.to_string()
    };
    let events = [
        object("time.updated", &id(1, 1), "{}"),
        object("weather.changed", &id(2, 7), "{}"),
        object("time.updated", &id(1, 2), "{}"),
        object("time.updated", "3f2b8c1e-somebody-else", "{}"),
        object("weather.changed", &id(2, 8), "{}"),
    ];
    Received { body: format!("[{}]", events.join(",")), ..Received::default() }
}

#[test]
fn array_of_several_producers_is_a_batch_for_each_on_the_topic_of_its_types() {
    let decoded = all_back(&array_of_three()).unwrap();
    let parts: Vec<_> =
        decoded.iter().map(|part| (part.topic.as_str(), part.batch.len())).collect();
    assert_eq!(parts, [("time", 2), ("weather", 2), ("time", 1)]);
    for part in &decoded {
        let sequences: Vec<_> = part.batch.iter().map(|event| event.id.sequence).collect();
        assert!(sequences.is_sorted(), "{sequences:?}");
    }
}

#[test]
fn array_of_which_one_event_is_wrong_is_given_back_whole() {
    let mut received = array_of_three();
    received.body = received.body.replace("weather.changed", "weather.unheard");
    let refused = all_back(&received).unwrap_err();
    assert_eq!(&refused.bytes[..], received.body.as_bytes());
    assert!(refused.reason.contains("weather.unheard"), "{}", refused.reason);
}

#[test]
fn message_beyond_a_bound_is_refused_with_what_to_do() {
    let largest = typed(1, 0..2, 6, None, 90 << 10);
    assert!(written(&largest, Encoding::Protobuf).check().is_ok());
    let mut many = written(&batch(1, 0..1), Encoding::Protobuf);
    for number in many.attributes.len()..10 {
        many.set(&format!("more_{number}"), Value::Text("x".to_owned()));
    }
    assert!(many.check().is_ok());
    many.set("eleventh", Value::Text("x".to_owned()));
    let refused = many.check().unwrap_err();
    assert_eq!(refused.kind(), Kind::TooLarge);
    assert!(refused.to_string().contains("11 attributes"), "{refused}");
    let larger = written(&typed(1, 0..1, 6, None, 300 << 10), Encoding::Protobuf);
    let refused = larger.check().unwrap_err();
    assert!(refused.to_string().contains("262144"), "{refused}");
}

/// Texts that lead far into the reader, and any other.
fn text() -> impl Strategy<Value = String> {
    let wrapped = |inner: String| {
        serde_json::json!({"Type": "Notification", "Message": inner, "MessageAttributes": {
            "batch": {"Type": "Binary", "Value": inner}, "content_type": {"Type": 7},
        }})
        .to_string()
    };
    prop_oneof![
        any::<String>(),
        any::<String>().prop_map(wrapped),
        r#"\{"(event_id|event_type|payload)":"?[a-z0-9.]{0,9}"?\}"#,
        r"application/(json|x-protobuf)(; ?(messageType|topic)=[a-zA-Z0-9._-]{0,40}){0,3}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let bytes = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        Just(typed(1, 0..3, 1, Some("ghent"), 8).bytes().to_vec()),
    ];
    prop_oneof![
        text().prop_map(Value::Text),
        text().prop_map(Value::Texts),
        bytes.prop_map(|bytes| Value::Binary(bytes.into())),
    ]
}

proptest! {
    /// Whatever a stranger sends: an event, or the reason why not.
    #[test]
    fn whatever_is_received_is_a_batch_or_has_a_reason(
        body in text(),
        names in proptest::collection::hash_map(
            r"content_type|event_types|batch|event|dead_letter|[a-z]{1,9}", value(), 0..7,
        ),
    ) {
        let attributes = names.into_iter().collect();
        let received = Received { body, attributes, trace_header: None };
        match all_back(&received) {
            Ok(decoded) => {
                prop_assert!(!decoded.is_empty());
                prop_assert!(decoded.iter().all(|part| part.batch.len() > 0));
            }
            Err(hostile) => prop_assert!(!hostile.reason.is_empty()),
        }
    }
}

const TRACEPARENT: &str = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";
const TRACE_HEADER: &str =
    "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

fn contexts(batch: &Batch) -> Vec<Option<String>> {
    let carried = |event| trace::carried(&event).map(|context| context.to_string());
    batch.iter().map(carried).collect()
}

#[test]
fn sampled_event_is_named_next_to_its_batch_and_others_cost_nothing() {
    let plain = typed(1, 0..3, 4711, None, 8);
    assert!(!written(&plain, Encoding::Protobuf).attributes.contains_key(attribute::TRACE));
    let sampled = plain.annotated(trace::TRACEPARENT, TRACEPARENT);
    for encoding in [Encoding::Protobuf, Encoding::Zstd, Encoding::Json] {
        let message = written(&sampled, encoding);
        assert!(message.attributes.len() <= 6, "{message:?}");
        assert_eq!(message.attributes[attribute::TRACE], Value::Text(TRACEPARENT.to_owned()));
        assert_eq!(message.context().map(xray::header).as_deref(), Some(TRACE_HEADER));
        let decoded = back(&received(message)).unwrap();
        assert_eq!(contexts(&decoded.batch), [Some(TRACEPARENT.to_owned()), None, None]);
    }
    let unsampled = plain.annotated(trace::TRACEPARENT, &TRACEPARENT.replace("-01", "-00"));
    assert!(written(&unsampled, Encoding::Protobuf).context().is_none());
}

#[test]
fn trace_of_a_client_that_knows_no_batches_goes_on() {
    let message = written(&typed(1, 0..1, 4711, None, 8), Encoding::Protobuf);
    let mut theirs = received(message);
    theirs.trace_header = Some(TRACE_HEADER.to_owned());
    let expected = [Some(TRACEPARENT.to_owned())];
    assert_eq!(contexts(&back(&theirs).unwrap().batch), expected);

    let other = TRACEPARENT.replace("5759", "6759");
    theirs.attributes.insert(attribute::TRACE.to_owned(), Value::Text(other.clone()));
    assert_eq!(contexts(&back(&theirs).unwrap().batch), [Some(other)], "the attribute is nearer");

    theirs.attributes.insert(attribute::TRACE.to_owned(), Value::Text("noise".to_owned()));
    assert_eq!(contexts(&back(&theirs).unwrap().batch), expected);
    theirs.trace_header = Some(TRACE_HEADER.replace("Sampled=1", "Sampled=0"));
    assert_eq!(contexts(&back(&theirs).unwrap().batch), [None]);

    let mut theirs = array_of_three();
    theirs.trace_header = Some(TRACE_HEADER.to_owned());
    let decoded = all_back(&theirs).unwrap().into_iter();
    let carried: Vec<_> = decoded.flat_map(|part| contexts(&part.batch)).collect();
    assert_eq!(carried, [Some(TRACEPARENT.to_owned()), None, None, None, None], "the first one");
}
