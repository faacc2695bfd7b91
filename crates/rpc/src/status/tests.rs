//! Tests of `status`.

use super::*;

#[test]
fn error_survives_the_status_with_kind_fate_and_text() {
    let error = Error::unknown(Kind::Timeout, "no answer within 10 s; é");
    let back = from_status(&to_status(&error)).expect("it carries one");
    assert_eq!(back.kind(), Kind::Timeout);
    assert_eq!(back.fate(), Fate::Unknown);
    assert_eq!(back.context(), error.context());
}

#[test]
fn long_text_is_cut_between_characters() {
    let error = Error::refused(Kind::Invalid, "é".repeat(CONTEXT_BYTES_MAX));
    let back = from_status(&to_status(&error)).expect("it carries one");
    assert_eq!(back.context(), "é".repeat(CONTEXT_BYTES_MAX / 2));
}

#[test]
fn status_of_another_server_carries_none() {
    assert!(from_status(&Status::unavailable("proxy")).is_none());
    let mut noise = Status::unavailable("noise");
    noise.metadata_mut().insert_bin(ERROR_METADATA, MetadataValue::from_bytes(&[0xff, 0xff]));
    assert!(from_status(&noise).is_none());
}
