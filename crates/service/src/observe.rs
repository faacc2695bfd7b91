//! What operators see of a process: health, metrics, traces, logs, and what becomes of a panic.
//! Not for: what is worth reporting, which whoever does the work knows.

pub mod build;
pub mod colour;
pub mod health;
pub mod logging;
pub mod metrics;
pub mod panics;
pub mod trace;
