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
//! With a spool ([`connect_with`]) events that are published by `publish_or_spool` outlast an
//! engine that is away: they wait on this machine's disk and arrive in order when it is back.
//!
//! ```no_run
//! use worldbus::{ConnectOptions, Receipt, SpoolOptions, events::v1::DayActivated};
//!
//! # async fn example() -> Result<(), worldbus::Error> {
//! let spool = Some(SpoolOptions::new("./spool"));
//! let options = ConnectOptions { spool, ..ConnectOptions::default() };
//! let bus = worldbus::connect_with("http://127.0.0.1:7070", options).await?;
//! let publisher = bus.publisher("my-service", "europe");
//! match publisher.publish_or_spool(&DayActivated::default()).await? {
//!     Receipt::Durable(id) => println!("{id} is in the engine"),
//!     Receipt::Duplicate(id) => println!("{id} was in the engine before"),
//!     Receipt::Spooled(id) => println!("{id} is on this disk, and in the engine later"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The URL is a [`BusUrl`] or its text. One feature per transport: `embedded`, `remote`, `sns-sqs`;
//! the first two by default.

mod connect;
mod options;
#[cfg(feature = "embedded")]
mod spool;
mod transport;
mod url;
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme {}
#[cfg(doctest)]
#[doc = include_str!("../../../docs/how-to/handlers.md")]
mod handlers {}

pub use connect::{connect, connect_with};
pub use options::ConnectOptions;
#[cfg(feature = "embedded")]
pub use options::SpoolOptions;
pub use url::BusUrl;
pub use worldbus_bus::*;
pub use worldbus_events as events;
