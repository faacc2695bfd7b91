//! Payloads of the catalogue's event types are decoded by generated code as prost decodes them.

pub(crate) mod made_up;

use std::cell::RefCell;

use proptest::prelude::*;
use prost_reflect::{DescriptorPool, MessageDescriptor};

use super::decode_any::typed::{self, Outcome};
use super::vectors;
use made_up::MadeUp;
use worldbus_events::v1::{ClockChanged, TimeChanged, TimeUpdated};
use worldbus_events::{Catalogue, DESCRIPTOR_SET, Event, Kind};

/// The number and the payload message of every event type.
fn event_types() -> Vec<(u32, MessageDescriptor)> {
    let pool = DescriptorPool::decode(DESCRIPTOR_SET).unwrap();
    let message = |name: &str| pool.get_message_by_name(name).unwrap();
    Catalogue::builtin().iter().map(|of| (of.number(), message(of.message_name()))).collect()
}

#[test]
fn every_event_type_is_decoded_in_both_ways() {
    for (number, message) in event_types() {
        let outcome = typed::decode(number, &[]);
        let name = message.name();
        assert_eq!(outcome, Some(Outcome::Direct), "add {name} to fuzz/typed.rs");
    }
}

#[test]
fn the_vectors_are_read_directly() {
    for (name, batch) in vectors::batches() {
        for event in &batch {
            let outcome = typed::decode(event.event_type, event.payload);
            assert_eq!(outcome, Some(Outcome::Direct), "{name}, event {}", event.index);
        }
    }
}

#[test]
fn valid_payloads_are_read_directly_and_as_prost_reads_them() {
    let event_types = event_types();
    proptest!(|(seed: u64)| {
        let mut made_up = MadeUp::new(seed);
        for (number, message) in &event_types {
            let payload = made_up.message(message);
            let outcome = typed::decode(*number, &payload);
            prop_assert_eq!(outcome, Some(Outcome::Direct), "{}: {:?}", message.name(), payload);
        }
    });
}

#[test]
fn damaged_payloads_are_taken_and_refused_as_prost_does() {
    let event_types = event_types();
    let outcomes = RefCell::new([0; 3]);
    proptest!(|(seed: u64)| {
        let mut made_up = MadeUp::new(seed);
        for (number, message) in &event_types {
            let payload = made_up.message(message);
            let other = made_up.message(message);
            for _ in 0..5 {
                let damaged = made_up.damaged(&payload, &other);
                let outcome = typed::decode(*number, &damaged).unwrap();
                outcomes.borrow_mut()[outcome as usize] += 1;
            }
        }
    });
    let outcomes = outcomes.into_inner();
    assert!(!outcomes.contains(&0), "refused, direct, by prost: {outcomes:?}");
}

#[test]
fn the_last_of_several_values_counts_and_messages_are_merged() {
    let hours = TimeUpdated::from_payload(&[0x10, 1, 0x10, 2]).unwrap();
    assert_eq!((hours.hour, hours.minute), (2, 0));
    // A year of 7, then a month of 3, each in a date of its own.
    let date = [0x1a, 2, 0x08, 7, 0x1a, 2, 0x10, 3];
    assert_eq!(typed::decode(TimeChanged::NUMBER, &date), Some(Outcome::Direct));
    let merged = TimeChanged::from_payload(&date).unwrap().date.unwrap();
    assert_eq!((merged.year, merged.month, merged.day), (7, 3, 0));
}

#[test]
fn what_is_no_message_is_refused() {
    let ticks: [&[u8]; 11] = [
        &[0x0d, 0, 0, 0, 0],
        &[0x0a, 1, 1],
        &[0x00, 1],
        &[0x88, 0x80, 0x80, 0x80, 0x80, 0x01, 1],
        &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
        &[0x08, 0x80],
        &[0x08],
        &[0xfa, 0x3f, 5, 0],
        &[0xfd, 0x3f, 0, 0, 0],
        &[0xfe, 0x3f],
        &[0xfc, 0x3f],
    ];
    for payload in ticks {
        let outcome = typed::decode(TimeUpdated::NUMBER, payload);
        assert_eq!(outcome, Some(Outcome::Refused), "{payload:?}");
    }
    let reasons: [&[u8]; 4] = [&[0x3a, 2, 0xc3, 0x28], &[0x3a, 3, 0x61], &[0x3a], &[0x38, 1]];
    for payload in reasons {
        let outcome = typed::decode(ClockChanged::NUMBER, payload);
        assert_eq!(outcome, Some(Outcome::Refused), "{payload:?}");
    }
}

#[test]
fn groups_are_skipped_by_prost() {
    // Field 100, a group with a varint in it, then field 2.
    let payload = [0xa3, 0x06, 0x08, 1, 0xa4, 0x06, 0x10, 7];
    assert_eq!(typed::decode(TimeUpdated::NUMBER, &payload), Some(Outcome::ByProst));
    assert_eq!(TimeUpdated::from_payload(&payload).unwrap().hour, 7);
    // Its end is missing, and it ends another one.
    assert_eq!(typed::decode(TimeUpdated::NUMBER, &payload[..4]), Some(Outcome::Refused));
    let crossed = [0xa3, 0x06, 0xac, 0x06];
    assert_eq!(typed::decode(TimeUpdated::NUMBER, &crossed), Some(Outcome::Refused));
}

#[test]
fn what_is_refused_names_the_event_type_and_the_field() {
    let error = ClockChanged::from_payload(&[0x3a, 1, 0xff]).unwrap_err();
    assert_eq!(error.kind(), Kind::WrongPayload);
    let text = error.to_string();
    assert!(
        text.contains("time.clock_changed: ") && text.contains("ClockChanged.reason"),
        "{text}"
    );
}
