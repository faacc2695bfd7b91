//! The event-bus: serves a transport of its own process to others, over gRPC to services and
//! over REST and SSE to people, tools and web pages.
//!
//! Not for: storing or routing, which the transport behind it does; who may enter, which the
//! access check of the service kit decides.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests touch disk and clock"))]

mod grpc;
pub mod limits;
mod mirror;
mod open;
mod part;
mod places;
mod registry;
mod rest;
mod slots;
mod tally;

pub use mirror::Mirror;
pub use part::{Setup, part};
pub use registry::{REGISTERED_BYTES_MAX, REGISTERED_TOPIC_COUNT_MAX, Registry};
pub use slots::{GRACE_MS, SLOT_COUNT_MAX, Slot, Slots, TERM_MS, slot_name};

#[cfg(test)]
mod tests;

use worldbus_service::{Description, Publishes, StateUse};

/// The service's name: the source of what is published over REST, and its subscription over an
/// engine that keeps no past.
pub const NAME: &str = "event-bus";

/// What it states of itself.
pub const DESCRIPTION: Description = Description {
    name: NAME,
    about: "Run the bus for other processes: gRPC, REST, live stream",
    help: HELP,
    ask: Some("topics list"),
    publishes: Publishes::WhatClientsSend,
    requests: &[],
    receives: &[],
    studio_types: true,
    state: &[StateUse::Get, StateUse::CompareAndSet, StateUse::Delete],
    database: false,
    api: &["events"],
    port: 7070,
};

const HELP: &str = "\
Examples:
  worldbus event-bus                      its log: ./worldbus-data/bus
  worldbus event-bus --url embedded:/var/lib/worldbus/bus
  worldbus topics list                    what it holds";
