//! The event-bus over HTTP and gRPC, with a log of its own behind it.
#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]
#![allow(unreachable_pub, reason = "a kit of a crate without others")]

mod bounds;
mod conformance;
mod remote;
mod rest;
mod server;
mod tools;
mod wire;
