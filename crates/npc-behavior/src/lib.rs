//! The npc-behavior service: announces what the people of one world do, and takes directives.
//!
//! It computes from the clock and the overrides of the weather that it received and from the
//! commands that it took, all kept in its own state; several instances share that state and compute
//! the same events with the same ids, of which the bus drops the twins.
//!
//! Not for: what people do (`worldbus-population`), the weather (`worldbus-world`), the port.

mod agenda;
mod commands;
mod desk;
mod emission;
mod followers;
mod grpc;
mod requests;
mod rest;
mod simulation;
mod start;
mod town;
mod weather;

pub use commands::COMMAND_COUNT_MAX;
pub use start::{NpcBehavior, Settings};

/// The service's name: the source of its events and its subscription.
pub const NAME: &str = "npc-behavior";

/// The topic of its events.
pub const TOPIC: &str = <worldbus_events::v1::NpcActivityChanged as worldbus_events::Event>::TOPIC;
