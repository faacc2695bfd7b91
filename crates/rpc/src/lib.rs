//! The gRPC services in Rust: generated stubs, and the one place where the bus's types become
//! messages and come back. Of the bus's service `transport-remote` is the client and `event-bus`
//! the server; of that of clocks and schedules ([`time`]) `cli` and `time-manager`;
//! that of a world's state ([`state`]) has its server in `world-state`, that of its people
//! ([`people`]) in `npc-behavior`.
//!
//! Of connections it knows only where one goes ([`endpoint()`]). Not for: retries, anything that
//! waits.

mod codec;
mod convert;
mod endpoint;
pub mod limits;
mod status;

pub use convert::{batch, capabilities, outcome};
pub use endpoint::endpoint;
pub use status::{CONTEXT_BYTES_MAX, ERROR_METADATA, from_status, to_status};

/// The messages and stubs of `worldbus.bus.v1`, generated from `proto/worldbus/bus/v1`. Their
/// documentation is that of the .proto file.
#[allow(missing_docs, clippy::all, unreachable_pub)]
pub mod v1 {
    tonic::include_proto!("worldbus.bus.v1");
}

/// The messages and stubs of `worldbus.time.v1`, generated from `proto/worldbus/time/v1`. Their
/// documentation is that of the .proto file.
#[allow(missing_docs, clippy::all, clippy::pedantic, unreachable_pub)]
pub mod time {
    tonic::include_proto!("worldbus.time.v1");
}

/// The messages and stubs of `worldbus.state.v1`, generated from `proto/worldbus/state/v1`. Their
/// documentation is that of the .proto file.
#[allow(missing_docs, clippy::all, clippy::pedantic, unreachable_pub)]
pub mod state {
    tonic::include_proto!("worldbus.state.v1");
}

/// The messages and stubs of `worldbus.people.v1`, generated from `proto/worldbus/people/v1`. Their
/// documentation is that of the .proto file.
#[allow(missing_docs, clippy::all, clippy::pedantic, unreachable_pub)]
pub mod people {
    tonic::include_proto!("worldbus.people.v1");
}

/// The FileDescriptorSet of the bus's service with what it imports, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bus.binpb"));

/// The same of the service of clocks and schedules.
pub const TIME_FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/time.binpb"));

/// The same of the service of a world's state.
pub const STATE_FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/state.binpb"));

/// The same of the service of a world's people.
pub const PEOPLE_FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/people.binpb"));
