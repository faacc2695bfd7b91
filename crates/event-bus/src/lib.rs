//! The event-bus: serves a transport of its own process to others, over gRPC to services and
//! over REST and SSE to people, tools and web pages.
//!
//! Not for: storing or routing, which the transport behind it does; who may enter, which the
//! door of the service kit decides.

mod grpc;
pub mod limits;
mod open;
mod part;
mod rest;
mod tally;

pub use part::{Setup, part};
