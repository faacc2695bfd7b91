//! The remote transport: the event-bus of another process, over gRPC, with the behaviour of
//! the transport behind it.
//!
//! Publishes gather while one call is under way, and so do settlements: a busy client makes
//! few large calls, an idle one waits for nothing. Streams of deliveries and of stored batches
//! outlive their connections: they reconnect with back-off, and their users do not notice.
//!
//! Not for: retrying publishes (the bus's publisher does, it knows the fates), nor for
//! spooling while the event-bus is away.

mod channel;
mod consumer;
mod failure;
mod link;
mod options;
mod reader;
mod remote;
mod settler;

pub use options::{ApiKey, RemoteOptions};
pub use remote::Remote;
