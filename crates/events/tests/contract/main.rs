//! What holds the contract from outside the crate: golden vectors and the fuzz corpus.

#![allow(clippy::disallowed_methods, reason = "tests touch disk and clock")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod corpus;
#[path = "../../../../fuzz/decode_any.rs"]
mod decode_any;
mod golden;
mod payloads;
mod shapes;
mod vectors;
