//! The gRPC service of the event-bus in Rust: generated stubs, and the one place where the
//! bus's types become messages and come back. `transport-remote` is the client of it,
//! `event-bus` the server.
//!
//! Not for: connections, retries, anything that waits.

mod convert;
pub mod limits;
mod status;

pub use convert::{batch, capabilities, outcome};
pub use status::{CONTEXT_BYTES_MAX, ERROR_METADATA, from_status, to_status};

/// The messages and stubs of `worldbus.bus.v1`, generated from `proto/worldbus/bus/v1`. Their
/// documentation is that of the .proto file.
#[allow(missing_docs, clippy::all, unreachable_pub)]
pub mod v1 {
    tonic::include_proto!("worldbus.bus.v1");
}

/// The FileDescriptorSet of the service with what it imports, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bus.binpb"));
