//! What holds the contract from outside the crate: golden vectors and the fuzz corpus.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod corpus;
mod golden;
mod vectors;
