//! The JSON form is exactly the documented one, both ways; mistakes are named.

mod both_forms;
mod conformance;
mod studio;

use std::collections::BTreeMap;

use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::catalogue::tests::compile;
use crate::v1::{Date, Phase, StateChange, TimeChanged, TimeUpdated, WorldStateUpdated};
use crate::{Batch, BatchBuilder, Catalogue, Event, EventId, Kind, NewEvent, ProducerId};

const NOON_MS: i64 = 1_772_366_400_250;

fn id(sequence: u64) -> EventId {
    EventId { producer: ProducerId::from_bits(0x1234_5678_9abc), sequence }
}

fn batch_of<E: Event>(event: &E, entity: Option<&str>) -> Batch {
    let mut builder = BatchBuilder::new("time-manager", "europe");
    builder.push_event(event, id(42), NOON_MS, entity).unwrap();
    builder.finish().unwrap()
}

fn json_of(batch: &Batch) -> String {
    event(&batch.iter().next().unwrap(), &Catalogue::builtin())
}

fn fault(json: &str) -> (Kind, String) {
    let error = read(json, &Catalogue::builtin()).unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn an_event_has_the_documented_form_with_defaults() {
    let tick = TimeUpdated { total_minutes: 84_961, minute: 1, hour: 0, phase: 4 };
    assert_eq!(
        json_of(&batch_of(&tick, None)),
        "{\"event_id\":\"00048d15-9e26-8af0-8000-00000000002a\",\
         \"event_type\":\"time.updated\",\"source\":\"time-manager\",\"world\":\"europe\",\
         \"timestamp\":\"2026-03-01T12:00:00.250Z\",\"payload\":{\"total_minutes\":\"84961\",\
         \"hour\":0,\"minute\":1,\"phase\":\"PHASE_NIGHT\"}}"
    );
}

#[test]
fn entity_place_and_metadata_stand_there_if_there_are_any() {
    let mut builder = BatchBuilder::new("s", "w");
    let metadata = BTreeMap::from([("trace".to_owned(), "a\"b".to_owned())]);
    let new = NewEvent {
        event_type: 4,
        id: id(1),
        timestamp_ms: 0,
        entity: Some("oslo"),
        place: Some("harbour"),
        payload: &[],
        metadata: Some(&metadata),
    };
    builder.push(new).unwrap();
    let json = json_of(&builder.finish().unwrap());
    let names = ",\"entity\":\"oslo\",\"place\":\"harbour\",";
    assert!(json.contains(&format!("{names}\"timestamp\":\"1970-01-01T00:00:00.000Z\",")));
    assert!(json.ends_with(",\"payload\":{},\"metadata\":{\"trace\":\"a\\\"b\"}}"), "{json}");
}

#[test]
fn what_the_catalogue_cannot_explain_is_shown_by_number_and_base64() {
    for (event_type, payload) in [(4711, &b"\x01\x02"[..]), (6, &b"\xff"[..])] {
        let mut builder = BatchBuilder::new("s", "w");
        let new = NewEvent {
            event_type,
            id: id(1),
            timestamp_ms: i64::MAX,
            entity: None,
            place: None,
            payload,
            metadata: None,
        };
        builder.push(new).unwrap();
        let json = json_of(&builder.finish().unwrap());
        assert!(json.contains(&format!("\"event_type\":\"{event_type}\"")), "{json}");
        assert!(json.contains("\"timestamp\":9223372036854775807,"), "{json}");
        assert!(json.contains("\"payload\":{\"base64\":\""), "{json}");
        let again = read(&json, &Catalogue::builtin());
        match event_type {
            6 => assert_eq!(again.unwrap_err().kind(), Kind::WrongPayload),
            _ => assert_eq!(again.unwrap().payload, payload),
        }
    }
}

#[test]
fn an_empty_payload_is_valid_and_type_may_be_called_type() {
    let input = read(r#"{"type":"time.updated","payload":{}}"#, &Catalogue::builtin()).unwrap();
    assert_eq!((input.event_type, input.payload.len()), (6, 0));
    assert_eq!((input.id, input.timestamp_ms, input.entity), (None, None, None));
}

#[test]
fn input_takes_what_people_write() {
    let json = r#"{"payload": {"totalMinutes": 5, "phase": 2, "hour": null, "minute": "7"},
        "event_type": "time.updated", "timestamp": "2026-03-01T13:00:00.25+01:00",
        "event_id": "from elsewhere", "entity": "", "metadata": {"a": "b"}}"#;
    let input = read(json, &Catalogue::builtin()).unwrap();
    let tick = TimeUpdated { total_minutes: 5, hour: 0, minute: 7, phase: Phase::Day.into() };
    assert_eq!(TimeUpdated::decode(&input.payload[..]).unwrap(), tick);
    assert_eq!(input.timestamp_ms, Some(NOON_MS));
    assert_eq!(input.id, Some(EventId::from_foreign("from elsewhere").unwrap()));
    assert_eq!((input.entity, input.metadata["a"].as_str()), (None, "b"));
}

#[test]
fn byte_order_mark_in_front_is_skipped() {
    let json = "\u{feff}{\"type\":\"time.updated\",\"payload\":{\"hour\":5}}";
    let input = read(json, &Catalogue::builtin()).unwrap();
    assert_eq!(TimeUpdated::decode(&input.payload[..]).unwrap().hour, 5);
}

#[test]
fn event_type_by_number_has_one_spelling() {
    for text in ["+6", "06", " 6"] {
        let json = format!(r#"{{"type":"{text}","payload":{{"base64":""}}}}"#);
        assert_eq!(fault(&json).0, Kind::UnknownEventType, "{text}");
    }
}

#[test]
fn wrong_payloads_name_the_field_and_what_it_takes() {
    for (event_type, payload, expected) in [
        ("time.updated", r#"{"hour":"x"}"#, "payload.hour: \"x\" is not a number"),
        ("time.updated", r#"{"hour":"x"}"#, "expected an integer, 0 to 4294967295"),
        ("time.updated", r#"{"hour":-1}"#, "payload.hour"),
        ("time.updated", r#"{"hour":1.5}"#, "payload.hour"),
        ("time.updated", r#"{"hour":{}}"#, "payload.hour"),
        ("time.updated", r#"{"hours":1}"#, "payload: unrecognized field name 'hours'"),
        ("time.updated", r#"{"hours":1}"#, "its fields: total_minutes, hour, minute, phase"),
        ("time.updated", r#"{"phase":"NIGHT"}"#, "PHASE_DUSK, PHASE_NIGHT"),
        ("time.updated", r#"{"phase":"night"}"#, "not one of them (did you mean PHASE_NIGHT?)"),
        ("weather.changed", r#"{"new_state":"rain"}"#, "did you mean WEATHER_STATE_RAIN?"),
        ("weather.changed", r#"{"new_state":"rian"}"#, "\"rian\" is not one of them; expected one"),
        ("time.updated", "[]", "payload: a list is not an object"),
        ("time.updated", "null", "payload: null is not an object"),
        ("time.changed", r#"{"date":{"month":"May"}}"#, "payload.date.month"),
        ("time.changed", r#"{"date":3}"#, "worldbus.events.v1.Date"),
        ("world_state.updated", r#"{"changes":[{},{"value":"%"}]}"#, "payload.changes[1].value"),
        ("world_state.updated", r#"{"changes":[{},{"value":"%"}]}"#, "base64"),
    ] {
        let (kind, text) = fault(&format!(r#"{{"type":"{event_type}","payload":{payload}}}"#));
        assert_eq!(kind, Kind::WrongPayload);
        assert!(text.contains(event_type) && text.contains(expected), "{text}");
    }
}

#[test]
fn wrong_envelopes_are_refused() {
    for (json, kind, expected) in [
        ("", Kind::Malformed, "JSON"),
        ("{}", Kind::Malformed, "missing field"),
        (r#"{"type":"time.updated"}"#, Kind::Malformed, "missing field `payload`"),
        (r#"{"type":"a","event_type":"a","payload":{}}"#, Kind::Malformed, "duplicate field"),
        (r#"{"type":"time.updated","payload":{},"entiy":"x"}"#, Kind::Malformed, "entiy"),
        (r#"{"type":"time.updated","payload":{}} x"#, Kind::Malformed, "trailing"),
        (r#"{"type":"time.updated","payload":{},"timestamp":"soon"}"#, Kind::Malformed, "RFC 3339"),
        (r#"{"type":"time.update","payload":{}}"#, Kind::UnknownEventType, "time.updated"),
        (r#"{"type":"4711","payload":{}}"#, Kind::WrongPayload, "base64"),
        (r#"{"type":"4711","payload":{"base64":"%"}}"#, Kind::WrongPayload, "base64"),
    ] {
        let (found, text) = fault(json);
        assert_eq!(found, kind, "{text}");
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_studios_types_go_the_same_way() {
    let set = compile(
        "message Scored { option (worldbus.events.v1.event_type) = \
         { number: 1000 name: \"game.scored\" topic: \"game\" }; \
         map<string, int64> points = 1; optional bool won = 2; \
         oneof how { string by = 3; double ratio = 4; } }",
        true,
    );
    let catalogue = Catalogue::builtin().with_descriptor_set(&set).unwrap();
    let read_payload = |payload: &str| {
        read(&format!(r#"{{"type":"game.scored","payload":{payload}}}"#), &catalogue)
    };
    let input = read_payload(r#"{"points":{"ann":"7"},"ratio":0.5}"#).unwrap();
    let mut builder = BatchBuilder::new("s", "w");
    let payload = &input.payload;
    let new = NewEvent {
        event_type: input.event_type,
        id: id(1),
        timestamp_ms: 0,
        entity: None,
        place: None,
        payload,
        metadata: None,
    };
    builder.push(new).unwrap();
    let batch = builder.finish().unwrap();
    let json = event(&batch.iter().next().unwrap(), &catalogue);
    assert!(json.ends_with("\"payload\":{\"points\":{\"ann\":\"7\"},\"ratio\":0.5}}"), "{json}");
    let error = read_payload(r#"{"points":{"ann":"many"}}"#).unwrap_err().to_string();
    assert!(error.contains("payload.points.ann") && error.contains("an integer"), "{error}");
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        minutes: i64, hour: u32, phase in -9..9i32, timestamp_ms: i64,
        entity in proptest::option::of("\\PC{1,9}"), place in proptest::option::of("\\PC{1,9}"),
        producer: u64, sequence: u64,
        value in proptest::collection::vec(any::<u8>(), 0..9), path in "\\PC{0,9}",
        metadata in proptest::collection::btree_map("\\PC{0,3}", "\\PC{0,3}", 1..3),
    ) {
        let catalogue = Catalogue::builtin();
        let id = EventId { producer: ProducerId::from_bits(producer), sequence };
        let date = Some(Date { year: phase, month: hour, day: 3 });
        let time = TimeChanged { date, total_minutes: minutes, ..TimeChanged::default() };
        let change = StateChange { path, operation: phase, value };
        let state = WorldStateUpdated {
            version: sequence, previous_version: producer, changes: vec![change],
        };
        for (event_type, payload) in [
            (TimeChanged::NUMBER, time.encode_to_vec()),
            (WorldStateUpdated::NUMBER, state.encode_to_vec()),
        ] {
            let mut builder = BatchBuilder::new("s", "w");
            let new = NewEvent {
                event_type, id, timestamp_ms, entity: entity.as_deref(), place: place.as_deref(),
                payload: &payload, metadata: Some(&metadata),
            };
            builder.push(new).unwrap();
            let batch = builder.finish().unwrap();
            let json = event(&batch.iter().next().unwrap(), &catalogue);
            let expected = Input {
                event_type,
                id: Some(id),
                source: Some("s".to_owned()),
                world: Some("w".to_owned()),
                entity: entity.clone(),
                place: place.clone(),
                timestamp_ms: Some(timestamp_ms),
                payload,
                metadata: metadata.clone(),
            };
            prop_assert_eq!(read(&json, &catalogue).unwrap(), expected);
        }
    }

    #[test]
    fn noise_never_panics(json in "\\PC{0,60}", payload in "[{}\\[\\]\":,a-z0-9.-]{0,30}") {
        let catalogue = Catalogue::builtin();
        let _ = read(&json, &catalogue);
        for event_type in ["time.changed", "world_state.updated", "77"] {
            let json = format!(r#"{{"type":"{event_type}","payload":{payload}}}"#);
            let _ = read(&json, &catalogue);
        }
    }
}
