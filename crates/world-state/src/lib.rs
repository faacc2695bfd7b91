//! The world-state: the facts of one world that services and game masters write, as entities with
//! fields, changed by atomic steps.
//!
//! Unlike the simulated services its state is data, in a database of its own. A step, the event
//! that it becomes and its idempotency key are one transaction; events are published from there in
//! the order of the versions, each under one id for ever. So the state is the fold of what was
//! published ([`model::Fold`]).
//!
//! Not for: what can be computed from the clock (`worldbus-world`), small state of services (the
//! state store of the service kit), the port.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests touch disk and clock"))]

mod asked;
mod desk;
mod expiries;
mod grpc;
pub mod model;
mod outbox;
mod projections;
mod requests;
mod rest;
mod start;
pub mod store;

pub use start::{Settings, WorldState};

/// The service's name: the source of its events and its subscription.
pub const NAME: &str = "world-state";

/// The topic of its events.
pub const TOPIC: &str = <worldbus_events::v1::WorldStateUpdated as worldbus_events::Event>::TOPIC;
