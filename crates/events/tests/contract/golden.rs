//! The golden vectors in `proto/golden`: what every client library decodes and re-encodes.
//!
//! They are the wire format of a release. A vector that changes is a wire break; a new one is
//! written with `WORLDBUS_BLESS=1 cargo nextest run -p worldbus-events --test contract`.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use prost::Message;
use serde_json::{Value, json};

use super::vectors;
use worldbus_events::{
    Batch, BatchBuilder, Catalogue, ContentType, EventId, ProducerId, codec, json, v1,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto/golden")
}

/// Compares a file with what it shall hold, or writes it if asked to.
fn hold(name: &str, content: &[u8]) {
    let path = folder().join(name);
    if std::env::var_os("WORLDBUS_BLESS").is_some() {
        fs::write(&path, content).unwrap();
    }
    let found = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(found == content, "{name} differs from what this version writes");
}

/// One event a line, so that a difference can be seen.
fn expectation(batch: &Batch, catalogue: &Catalogue) -> String {
    let mut header = json!({
        "source": batch.source(),
        "producer_id": batch.producer().number().to_string(),
        "first_sequence": batch.first_id().sequence.to_string(),
        "base_timestamp_ms": batch.iter().next().unwrap().timestamp_ms.to_string(),
        "world": batch.world(),
        "entities": batch.entities().collect::<Vec<_>>(),
        "event_count": batch.len(),
    });
    // The vectors from before there were places say nothing of them.
    if batch.places().len() > 0 {
        header["places"] = batch.places().collect();
    }
    let events: Vec<String> = batch.iter().map(|event| json::event(&event, catalogue)).collect();
    format!("{{\"batch\":{header},\n\"events\":[\n{}\n]}}\n", events.join(",\n"))
}

#[test]
fn batches_are_written_as_ever() {
    let catalogue = Catalogue::builtin();
    for (name, batch) in vectors::batches() {
        hold(&format!("{name}.binpb"), batch.bytes());
        hold(&format!("{name}.json"), expectation(&batch, &catalogue).as_bytes());
    }
}

#[test]
fn batches_are_read_and_written_again_byte_by_byte() {
    let catalogue = Catalogue::builtin();
    for (name, _) in vectors::batches() {
        let bytes = Bytes::from(fs::read(folder().join(format!("{name}.binpb"))).unwrap());
        let batch = Batch::decode(bytes.clone()).unwrap();

        let mut builder = BatchBuilder::new(batch.source(), batch.world());
        for event in &batch {
            builder.push(event.to_new()).unwrap();
        }
        assert_eq!(builder.finish().unwrap().bytes(), &bytes, "{name}, event by event");

        let stock = v1::EventBatch::decode(&bytes[..]).unwrap();
        assert_eq!(Bytes::from(stock.encode_to_vec()), bytes, "{name}, by stock protobuf");

        for content_type in [ContentType::EventBatchZstd, ContentType::Json] {
            let encoded = codec::encode(content_type, &batch, &catalogue).unwrap();
            let again = codec::decode(content_type, encoded, &catalogue).unwrap();
            assert_eq!(again.bytes(), &bytes, "{name}, as {content_type}");
        }
    }
}

#[test]
fn the_json_of_a_vector_states_the_same_as_its_bytes() {
    let catalogue = Catalogue::builtin();
    for (name, batch) in vectors::batches() {
        let text = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        let expected: Value = serde_json::from_str(&text).unwrap();
        let events = expected["events"].to_string();
        let read = codec::decode(ContentType::Json, events.into(), &catalogue).unwrap();
        assert_eq!(read.bytes(), batch.bytes(), "{name}");
    }
}

#[test]
fn game_events_are_read_and_written_as_ever() {
    let catalogue = Catalogue::builtin();
    for (name, event) in vectors::game_events() {
        let bytes = event.encode_to_vec();
        let batch =
            codec::decode(ContentType::GameEvent, bytes.clone().into(), &catalogue).unwrap();
        let view = batch.iter().next().unwrap();
        if view.id.to_string() == event.event_id {
            let again = codec::encode(ContentType::GameEvent, &batch, &catalogue).unwrap();
            assert_eq!(again, bytes, "{name}");
        }
        let json = json::event(&view, &catalogue);
        hold(&format!("game_event/{name}.binpb"), &bytes);
        hold(&format!("game_event/{name}.json"), format!("{json}\n").as_bytes());
    }
}

#[test]
fn event_ids_are_as_ever() {
    let lines: Vec<String> = vectors::ids()
        .into_iter()
        .map(|(producer, sequence, text)| {
            let id = EventId { producer: ProducerId::new(producer).unwrap(), sequence };
            assert_eq!(id.to_string(), text);
            assert_eq!(text.parse::<EventId>().unwrap(), id);
            json!({
                "producer_id": producer.to_string(),
                "sequence": sequence.to_string(),
                "event_id": text,
            })
            .to_string()
        })
        .collect();
    hold("event_ids.json", format!("[\n{}\n]\n", lines.join(",\n")).as_bytes());
}

#[test]
fn every_event_type_has_a_vector_with_every_field_set() {
    let batches = vectors::batches().into_iter();
    let all: Vec<_> = batches.map(|(_, batch)| batch).collect();
    let catalogue = Catalogue::builtin();
    for event_type in &catalogue {
        // The latest vector has the fields that came later.
        let events = all.iter().flat_map(|batch| batch.iter());
        let event = events.filter(|event| event.event_type == event_type.number()).last();
        let event = event.unwrap_or_else(|| panic!("{event_type} is missing"));
        let form: Value = serde_json::from_str(&json::event(&event, &catalogue)).unwrap();
        assert_eq!(form["event_type"], event_type.name());
        for (field, value) in form["payload"].as_object().unwrap() {
            let unset = [json!(0), json!("0"), json!(""), json!(false), json!([]), Value::Null];
            let unspecified = value.as_str().is_some_and(|text| text.ends_with("_UNSPECIFIED"));
            assert!(!unset.contains(value) && !unspecified, "{event_type}: {field} is {value}");
        }
    }
}
