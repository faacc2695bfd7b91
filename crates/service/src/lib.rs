//! The service kit: what every worldbus service needs around its own work, and nothing about the
//! meaning of events. Configuration in layers, the door (who may enter), problem documents,
//! health, metrics and traces, one port for HTTP and gRPC, draining, logs, and small durable state.
//!
//! A service hands a [`Part`] to its binary: routes, their description, and the tasks that run
//! beside them. The binary passes one part (a single service) or several (`worldbus up`) to
//! [`part::Host::run`]; none of them can tell the difference.
//!
//! This crate, the binary and the transports are the only places that read the environment or open
//! sockets. Everything here is given to services as arguments; the wall clock is the bus's.
//!
//! ```no_run
//! use worldbus_service::{Part, config, door::Door, part::Host, server, shutdown};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let flags = config::Flags::<config::Common>::default();
//! let settings = config::load(&flags, &config::Machine)?.settings;
//! let shutdown = shutdown::on_signal()?;
//! let door = Door::new(settings.listen, settings.api_key.clone())?;
//! let listener = server::bind(settings.listen).await?;
//! let part = Part::new("example", axum::Router::new());
//! Host::new("example", door).with(part).run(listener, shutdown).await?;
//! # Ok(())
//! # }
//! ```

pub mod colour;
pub mod config;
mod describe;
pub mod door;
pub mod extract;
pub mod file;
pub mod health;
mod home;
pub mod logging;
pub mod metrics;
pub mod panics;
pub mod part;
pub mod problem;
mod reflection;
pub mod secret;
pub mod server;
pub mod shutdown;
pub mod start;
pub mod state;
pub mod trace;
pub mod work;

#[cfg(test)]
mod testing;

pub use extract::{Json, NoQuery, OptionalJson, Path, Query};
pub use health::Readiness;
pub use part::{Part, Task};
pub use problem::Problem;
pub use secret::Secret;
pub use start::Deps;
pub use state::StateStore;
pub use tokio_util::sync::CancellationToken;
pub use work::Work;
