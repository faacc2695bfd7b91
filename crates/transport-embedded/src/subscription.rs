//! Subscriptions: the state machine of their cursors and leases, its run time in this process, and
//! the two sides that callers have of it, consuming and settling.

pub(crate) mod consumer;
pub(crate) mod cursor;
pub(crate) mod runtime;
pub(crate) mod settler;
pub(crate) mod state;
