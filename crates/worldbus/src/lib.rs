//! What users of Worldbus add to their Cargo.toml: the API of the bus and the events, and
//! [`connect`], which chooses the transport by URL.
//!
//! ```no_run
//! use worldbus::events::v1::{WeatherChanged, WeatherState};
//!
//! # async fn example() -> Result<(), worldbus::Error> {
//! let bus = worldbus::connect("embedded:./worldbus-data/bus", None).await?;
//! let publisher = bus.publisher("my-service", "europe");
//! let rain = WeatherChanged { new_state: WeatherState::Rain.into(), ..Default::default() };
//! publisher.publish_about("brussels", &rain).await?; // durable when this returns
//! # Ok(())
//! # }
//! ```
//!
//! One feature per transport: `embedded`, `remote`, `sns-sqs`; the first two by default.

mod connect;
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme {}

pub use connect::{ConnectOptions, connect, connect_with};
pub use worldbus_bus::*;
pub use worldbus_events as events;
