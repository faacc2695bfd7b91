//! Every content type comes back as it went; bombs and noise are refused.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::limits::BATCH_EVENTS_MAX;
use crate::v1::{self, GameEvent, Phase, TimeUpdated};
use crate::{About, EventId, Kind, NewEvent, ProducerId};

fn ticks(count: u64) -> Batch {
    let mut builder = BatchBuilder::new("time-manager", "europe");
    for sequence in 0..count {
        let event = TimeUpdated {
            total_minutes: sequence as i64 - 2,
            hour: 0,
            minute: sequence as u32,
            phase: Phase::Night.into(),
        };
        let id = EventId { producer: ProducerId::from_bits(7), sequence };
        let entity = (sequence % 2 == 1).then_some("clock");
        let about = About { entity, place: (sequence % 3 == 0).then_some("tower") };
        builder.push_event(&event, id, 1000 + sequence as i64, about).unwrap();
    }
    builder.finish().unwrap()
}

fn decoded(content_type: ContentType, bytes: impl Into<Bytes>) -> Result<Batch, Error> {
    decode(content_type, bytes.into(), &Catalogue::builtin())
}

#[test]
fn each_content_type_comes_back_as_it_went() {
    let catalogue = Catalogue::builtin();
    for content_type in ContentType::ALL {
        for count in [1, 3] {
            let batch = ticks(count);
            match encode(content_type, &batch, &catalogue) {
                Ok(bytes) => assert_eq!(decoded(content_type, bytes).unwrap(), batch),
                Err(error) => {
                    assert_eq!((content_type, count), (ContentType::GameEvent, 3));
                    assert_eq!(error.kind(), Kind::TooLarge);
                }
            }
        }
    }
}

#[test]
fn content_types_are_read_as_media_types_are_written() {
    for content_type in ContentType::ALL {
        assert_eq!(content_type.to_string().parse::<ContentType>().unwrap(), content_type);
    }
    for (text, expected) in [
        ("Application/X-Protobuf", ContentType::GameEvent),
        (
            "application/x-protobuf;messagetype=\"worldbus.events.v1.GameEvent\"",
            ContentType::GameEvent,
        ),
        (
            "application/x-protobuf ; charset=x ; messageType=\"worldbus.events.v1.EventBatch\"",
            ContentType::EventBatch,
        ),
        (
            "application/x-protobuf+zstd; messageType=worldbus.events.v1.EventBatch",
            ContentType::EventBatchZstd,
        ),
        ("application/json; charset=utf-8", ContentType::Json),
    ] {
        assert_eq!(text.parse::<ContentType>().unwrap(), expected, "{text}");
    }
    for text in [
        "",
        "text/plain",
        "application/x-protobuf+zstd",
        "application/x-protobuf; messageType=worldbus.events.v2.EventBatch",
    ] {
        let error = text.parse::<ContentType>().unwrap_err();
        assert_eq!(error.kind(), Kind::UnknownContentType, "{text}");
    }
}

#[test]
fn events_of_the_predecessor_decode() {
    // The id is a UUIDv4; world, entity and place stand in the metadata.
    let event = GameEvent {
        event_id: "8c5e3c0a-6f0a-4a4e-9d3c-0f6f2f0f8d11".to_owned(),
        event_type: 6,
        source: "time-manager".to_owned(),
        timestamp: 1_700_000_000_000,
        payload: TimeUpdated { hour: 5, ..Default::default() }.encode_to_vec(),
        metadata: BTreeMap::from([
            ("world".to_owned(), "europe".to_owned()),
            ("entity".to_owned(), "oslo".to_owned()),
            ("place".to_owned(), "harbour".to_owned()),
            ("trace".to_owned(), "t".to_owned()),
        ]),
    };
    let batch = decoded(ContentType::GameEvent, event.encode_to_vec()).unwrap();
    let found = batch.iter().next().unwrap();
    assert_eq!(found.id, EventId::from_foreign(&event.event_id).unwrap());
    assert_eq!((batch.source(), batch.world()), ("time-manager", "europe"));
    assert_eq!((found.entity, found.place), (Some("oslo"), Some("harbour")));
    assert_eq!(found.timestamp_ms, 1_700_000_000_000);
    assert_eq!(found.decode::<TimeUpdated>().unwrap().hour, 5);
    let metadata = found.metadata().unwrap();
    assert_eq!((metadata.len(), metadata["trace"].as_str()), (1, "t"));
    let expected = GameEvent { event_id: found.id.to_string(), ..event };
    assert_eq!(found.to_game_event(), expected);
}

/// What an event with this id becomes in the binary form and in JSON.
fn with_id(event_id: &str) -> [Result<EventId, String>; 2] {
    let event = GameEvent {
        event_id: event_id.to_owned(),
        event_type: 6,
        timestamp: 1,
        ..Default::default()
    };
    let object = serde_json::json!({
        "event_id": event_id, "event_type": "time.updated", "timestamp": 1, "payload": {},
    });
    [
        decoded(ContentType::GameEvent, event.encode_to_vec()),
        decoded(ContentType::Json, object.to_string()),
    ]
    .map(|batch| batch.map(|batch| batch.first_id()).map_err(|error| error.to_string()))
}

#[test]
fn both_forms_take_and_refuse_the_same_ids() {
    let ours = EventId { producer: ProducerId::from_bits(7), sequence: 42 };
    let taken = ["0", " ", "00000000", "nil", "8c5e3c0a-6f0a-4a4e-9d3c-0f6f2f0f8d11"];
    for id in taken.into_iter().chain([ours.to_string().as_str()]) {
        let expected = EventId::from_foreign(id);
        assert_eq!(with_id(id).map(Result::ok), [expected.clone().ok(), expected.ok()], "{id:?}");
    }
    for (id, expected) in [
        ("", "without event_id"),
        ("00000000-0000-0000-0000-000000000000", "is blank"),
        ("00000000000000000000000000000000", "is blank"),
        // A UUIDv8 of producer 0, sequence 0.
        ("00000000-0000-8000-8000-000000000000", "producer id 0"),
    ] {
        for found in with_id(id) {
            let error = found.unwrap_err();
            assert!(error.contains(expected), "{id:?}: {error}");
        }
    }
}

#[test]
fn batch_that_leaves_its_producer_out_is_refused() {
    let batch =
        v1::EventBatch { event_types: vec![6], payload_sizes: vec![0], ..Default::default() };
    let error = decoded(ContentType::EventBatch, batch.encode_to_vec()).unwrap_err();
    assert!(error.to_string().contains("producer id 0"), "{error}");
}

#[test]
fn byte_order_mark_in_front_of_json_is_skipped() {
    let object = r#"{"event_id":"a","type":"time.updated","timestamp":1,"payload":{}}"#;
    for json in [format!("\u{feff}{object}"), format!("\u{feff}[{object}]")] {
        assert_eq!(decoded(ContentType::Json, json).unwrap().len(), 1);
    }
}

#[test]
fn arrays_that_are_no_batch_are_refused() {
    let object = |source: &str, sequence: u64| {
        let id = EventId { producer: ProducerId::from_bits(1), sequence };
        format!(
            r#"{{"type":"time.updated","payload":{{}},"timestamp":0,
                "event_id":"{id}","source":"{source}"}}"#
        )
    };
    let good = format!(" [{},{}]", object("a", 1), object("a", 2));
    assert_eq!(decoded(ContentType::Json, good).unwrap().len(), 2);
    for bad in [
        "[]".to_owned(),
        "[1]".to_owned(),
        "[".to_owned(),
        format!("[{},{}]", object("a", 1), object("b", 2)),
        format!("[{},{}]", object("a", 2), object("a", 1)),
        format!("[{}]", vec!["0"; 4097].join(",")),
    ] {
        assert!(decoded(ContentType::Json, bad.clone()).is_err(), "{bad:.80}");
    }
    assert!(decoded(ContentType::Json, &b"\xff"[..]).is_err());
}

fn event_of(source: &str, producer: u64, sequence: u64) -> String {
    let id = EventId { producer: ProducerId::from_bits(producer), sequence };
    format!(
        r#"{{"type":"time.updated","payload":{{}},"timestamp":0,
            "event_id":"{id}","source":"{source}"}}"#
    )
}

#[test]
fn array_of_several_producers_is_a_batch_for_each_in_their_order() {
    let events = [("a", 1, 5), ("a", 2, 1), ("b", 1, 1), ("a", 1, 9), ("a", 2, 2), ("a", 1, 10)];
    let events = events.map(|(source, producer, sequence)| event_of(source, producer, sequence));
    let array = format!("[{}]", events.join(","));
    let catalogue = Catalogue::builtin();
    let batches = decode_all(ContentType::Json, array.clone().into(), &catalogue).unwrap();
    let found: Vec<_> = batches
        .iter()
        .map(|batch| {
            let sequences: Vec<u64> = batch.iter().map(|event| event.id.sequence).collect();
            (batch.source(), batch.iter().next().unwrap().id.producer.number(), sequences)
        })
        .collect();
    assert_eq!(found, [("a", 1, vec![5, 9, 10]), ("a", 2, vec![1, 2]), ("b", 1, vec![1])]);
    let refused = decoded(ContentType::Json, array).unwrap_err();
    assert!(refused.to_string().contains("they are 3 batches"), "{refused}");
}

#[test]
fn array_of_events_of_others_has_at_most_as_many_batches_as_a_batch_has_events() {
    let array = |count: u64| {
        let events: Vec<_> = (1..=count).map(|producer| event_of("a", producer, 1)).collect();
        let array = format!("[{}]", events.join(","));
        decode_all(ContentType::Json, array.into(), &Catalogue::builtin())
    };
    assert_eq!(array(BATCH_EVENTS_MAX as u64).unwrap().len(), BATCH_EVENTS_MAX);
    let refused = array(BATCH_EVENTS_MAX as u64 + 1).unwrap_err();
    assert!(refused.to_string().contains("events of an array: 4097 is more than 4096"));
}

#[test]
fn array_in_which_a_producer_goes_back_is_refused() {
    let array = [event_of("a", 1, 2), event_of("a", 2, 1), event_of("a", 1, 1)].join(",");
    let array = format!("[{array}]");
    assert!(decode_all(ContentType::Json, array.into(), &Catalogue::builtin()).is_err());
}

#[test]
fn a_zstd_bomb_is_refused_whether_it_names_its_size_or_not() {
    let bomb = vec![0; 64 << 20];
    let named = zstd::bulk::compress(&bomb, 3).unwrap();
    assert!(named.len() < 1 << 20);
    let error = decoded(ContentType::EventBatchZstd, named).unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge);
    // A stream does not know its size when it begins.
    let unnamed = zstd::stream::encode_all(&bomb[..], 3).unwrap();
    assert_eq!(zstd::decompressed_size(&unnamed), None);
    let error = decoded(ContentType::EventBatchZstd, unnamed).unwrap_err();
    assert!(error.to_string().contains("4194304"), "{error}");
}

#[test]
fn oversize_bytes_are_refused_whatever_they_are_declared() {
    let large = Bytes::from(vec![b' '; BATCH_BYTES_MAX + 1]);
    for content_type in ContentType::ALL {
        let error = decoded(content_type, large.clone()).unwrap_err();
        assert_eq!(error.kind(), Kind::TooLarge);
    }
    let error = decoded(ContentType::GameEvent, large.slice(..2 << 20)).unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge);
}

#[test]
fn a_full_batch_of_metadata_stays_within_its_bounds() {
    let metadata = BTreeMap::from([("k".to_owned(), "v".repeat(8000))]);
    let mut builder = BatchBuilder::new("s", "w");
    for sequence in 0.. {
        let id = EventId { producer: ProducerId::from_bits(1), sequence };
        let new = NewEvent {
            event_type: 1,
            id,
            timestamp_ms: 0,
            entity: None,
            place: None,
            payload: &[],
            metadata: Some(&metadata),
        };
        if builder.push(new).is_err() {
            break;
        }
    }
    let batch = builder.finish().unwrap();
    assert!(Batch::decode(batch.bytes().clone()).is_ok());
}

proptest! {
    #[test]
    fn noise_of_every_type_never_panics(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
        magic: bool,
    ) {
        if magic && bytes.len() >= 4 {
            bytes[..4].copy_from_slice(&[0x28, 0xb5, 0x2f, 0xfd]);
        }
        for content_type in ContentType::ALL {
            if let Ok(batch) = decoded(content_type, bytes.clone()) {
                prop_assert_eq!(batch.iter().count(), batch.len());
            }
        }
    }

    #[test]
    fn changed_bytes_never_panic(at in any::<prop::sample::Index>(), byte: u8) {
        let catalogue = Catalogue::builtin();
        for content_type in ContentType::ALL {
            let mut bytes = encode(content_type, &ticks(1), &catalogue).unwrap().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(batch) = decoded(content_type, bytes) {
                prop_assert_eq!(batch.iter().count(), batch.len());
            }
        }
    }
}
