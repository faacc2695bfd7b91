//! The time-manager: announces the game time of one world and takes its clock's commands.
//!
//! It alone writes the clock's segments, to the state store. Several instances may share one
//! store and one bus: each computes the same events with the same ids from the same segments,
//! and the bus drops the twins.
//!
//! Not for: the clock's arithmetic (`worldbus-world`), storage, the port (the service kit).

mod agenda;
mod clock;
mod desk;
mod grpc;
mod requests;
mod rest;
mod schedule;
mod simulation;
mod start;

pub use schedule::{SCHEDULE_COUNT_MAX, SCHEDULE_PAYLOAD_BYTES_MAX, SCHEDULES_BYTES_MAX};
pub use simulation::CatchUp;
pub use start::{Settings, TimeManager};

/// The service's name: the source of its events and its subscription.
pub const NAME: &str = "time-manager";

/// The topic of its events.
pub const TOPIC: &str = <worldbus_events::v1::TimeUpdated as worldbus_events::Event>::TOPIC;
