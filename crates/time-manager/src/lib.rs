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

pub use desk::Refresh;
pub use schedule::{SCHEDULE_COUNT_MAX, SCHEDULE_PAYLOAD_BYTES_MAX, SCHEDULES_BYTES_MAX};
pub use simulation::CatchUp;
pub use start::{Settings, check_cadence, start};

/// The service's name: the source of its events and its subscription.
pub const NAME: &str = "time-manager";

/// The topic of its events.
pub const TOPIC: &str = <worldbus_events::v1::TimeUpdated as worldbus_events::Event>::TOPIC;

/// What it is to those who run it.
pub const DESCRIPTION: worldbus_service::Description = worldbus_service::Description {
    name: NAME,
    topic: Some(TOPIC),
    receives: &[<worldbus_events::v1::ClockRequested as worldbus_events::Event>::NAME],
    api: "time",
    port: 7071,
};
