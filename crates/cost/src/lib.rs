//! What a load takes, as far as it can be known beforehand: what to run for it (`plan`), by
//! measured points that are built in; events over SNS and SQS (`model`), and a whole deployment in
//! a month (`bill`), by a built-in price table (`prices`).
//!
//! Pure: no I/O, no async, no clock, and nothing asks AWS. Not for: the command line and its table
//! of ways, which are in `worldbus-cli`. No crate does this: what a batch, a linger and a lease
//! cost is ours alone.

pub mod bill;
pub mod model;
pub mod plan;
pub mod prices;
