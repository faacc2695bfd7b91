//! Consuming a queue: tasks that poll it, what they hold for the consumer, whose leases those are,
//! and settling them.

pub(crate) mod capacity;
pub(crate) mod consumer;
pub(crate) mod inbox;
pub(crate) mod ledger;
pub(crate) mod poll;
pub(crate) mod settler;
