//! Payloads of the catalogue's event types are decoded by generated code as prost decodes them.

pub(crate) mod made_up;

use std::cell::RefCell;

use proptest::prelude::*;
use prost_reflect::{DescriptorPool, MessageDescriptor};

use super::decode_any::typed::{self, Outcome};
use super::vectors;
use made_up::MadeUp;
use worldbus_events::v1::{ClockChanged, TimeUpdated};
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
