//! Hostile bytes of every content type: `cargo +nightly fuzz run decode`.
//!
//! What is tried stands in `../decode_any.rs`, which the test `corpus` of `crates/events` runs
//! on the committed corpus as well.

#![no_main]

#[path = "../decode_any.rs"]
mod decode_any;

libfuzzer_sys::fuzz_target!(|input: &[u8]| decode_any::decode_any(input));
