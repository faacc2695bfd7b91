//! The remote transport: the event-bus of another process, over gRPC, with the behaviour of
//! the transport behind it.
//!
//! Publishes gather while one call is under way, and so do settlements: a busy client makes
//! few large calls, an idle one waits for nothing. What comes again and again goes on a stream that
//! stays open, since a call of its own takes more than what is in it: publishes on one of the
//! connection, settlements on the stream of the deliveries. Streams of deliveries and of stored
//! batches outlive their connections: they reconnect with back-off, and their users do not notice.
//!
//! Not for: retrying publishes (the bus's publisher does, it knows the fates), nor for
//! spooling while the event-bus is away.

mod channel;
mod consumer;
mod failure;
mod line;
mod link;
mod options;
mod publisher;
mod reader;
mod remote;
mod settler;

pub use options::{ApiKey, RemoteOptions};
pub use remote::Remote;
