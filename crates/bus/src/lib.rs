//! Publish and subscribe, whatever carries the batches.
//!
//! Not for: any vendor (transports are crates of their own), the meaning of events (`events`).

mod capabilities;
mod error;
mod names;
mod seen;
mod transport;
mod wall;

pub use capabilities::{Capabilities, Capability};
pub use error::{Error, Fate, Kind};
pub use names::{SubscriptionName, Topic};
pub use seen::{SeenLimits, SeenWindow};
pub use transport::{
    Appended, Consumer, DeadEvent, DeadLetter, Delivered, Filter, Lease, Outcome, Position,
    ReadSpec, Reader, Settle, StoredBatch, SubscriptionSpec, TopicStatus, Transport,
};
pub use wall::{SystemClock, WallClock};
