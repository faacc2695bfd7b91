//! The forms agree: random events of every type go from binary to JSON to binary, and from JSON to
//! binary to JSON, and are what they were.
//!
//! `WORLDBUS_TEST_FORMS_CASES` sets how many (some thousands, if it is not set):
//! `WORLDBUS_TEST_FORMS_CASES=10000000 cargo test --release -p worldbus-events both_forms`.
//! Not by proptest's strategies, which take longer to draw an event than the codec to read it: an
//! event is a function of its number, which a failure names.

use std::collections::{BTreeMap, HashMap};

use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};

use super::studio::CATALOGUE;
use crate::codec::{self, ContentType};
use crate::json::{read, write_event};
use crate::{Batch, BatchBuilder, EventId, EventType, NewEvent, ProducerId};

/// Events that are tried where nothing else is asked for.
const CASES: u64 = 4_000;
/// Messages within one another.
const DEPTH_MAX: usize = 3;

/// SplitMix64: enough chance for a test, and the same everywhere.
struct Chance(u64);

impl Chance {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// Numbers of all sizes, and the ends of their range.
    fn number(&mut self) -> u64 {
        match self.below(8) {
            0 => u64::MAX,
            1 => 1 << 63,
            2 => (1 << 63) - 1,
            3 => 0,
            _ => self.bits() >> self.below(64),
        }
    }

    fn text(&mut self) -> String {
        const TEXTS: [&str; 8] =
            ["", "oslo", "a\"b\\", "\u{0}\u{1f}", "é😀", "\u{feff}x", "NaN", "1"];
        let mut text = TEXTS[self.below(TEXTS.len())].to_owned();
        if self.below(4) == 0 {
            text.extend(char::from_u32(self.bits() as u32 & 0xf_ffff));
        }
        text
    }

    /// Any double but the other zero, which proto3 takes for the default, and the other NaNs.
    fn double(&mut self) -> f64 {
        match f64::from_bits(self.bits()) {
            _ if self.below(8) == 0 => (self.number() as i64) as f64 / 100.0,
            number if number.is_nan() => f64::NAN,
            number => number + 0.0,
        }
    }

    fn float(&mut self) -> f32 {
        match f32::from_bits(self.bits() as u32) {
            _ if self.below(8) == 0 => f32::MAX,
            number if number.is_nan() => f32::NAN,
            number => number + 0.0,
        }
    }
}

/// A message with some of its fields set.
fn message(of: &MessageDescriptor, chance: &mut Chance, depth: usize) -> DynamicMessage {
    let mut message = DynamicMessage::new(of.clone());
    let fields = of.fields().len().max(1);
    for field in of.fields() {
        // Small messages whole, large ones a few fields at a time.
        if chance.below(fields) < 4 && may_be_set(&field, depth) {
            let value = field_value(&field, chance, depth);
            message.set_field(&field, value);
        }
    }
    message
}

fn may_be_set(field: &FieldDescriptor, depth: usize) -> bool {
    match field.kind() {
        // Without a type it has no JSON.
        Kind::Message(of) if of.full_name() == "google.protobuf.Any" => false,
        Kind::Message(_) => depth < DEPTH_MAX,
        _ => true,
    }
}

fn field_value(field: &FieldDescriptor, chance: &mut Chance, depth: usize) -> Value {
    match field.kind() {
        Kind::Message(entry) if field.is_map() => {
            let key = key(&entry.map_entry_key_field().kind(), chance);
            let value = single(&entry.map_entry_value_field().kind(), chance, depth);
            // One entry: the order of more is free.
            Value::Map(HashMap::from([(key, value)]))
        }
        kind if field.is_list() => {
            let count = chance.below(4);
            Value::List((0..count).map(|_| single(&kind, chance, depth)).collect())
        }
        kind => single(&kind, chance, depth),
    }
}

fn key(kind: &Kind, chance: &mut Chance) -> MapKey {
    match kind {
        Kind::Bool => MapKey::Bool(chance.below(2) == 0),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => MapKey::I32(chance.number() as i32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => MapKey::I64(chance.number() as i64),
        Kind::Uint32 | Kind::Fixed32 => MapKey::U32(chance.number() as u32),
        Kind::Uint64 | Kind::Fixed64 => MapKey::U64(chance.number()),
        _ => MapKey::String(chance.text()),
    }
}

fn single(kind: &Kind, chance: &mut Chance, depth: usize) -> Value {
    match kind {
        Kind::Double => Value::F64(chance.double()),
        Kind::Float => Value::F32(chance.float()),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(chance.number() as i32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(chance.number() as i64),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(chance.number() as u32),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(chance.number()),
        Kind::Bool => Value::Bool(chance.below(2) == 0),
        Kind::String => Value::String(chance.text()),
        Kind::Bytes => {
            let bytes = chance.bits().to_le_bytes();
            Value::Bytes(bytes[..chance.below(9)].to_vec().into())
        }
        Kind::Enum(of) if of.full_name() == "google.protobuf.NullValue" => Value::EnumNumber(0),
        Kind::Enum(of) => match of.values().nth(chance.below(1 + of.values().len())) {
            Some(value) => Value::EnumNumber(value.number()),
            None => Value::EnumNumber(chance.number() as i32),
        },
        Kind::Message(of) => Value::Message(match of.full_name() {
            name if name.starts_with("google.protobuf.") => well_known(of, chance),
            _ => message(of, chance, depth + 1),
        }),
    }
}

/// One of Google's types, as JSON has it.
fn well_known(of: &MessageDescriptor, chance: &mut Chance) -> DynamicMessage {
    let mut message = DynamicMessage::new(of.clone());
    let seconds = (chance.bits() % 100_000_000_000) as i64;
    match of.name() {
        "Timestamp" | "Duration" => {
            message.set_field_by_name("seconds", Value::I64(seconds));
            let nanos = chance.below(1_000_000_000) as i32;
            message.set_field_by_name("nanos", Value::I32(nanos));
        }
        "Value" => {
            let number = Some(chance.double()).filter(|number| number.is_finite());
            message.set_field_by_name("number_value", Value::F64(number.unwrap_or(0.5)));
        }
        _ => {
            if let Some(field) = of.get_field_by_name("value") {
                // Not finite: the JSON of bytes, see the conformance cases.
                let value = match single(&field.kind(), chance, DEPTH_MAX) {
                    Value::F64(number) if !number.is_finite() => Value::F64(0.5),
                    value => value,
                };
                message.set_field(&field, value);
            }
        }
    }
    message
}

fn batch(of: &EventType, payload: &[u8], chance: &mut Chance) -> Batch {
    let names = ["", "europe", "a/b \"c\""];
    let mut builder = BatchBuilder::new(names[chance.below(3)], names[chance.below(3)]);
    let metadata = BTreeMap::from([(format!("k{}", chance.text()), chance.text())]);
    let (entity, place) = (chance.text(), chance.text());
    let producer = ProducerId::from_bits(chance.bits() | 1);
    builder
        .push(NewEvent {
            event_type: of.number(),
            id: EventId { producer, sequence: chance.number() },
            timestamp_ms: chance.number() as i64,
            entity: Some(&entity).filter(|entity| !entity.is_empty()).map(String::as_str),
            place: Some(&place).filter(|place| !place.is_empty()).map(String::as_str),
            payload,
            metadata: (chance.below(4) == 0).then_some(&metadata),
        })
        .unwrap();
    builder.finish().unwrap()
}

/// One event through all forms; `texts` are used again, so that a run of millions allocates little.
fn case(number: u64, texts: &mut [String; 2]) {
    let mut chance = Chance(number.wrapping_mul(0xd134_2543_de82_ef95));
    let types = CATALOGUE.iter().count();
    // Every other event is of the type that has all kinds.
    let at = if number.is_multiple_of(2) { types - 1 } else { chance.below(types) };
    let event_type = CATALOGUE.iter().nth(at).unwrap();
    let payload = message(event_type.message(), &mut chance, 0).encode_to_vec();
    let batch = batch(event_type, &payload, &mut chance);

    let [first, second] = texts;
    first.clear();
    write_event(first, &batch.iter().next().unwrap(), &CATALOGUE);
    assert!(first.contains(event_type.name()), "case {number}: opaque: {first}");
    let input = read(first, &CATALOGUE).unwrap_or_else(|e| panic!("case {number}: {e}: {first}"));
    assert_eq!(input.payload, payload, "case {number}: {first}");

    let json = codec::decode(ContentType::Json, first.clone().into_bytes().into(), &CATALOGUE);
    let json = json.unwrap_or_else(|e| panic!("case {number}: {e}: {first}"));
    let view = json.iter().next().unwrap();
    second.clear();
    write_event(second, &view, &CATALOGUE);
    assert_eq!(first, second, "case {number}");
    assert_eq!(json, batch, "case {number}: {first}");

    let single = codec::encode(ContentType::GameEvent, &batch, &CATALOGUE).unwrap();
    let single = codec::decode(ContentType::GameEvent, single, &CATALOGUE);
    assert_eq!(single.unwrap(), batch, "case {number}: {first}");
}

#[test]
fn random_events_of_every_type_are_the_same_in_both_forms() {
    let cases = std::env::var("WORLDBUS_TEST_FORMS_CASES");
    let cases = cases.map_or(CASES, |text| text.parse().unwrap());
    let mut texts = [String::new(), String::new()];
    for number in 0..cases {
        case(number, &mut texts);
    }
}
