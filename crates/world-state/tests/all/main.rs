//! The world-state over a real bus: what it answers, publishes, and takes from others.
#![allow(clippy::disallowed_methods, reason = "tests touch disk and clock")]
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod expiry;
mod grpc;
mod joiners;
mod kit;
mod projections;
mod publishing;
mod requests;
mod rest;
mod throughput;
