//! The kit of simulated services: those whose events are a function of the world's clock, so that
//! each of several instances computes the same events with the same ids and the bus drops the
//! twins.
//!
//! A service implements [`Simulated`]: what it emits next, given up to where everything is
//! durable. The [`Ticker`] takes its steps when their wall time comes, publishes through an
//! [`Emitter`], and keeps its [`Progress`] so that a restart continues there. Where commands change
//! what is computed, the [`Lead`] lets every instance know of them in time.
//!
//! Not for: services whose state is data (the service kit alone), and the meaning of events.
//! Nothing off the shelf does this: schedulers elect a leader, which these services do not need.

mod causes;
mod checkpoint;
mod emit;
mod lead;
mod ticker;

pub use causes::Causes;
pub use checkpoint::{Checkpoint, Checkpoints, Progress};
pub use emit::{Emitted, Emitter};
pub use lead::{LEAD_MS_MAX, Lead};
pub use ticker::{Emission, Simulated, Step, Ticker};
