//! The suite that every transport passes: what the comments of the `Transport` trait promise, as
//! checks, made of what a transport declares it can do. For transports of third parties as well.
//!
//! Not for: damage, full disks, and what only one engine has; each transport shows those with
//! tests of its own.
#![doc = "\n"]
#![doc = include_str!("../README.md")]
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a check fails by a panic")]
#![allow(clippy::disallowed_methods, reason = "a test kit: it writes the matrix that is committed")]

mod checks;
mod engine;
mod events;
pub mod faulty;
mod matrix;
mod report;
mod run;
mod wait;

pub use engine::{DEADLINE, Engine, Pace};
pub use events::{batch, id, spec, topic, typed};
pub use report::{Report, Verdict};
pub use run::{check, check_only};
pub use wait::{next, read_all, soon};
