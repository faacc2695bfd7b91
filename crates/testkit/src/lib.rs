//! For tests of services: a real bus and a real state store in a directory, a wall clock
//! that stands until it is moved, instances of services on ports of their own, publishers that a
//! test watches or holds up, chance that can be repeated. And emulated AWS, for whoever talks to
//! it; what is asked of it; the judge of rights. And a PostgreSQL server.
//!
//! Not for: what ships, and tests that need real processes (those are the binary's).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test kit panics")]
#![allow(clippy::missing_panics_doc, reason = "a test kit panics")]

mod asked;
mod dice;
mod emulator;
mod instance;
mod place;
mod postgres;
mod proxy;
mod rights;
mod scripted_aws;
mod state_contract;
mod watched;

use std::time::Duration;

pub use asked::{Asked, Recorder};
pub use dice::Dice;
pub use emulator::{Emulator, EmulatorKind, free_port};
pub use instance::Instance;
pub use place::{BEGIN_US, Place, Seen};
pub use postgres::PostgresServer;
pub use proxy::{HttpMessage, Proxy};
pub use rights::{Grant, Policy};
pub use scripted_aws::{AwsAnswer, AwsCall, scripted_aws};
pub use state_contract::keeps_the_state_contract;
pub use watched::Watched;

/// No test waits longer than this for anything.
pub const DEADLINE: Duration = Duration::from_secs(60);
