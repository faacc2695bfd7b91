//! How a transport calls its engine: few large calls while it is busy, and again after a pause
//! where one failed.

mod backoff;
mod gather;

pub use backoff::Backoff;
pub use gather::{Call, Gather, GatherLimits};
