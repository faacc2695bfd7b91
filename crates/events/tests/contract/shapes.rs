//! A studio's event types with every kind of field: generated code decodes them as prost does.
//!
//! `shapes/generated.inc` is what `worldbus-events-build` makes of `shapes/shapes.proto`. Its test
//! `code_of_the_shapes_is_as_committed` compares them, and writes the file with `WORLDBUS_BLESS=1`.

use std::path::Path;

use generated::{Dated, Everything, NothingAtAll};
use proptest::prelude::*;
use prost::Message;
use prost::encoding::encode_varint;
use prost_reflect::{DescriptorPool, MessageDescriptor};

use super::decode_any::typed::{Outcome, both_ways};
use super::payloads::made_up::MadeUp;
use worldbus_events::Event;

mod generated {
    #![allow(missing_docs, unreachable_pub, clippy::all)]
    include!("shapes/generated.inc");
}

fn everything() -> MessageDescriptor {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let includes = [root.join("tests/contract/shapes"), root.join("../../proto")];
    let mut compiler = protox::Compiler::new(includes).unwrap();
    compiler.include_imports(true).open_file("shapes.proto").unwrap();
    let pool = DescriptorPool::decode(&compiler.encode_file_descriptor_set()[..]).unwrap();
    pool.get_message_by_name("shapes.v1.Everything").unwrap()
}

#[test]
fn every_kind_of_field_is_read_directly_and_as_prost_reads_it() {
    let everything = everything();
    proptest!(|(seed: u64)| {
        let mut made_up = MadeUp::new(seed);
        let payload = made_up.message(&everything);
        prop_assert_eq!(both_ways::<Everything>(&payload), Outcome::Direct);
        let other = made_up.message(&everything);
        for _ in 0..20 {
            both_ways::<Everything>(&made_up.damaged(&payload, &other));
        }
    });
}

/// The messages of field `next` within one another, so many, with these fields in the innermost.
fn nested(levels: usize, innermost: &[u8]) -> Vec<u8> {
    (0..levels).fold(innermost.to_vec(), |inner, _| {
        let mut outer = vec![0xea, 0x03];
        encode_varint(inner.len() as u64, &mut outer);
        [outer, inner].concat()
    })
}

#[test]
fn messages_are_as_deep_as_prost_has_them() {
    let known = [0x68, 1];
    for levels in 0..110 {
        let expected = match levels {
            0..=32 => Outcome::Direct,
            33..=100 => Outcome::ByProst,
            _ => Outcome::Refused,
        };
        assert_eq!(both_ways::<Everything>(&nested(levels, &known)), expected, "{levels}");
    }
    // prost counts an unknown field, and a group within one, as a level more.
    let unknown = [0xf8, 0x3f, 1];
    assert_eq!(both_ways::<Everything>(&nested(99, &unknown)), Outcome::ByProst);
    assert_eq!(both_ways::<Everything>(&nested(100, &unknown)), Outcome::Refused);
}

#[test]
fn a_type_that_holds_what_is_not_generated_is_decoded_by_prost() {
    let time = Some(prost_types::Timestamp { seconds: 7, nanos: 8 });
    let dated = Dated { time, option: Some(generated::Option::default()) };
    let payload = dated.encode_to_vec();
    assert_eq!(both_ways::<Dated>(&payload), Outcome::ByProst);
    assert_eq!(Dated::from_payload(&payload).unwrap(), dated);
    assert_eq!(both_ways::<Dated>(&payload[..3]), Outcome::Refused);
}

#[test]
fn a_type_without_fields_is_read() {
    assert_eq!(both_ways::<NothingAtAll>(&[]), Outcome::Direct);
    assert_eq!(both_ways::<NothingAtAll>(&[8, 1]), Outcome::Direct);
    assert_eq!(both_ways::<NothingAtAll>(&[8]), Outcome::Refused);
}
