//! The kit of simulated services: those whose events are a function of the world's clock, so that
//! each of several instances computes the same events with the same ids and the bus drops the
//! twins.
//!
//! A service implements [`Simulated`]: what it emits next, given up to where everything is
//! durable. The [`Ticker`] takes its steps when their wall time comes, publishes through an
//! [`Emitter`], and keeps its [`Progress`] so that a restart continues there. It computes from the
//! world's clock, which it follows ([`follow`], [`SharedClock`]), and from commands, which its
//! instances keep together ([`commands`]); the [`Lead`] lets each of them know in time. A program
//! runs it as a [`Service`].
//!
//! A [`Service`] is for every service of a world, also for one whose state is data and which needs
//! nothing else of this. Not for: the meaning of events.
//! Nothing off the shelf does this: schedulers elect a leader, which these services do not need.

mod causes;
mod checkpoint;
mod clock;
pub mod commands;
mod emit;
mod event_types;
pub mod follow;
mod lead;
mod service;
mod ticker;
mod wake;
pub mod weather;

pub use causes::Causes;
pub use checkpoint::{Checkpoint, Checkpoints, Progress};
pub use clock::{SharedClock, segment};
pub use emit::{Emitted, Emitter};
pub use event_types::{EventTypes, Refresh};
pub use lead::{LEAD_MS_MAX, Lead};
pub use service::{Service, Setup};
pub use ticker::{Emission, Simulated, Step, Ticker};
pub use wake::Wake;
