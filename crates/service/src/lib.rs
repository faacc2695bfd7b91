//! The service kit: what every worldbus service needs around its own work, and nothing about the
//! meaning of events. Configuration in layers, access (who may enter), problem documents,
//! health, metrics and traces, one port for HTTP and gRPC, draining, logs, and small durable state.
//!
//! A service hands a [`Part`] to its binary: routes, their description, and the tasks that run
//! with them. The binary passes one part (a single service) or several (`worldbus up`) to
//! [`part::Host::run`]; none of them can tell the difference.
//!
//! This crate, the binary and the transports are the only places that read the environment or open
//! sockets. Everything here is given to services as arguments; the wall clock is the bus's.
//!
//! ```no_run
//! use worldbus_service::{Part, config, access::Access, part::Host, server, shutdown};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let flags = config::Flags::<config::Common>::default();
//! let settings = config::load(&flags, &config::Machine)?.settings;
//! let shutdown = shutdown::on_signal()?;
//! let access = Access::new(settings.listen, settings.api_key.clone())?;
//! let listener = server::bind(settings.listen).await?;
//! let part = Part::new("example", axum::Router::new());
//! Host::new("example", access).with(part).run(listener, shutdown).await?;
//! # Ok(())
//! # }
//! ```
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests touch disk and clock"))]

pub mod config;
mod description;
pub mod file;
mod http;
mod nearest;
mod observe;
mod run;
pub mod secret;
pub mod state;

#[cfg(test)]
mod testing;

pub use self::http::extract::{Json, NoQuery, OptionalJson, Path, Query};
pub use self::http::problem::Problem;
pub use self::http::{access, extract, outbound, problem, server};
pub use description::{API_CHARACTERS_MAX, API_COUNT_MAX, Description, Publishes, StateUse};
pub use observe::health::Readiness;
pub use observe::{build, colour, health, logging, metrics, panics, trace};
pub use run::part::{Part, Task};
pub use run::start::{DatabaseUrl, Deps};
pub use run::work::Work;
pub use run::{part, shutdown, start, work};
pub use secret::{Secret, SecretUrl};
pub use state::StateStore;
pub use tokio_util::sync::CancellationToken;
