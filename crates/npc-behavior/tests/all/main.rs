//! The npc-behavior service over a real bus and a real state store, with a wall clock that stands
//! until it is moved.
#![allow(clippy::disallowed_methods, reason = "tests touch disk and clock")]
#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod directives;
mod events;
mod figures;
mod grpc;
mod instances;
mod kit;
mod residents;
mod rest;
mod weather;
