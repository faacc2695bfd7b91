//! What is written can be read, by us and by prost; what is damaged is refused.

use std::collections::BTreeMap;

use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::limits::{
    BATCH_BYTES_MAX, BATCH_EVENTS_MAX, ENTITY_BYTES_MAX, PAYLOAD_BYTES_MAX, PLACE_BYTES_MAX,
};
use crate::v1::{Phase, TimeUpdated, WeatherChanged, WorldStateUpdated};

fn id(producer: u64, sequence: u64) -> EventId {
    EventId { producer: ProducerId::new(producer).unwrap(), sequence }
}

#[derive(Debug, Clone)]
struct Sample {
    event_type: u32,
    gap: u64,
    timestamp_ms: i64,
    entity: Option<String>,
    place: Option<String>,
    payload: Vec<u8>,
    metadata: BTreeMap<String, String>,
}

fn sample() -> impl Strategy<Value = Sample> {
    (
        1..2000u32,
        prop_oneof![4 => Just(0u64), 1 => 0..1u64 << 40],
        prop_oneof![2 => Just(5i64), 1 => any::<i32>().prop_map(i64::from)],
        proptest::option::of("[a-c]{0,2}"),
        proptest::option::weighted(0.3, "[a-c]{0,2}"),
        proptest::collection::vec(any::<u8>(), 0..40),
        proptest::collection::btree_map("[a-z]{1,3}", "[a-z]{0,3}", 0..4),
    )
        .prop_map(|(event_type, gap, timestamp_ms, entity, place, payload, metadata)| Sample {
            event_type,
            gap,
            timestamp_ms,
            entity,
            place,
            payload,
            metadata,
        })
}

#[test]
fn times_too_far_apart_are_no_batch_and_the_next_event_is_taken() {
    let mut builder = BatchBuilder::new("s", "w");
    let new = |sequence, timestamp_ms| NewEvent {
        event_type: 6,
        id: id(7, sequence),
        timestamp_ms,
        entity: None,
        place: None,
        payload: &[],
        metadata: None,
    };
    builder.push(new(1, 1_700_000_000_000)).unwrap();
    assert!(!builder.fits(id(7, 2), i64::MIN, 0, 1 << 20));
    let error = builder.push(new(2, i64::MIN)).unwrap_err();
    assert!(error.to_string().contains("timestamp"), "{error}");
    assert!(builder.fits(id(7, 3), i64::MAX, 0, 1 << 20));
    builder.push(new(3, i64::MAX)).unwrap();
    let batch = Batch::decode(builder.finish().unwrap().bytes().clone()).unwrap();
    assert_eq!(batch.iter().map(|event| event.id.sequence).collect::<Vec<_>>(), [1, 3]);
    builder.push(new(4, i64::MIN)).unwrap();
    Batch::decode(builder.finish().unwrap().bytes().clone()).unwrap();
}

proptest! {
    #[test]
    fn what_is_built_is_read_back(
        samples in proptest::collection::vec(sample(), 1..50),
        first in 0..1u64 << 50,
    ) {
        let mut builder = BatchBuilder::new("source", "world");
        let mut sequence = first;
        let mut ids = Vec::new();
        for sample in &samples {
            sequence += 1 + sample.gap;
            ids.push(sequence);
            builder.push(NewEvent {
                event_type: sample.event_type,
                id: id(7, sequence),
                timestamp_ms: sample.timestamp_ms,
                entity: sample.entity.as_deref(),
                place: sample.place.as_deref(),
                payload: &sample.payload,
                metadata: Some(&sample.metadata),
            }).unwrap();
        }
        let bound = builder.bytes_max();
        let built = builder.finish().unwrap();
        prop_assert!(built.bytes().len() <= bound);
        let read = Batch::decode(built.bytes().clone()).unwrap();
        let message = v1::EventBatch::decode(&built.bytes()[..]).unwrap();
        prop_assert_eq!(Bytes::from(message.encode_to_vec()), built.bytes().clone());
        for batch in [&built, &read] {
            prop_assert_eq!(batch.len(), samples.len());
            for ((event, sample), sequence) in batch.iter().zip(&samples).zip(&ids) {
                prop_assert_eq!(event.id, id(7, *sequence));
                prop_assert_eq!(event.event_type, sample.event_type);
                prop_assert_eq!(event.timestamp_ms, sample.timestamp_ms);
                prop_assert_eq!(event.entity, sample.entity.as_deref().filter(|e| !e.is_empty()));
                prop_assert_eq!(event.place, sample.place.as_deref().filter(|p| !p.is_empty()));
                prop_assert_eq!(event.payload, &sample.payload[..]);
                let metadata = event.metadata().cloned().unwrap_or_default();
                prop_assert_eq!(&metadata, &sample.metadata);
            }
        }
    }

    #[test]
    fn noise_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(batch) = Batch::decode(Bytes::from(bytes)) {
            prop_assert_eq!(batch.iter().count(), batch.len());
        }
    }

    #[test]
    fn a_changed_byte_never_panics(at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = ticks(20).bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(batch) = Batch::decode(Bytes::from(bytes)) {
            prop_assert_eq!(batch.iter().count(), batch.len());
        }
    }
}

fn ticks(count: u64) -> Batch {
    let mut builder = BatchBuilder::new("time-manager", "europe");
    for minute in 0..count {
        let event = TimeUpdated {
            total_minutes: 500_000 + minute as i64,
            hour: (minute / 60 % 24) as u32,
            minute: (minute % 60) as u32,
            phase: Phase::Day.into(),
        };
        let timestamp_ms = 1_795_000_000_000 + minute as i64 * 1250 / 3;
        builder.push_event(&event, id(9, minute), timestamp_ms, None).unwrap();
    }
    builder.finish().unwrap()
}

#[test]
fn a_tick_takes_fifteen_bytes_at_most() {
    let bytes = ticks(1000).bytes().len();
    assert!(bytes <= 15_000, "{bytes}");
    let alone = ticks(1).bytes().len();
    assert!((50..70).contains(&alone), "about 59, as docs/reference/contract.md states: {alone}");
}

#[test]
fn typed_events_come_back_typed() {
    let batch = ticks(3);
    let event = batch.iter().nth(2).unwrap();
    assert_eq!(event.decode::<TimeUpdated>().unwrap().minute, 2);
    assert_eq!(event.decode::<WeatherChanged>().unwrap_err().kind(), crate::Kind::UnknownEventType);
}

#[test]
fn every_cut_of_a_batch_is_refused_or_whole() {
    let whole = ticks(10);
    for cut in 0..whole.bytes().len() {
        assert!(Batch::decode(whole.bytes().slice(..cut)).is_err(), "{cut}");
    }
}

#[test]
fn unpacked_and_split_columns_are_read() {
    let batch = ticks(3);
    let mut message = v1::EventBatch::decode(&batch.bytes()[..]).unwrap();
    let event_types = std::mem::take(&mut message.event_types);
    let mut bytes = message.encode_to_vec();
    for event_type in event_types {
        bytes.extend([6 << 3, event_type as u8]);
    }
    assert_eq!(Batch::decode(Bytes::from(bytes)).unwrap(), batch);
}

#[test]
fn an_event_that_is_refused_leaves_nothing_behind() {
    let trace = BTreeMap::from([("trace".to_owned(), "4bf92f".to_owned())]);
    let new = |sequence, metadata| NewEvent {
        event_type: 7,
        id: id(7, sequence),
        timestamp_ms: 5,
        entity: None,
        place: None,
        payload: b"payload",
        metadata,
    };
    let mut builder = BatchBuilder::new("s", "w");
    builder.push(new(1, None)).unwrap();
    let before = builder.bytes_max();
    builder.push(new(1, Some(&trace))).unwrap_err();
    let value = vec![1; 2 * BATCH_BYTES_MAX];
    let large = WorldStateUpdated {
        changes: vec![v1::StateChange { value, ..v1::StateChange::default() }],
        ..WorldStateUpdated::default()
    };
    let error = builder.push_event(&large, id(7, 2), 5, None).unwrap_err();
    assert_eq!(error.kind(), crate::Kind::TooLarge);
    assert_eq!(builder.bytes_max(), before);
    assert!(builder.room().into_iter().all(|room| room <= BATCH_BYTES_MAX));
    builder.push(new(2, None)).unwrap();

    let mut other = BatchBuilder::new("s", "w");
    other.push(new(1, None)).unwrap();
    other.push(new(2, None)).unwrap();
    assert_eq!(builder.finish(), other.finish());
}

#[test]
fn columns_that_disagree_are_refused() {
    let good = v1::EventBatch {
        producer_id: 1,
        event_types: vec![6, 6],
        payload_sizes: vec![1, 1],
        payloads: vec![0, 0],
        ..Default::default()
    };
    assert!(Batch::decode(good.encode_to_vec().into()).is_ok());
    let metadata = |index| v1::EventMetadata { index, ..Default::default() };
    let bad: [&dyn Fn(&mut v1::EventBatch); 20] = [
        &|b| b.event_types.clear(),
        &|b| b.event_types[0] = 0,
        &|b| b.payload_sizes = vec![2],
        &|b| b.payload_sizes = vec![1, 2],
        &|b| b.sequence_deltas = vec![0],
        &|b| b.sequence_deltas = vec![0, 0],
        &|b| b.first_sequence = u64::MAX,
        &|b| b.timestamp_deltas_ms = vec![1],
        &|b| (b.base_timestamp_ms, b.timestamp_deltas_ms) = (i64::MAX, vec![0, 1]),
        &|b| (b.base_timestamp_ms, b.timestamp_deltas_ms) = (i64::MIN, vec![0, -1]),
        &|b| b.entity_indexes = vec![0, 1],
        &|b| b.producer_id = u64::MAX,
        &|b| b.metadata = vec![metadata(2)],
        &|b| b.metadata = vec![metadata(1), metadata(1)],
        &|b| b.entities = vec![String::new(); 4097],
        &|b| b.place_indexes = vec![0, 1],
        &|b| (b.places, b.place_indexes) = (vec!["x".to_owned()], vec![1]),
        &|b| b.places = vec![String::new(); 4097],
        &|b| b.places = vec!["x".repeat(PLACE_BYTES_MAX + 1)],
        &|b| b.source = "x".repeat(129),
    ];
    for (index, spoil) in bad.iter().enumerate() {
        let mut batch = good.clone();
        spoil(&mut batch);
        assert!(Batch::decode(batch.encode_to_vec().into()).is_err(), "case {index}");
    }
}

#[test]
fn the_limits_of_a_batch_hold() {
    let mut builder = BatchBuilder::new("s", "w");
    let event = NewEvent {
        event_type: 1,
        id: id(1, 1),
        timestamp_ms: 0,
        entity: None,
        place: None,
        payload: &[],
        metadata: None,
    };
    let long = "x".repeat(ENTITY_BYTES_MAX + 1);
    assert!(builder.push(NewEvent { entity: Some(&long), ..event }).is_err());
    let far = "x".repeat(PLACE_BYTES_MAX + 1);
    assert!(builder.push(NewEvent { place: Some(&far), ..event }).is_err());
    let large = vec![0; PAYLOAD_BYTES_MAX + 1];
    assert!(builder.push(NewEvent { payload: &large, ..event }).is_err());
    assert!(builder.is_empty() && builder.finish().is_none());
    for sequence in 0..BATCH_EVENTS_MAX as u64 {
        builder.push(NewEvent { id: id(1, sequence), ..event }).unwrap();
    }
    assert!(builder.push(NewEvent { id: id(1, 1 << 20), ..event }).is_err());
    assert_eq!(builder.finish().unwrap().len(), BATCH_EVENTS_MAX);
    let half = vec![0; PAYLOAD_BYTES_MAX];
    let mut refused = 0;
    for sequence in 0..8 {
        let pushed = builder.push(NewEvent { id: id(1, sequence), payload: &half, ..event });
        refused += usize::from(pushed.is_err());
    }
    assert!(refused > 0);
    let batch = builder.finish().unwrap();
    assert!(Batch::decode(batch.bytes().clone()).is_ok());
}

#[test]
fn retain_keeps_ids_and_drops_the_rest() {
    let batch = ticks(5);
    let kept = batch.retain(|event| event.id.sequence % 2 == 0).unwrap();
    let ids: Vec<u64> = kept.iter().map(|event| event.id.sequence).collect();
    assert_eq!(ids, [0, 2, 4]);
    assert!(batch.retain(|_| false).is_none());
}

#[test]
fn retain_loses_nothing_when_there_is_no_room_for_the_gaps() {
    let count = BATCH_EVENTS_MAX;
    // Consecutive and of one moment: without the first event but one, a column has to begin.
    let mut message = v1::EventBatch {
        producer_id: 1,
        event_types: vec![1; count],
        payload_sizes: vec![1021; count],
        payloads: vec![0; 1021 * count],
        ..Default::default()
    };
    message.payload_sizes[1] = 0;
    message.payloads.truncate(1021 * (count - 1));
    message.source = "s".repeat(128);
    let room = crate::limits::BATCH_BYTES_MAX - message.encoded_len();
    assert!(room < count, "{room}");
    message.world = "w".repeat(room.min(128) - 3);
    let batch = Batch::decode(message.encode_to_vec().into()).unwrap();
    let kept = batch.retain(|event| event.index != 1).unwrap();
    assert!(kept.iter().filter(|event| event.index != 1).count() >= count - 2);
    assert!(Batch::decode(kept.bytes().clone()).is_ok());
}

#[test]
fn a_batch_never_outgrows_its_limit_when_columns_begin_late() {
    let metadata = BTreeMap::from([("k".to_owned(), "v".repeat(16_000))]);
    let mut builder = BatchBuilder::new("s", "w");
    let plain = NewEvent {
        event_type: 1,
        id: id(1, 0),
        timestamp_ms: 0,
        entity: None,
        place: None,
        payload: &[0; 1016],
        metadata: None,
    };
    let mut sequence = 0;
    while builder.push(NewEvent { id: id(1, sequence), ..plain }).is_ok() {
        sequence += 1;
        let heavy = NewEvent {
            id: id(1, sequence + 5),
            timestamp_ms: 9,
            entity: Some("e"),
            place: Some("p"),
            metadata: Some(&metadata),
            ..plain
        };
        if sequence > 4050 && builder.push(heavy).is_ok() {
            break;
        }
    }
    let batch = builder.finish().unwrap();
    assert!(Batch::decode(batch.bytes().clone()).is_ok(), "{}", batch.bytes().len());
}

#[test]
fn filters_admit_by_type_and_entity() {
    let batch = one_about(Some("oslo"));
    assert!(batch.admits(&[], &[], &[]));
    assert!(batch.admits(&[1], &["oslo".to_owned()], &[]));
    assert!(!batch.admits(&[2], &[], &[]));
    assert!(!batch.admits(&[], &["rome".to_owned()], &[]));
}

fn one_about<'a>(about: impl Into<About<'a>>) -> Batch {
    let mut builder = BatchBuilder::new("s", "w");
    builder.push_event(&WeatherChanged::default(), id(1, 1), 0, about).unwrap();
    builder.finish().unwrap()
}

#[test]
fn filters_admit_by_place_and_an_event_without_one_is_at_its_entity() {
    let (market, npc) = (["market".to_owned()], ["npc-7".to_owned()]);
    let there = one_about(About::from("npc-7").at("market"));
    assert!(there.admits(&[], &[], &market) && there.admits(&[1], &npc, &market));
    assert!(!there.admits(&[], &[], &npc) && !there.admits(&[], &market, &[]));
    assert!(!there.admits(&[2], &npc, &market));
    let itself = one_about("market");
    assert!(itself.admits(&[], &[], &market) && !itself.admits(&[], &[], &npc));
    let nowhere = one_about(None);
    assert!(nowhere.admits(&[], &[], &[]) && !nowhere.admits(&[], &[], &market));
    assert_eq!(there.places().collect::<Vec<_>>(), ["market"]);
    assert_eq!(itself.places().count(), 0);
}

#[test]
fn full_batch_of_the_longest_entities_and_places_and_of_payloads_stays_within_its_limit() {
    let name = |what: char, number: u64| format!("{what}{number:0>width$}", width = 255);
    let mut builder = BatchBuilder::new("s", "w");
    let mut sequence = 0;
    loop {
        let (entity, place) = (name('e', sequence), name('p', sequence));
        let pushed = builder.push(NewEvent {
            event_type: u32::MAX,
            // Far apart in sequence and time, so that each column has its longest values.
            id: id(1, sequence << 50),
            timestamp_ms: if sequence % 2 == 0 { 0 } else { i64::MAX },
            entity: Some(&entity),
            place: Some(&place),
            payload: &[0; 550],
            metadata: None,
        });
        if pushed.is_err() {
            break;
        }
        sequence += 1;
    }
    assert!((3000..BATCH_EVENTS_MAX as u64).contains(&sequence), "{sequence}");
    let batch = builder.finish().unwrap();
    let read = Batch::decode(batch.bytes().clone()).unwrap();
    assert_eq!((read.places().count(), read.entities().count()), (read.len(), read.len()));
    assert!(read.memory_bytes() < read.bytes().len() + 16 * BATCH_EVENTS_MAX + 1024);
}

#[test]
fn unpacked_and_split_columns_of_places_are_read() {
    let batch = {
        let mut builder = BatchBuilder::new("s", "w");
        for (sequence, place) in [None, Some("dock"), Some("mill")].into_iter().enumerate() {
            let about = About { entity: None, place };
            let id = id(1, sequence as u64);
            builder.push_event(&TimeUpdated::default(), id, 0, about).unwrap();
        }
        builder.finish().unwrap()
    };
    let mut message = v1::EventBatch::decode(&batch.bytes()[..]).unwrap();
    assert_eq!(std::mem::take(&mut message.place_indexes), [0, 1, 2]);
    let head = message.encode_to_vec();
    let split = [&head[..], &[15 << 3 | 2, 1, 0, 15 << 3 | 2, 2, 1, 2]].concat();
    let unpacked = [&head[..], &[15 << 3, 0, 15 << 3, 1, 15 << 3, 2]].concat();
    for bytes in [split, unpacked] {
        assert_eq!(Batch::decode(Bytes::from(bytes)).unwrap(), batch);
    }
}

#[test]
fn pushing_allocates_nothing_once_the_columns_have_grown() {
    let mut builder = BatchBuilder::new("weather-manager", "europe");
    let fill = |builder: &mut BatchBuilder| {
        let event = WeatherChanged { temperature_decicelsius: -5, ..Default::default() };
        for sequence in 0..1000u64 {
            let entity = format!("region-{}", sequence % 300);
            let timestamp_ms = sequence as i64 * 417;
            let about = About::from(&entity).at(&entity[..8]);
            builder.push_event(&event, id(9, 2 * sequence), timestamp_ms, about).unwrap();
        }
    };
    fill(&mut builder);
    let room = builder.room();
    let first = builder.finish().unwrap();
    assert_eq!(first.entities().count(), 300);
    fill(&mut builder);
    assert_eq!(builder.room(), room);
    assert_eq!(builder.finish().unwrap(), first);
}

#[test]
fn annotated_batch_differs_by_one_entry_of_its_first_event() {
    let mut builder = BatchBuilder::new("weather-manager", "europe");
    let producer = ProducerId::from_bits(7);
    for sequence in 3..6 {
        let id = EventId { producer, sequence };
        let (entity, payload) = (Some("oslo"), &[1, 2][..]);
        let timestamp_ms = 40 + sequence as i64;
        let (place, metadata) = (Some("harbour"), None);
        let new = NewEvent { event_type: 1, id, timestamp_ms, entity, place, payload, metadata };
        builder.push(new).unwrap();
    }
    let plain = builder.finish().unwrap();
    assert!(!plain.has_metadata());
    let annotated = plain.annotated("traceparent", "t").annotated("traceparent", "u");
    let again = Batch::decode(annotated.bytes().clone()).unwrap();
    assert!(again.has_metadata());
    for (before, after) in plain.iter().zip(again.iter()) {
        let entry = after.metadata().and_then(|entries| entries.get("traceparent"));
        assert_eq!(entry.map(String::as_str), (after.index == 0).then_some("u"));
        let same = |event: EventView<'_>| {
            let place = event.place.map(str::to_owned);
            (event.id, event.timestamp_ms, place, event.payload.to_vec())
        };
        assert_eq!(same(before), same(after));
    }
}

#[test]
fn tiny_metadata_takes_memory_only_when_it_is_asked_for() {
    let mut builder = BatchBuilder::new("source", "world");
    let metadata = BTreeMap::from([(String::new(), String::new())]);
    for sequence in 0..BATCH_EVENTS_MAX as u64 {
        let new = NewEvent {
            event_type: 1,
            id: id(1, sequence),
            timestamp_ms: 0,
            entity: None,
            place: None,
            payload: &[],
            metadata: Some(&metadata),
        };
        builder.push(new).unwrap();
    }
    let built = builder.finish().unwrap();
    for batch in [Batch::decode(built.bytes().clone()).unwrap(), built] {
        assert!(batch.has_metadata() && batch.columns.metadata.get().is_none());
        assert!(batch.memory_bytes() < batch.bytes().len() + 1024);
        assert_eq!(batch.metadata_of(4095), Some(&metadata));
        let last = batch.singles(|event| event.index == 4095).next().unwrap();
        assert_eq!(last.metadata_of(0), Some(&metadata));
    }
}
