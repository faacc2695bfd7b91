//! The weather-manager: announces the weather of one world and takes overrides of it.
//!
//! It computes from the clock's segments that it received and from the commands that it took, both
//! kept in its own state; several instances share that state and compute the same events with
//! the same ids, of which the bus drops the twins.
//!
//! Not for: the weather itself (`worldbus-world`), the clock (the time-manager), the port.

mod agenda;
mod commands;
mod requests;
mod rest;
mod simulation;
mod sky;
mod start;

pub use commands::COMMAND_COUNT_MAX;
pub use start::{Settings, WeatherManager};

/// Intensity where none is given: in the middle of a state's band.
const INTENSITY_DEFAULT: u16 = 500;

/// The service's name: the source of its events and its subscription.
pub const NAME: &str = "weather-manager";

/// The topic of its events.
pub const TOPIC: &str = <worldbus_events::v1::WeatherChanged as worldbus_events::Event>::TOPIC;
