//! The contract of Worldbus in Rust: event types, event ids, the columnar batch codec, the
//! catalogue, the JSON form.
//!
//! No I/O, no async, no clock. `docs/reference/contract.md` describes the same for other languages.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests touch disk and clock"))]

mod batch;
mod catalogue;
pub mod codec;
mod error;
mod event;
mod exact;
mod id;
pub mod json;
pub mod limits;
mod varint;
pub mod wire;

pub use batch::{About, Batch, BatchBuilder, EventView, Events, NewEvent};
pub use catalogue::{Catalogue, Change, EventType, Extension, Owner, SharedCatalogue, asyncapi};
pub use codec::ContentType;
pub use error::{Error, Kind};
pub use event::Event;
pub use exact::exact;
pub use id::{EventId, ProducerId};
/// What generated code is made with, so that a studio needs no version of its own.
pub use prost;

/// The messages of `worldbus.events.v1`, generated from `proto/worldbus/events/v1`. Their
/// documentation is that of the .proto files.
#[allow(missing_docs, clippy::all)]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/worldbus.events.v1.rs"));
}

/// The FileDescriptorSet of the contract, catalogue options included.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/catalogue.binpb"));
