//! Commands on what a simulated service computes: who gives them and why ([`By`]), the ordered log
//! of them with revision, undo and audit ([`CommandLog`]), and how several instances keep one state
//! of them ([`Keeper`]). Not here: what a command does (the service), how far ahead it takes
//! effect ([`Lead`](crate::Lead)).

mod by;
mod keeper;
mod log;
mod passed;

pub use by::{ACTOR_BYTES_MAX, By, REASON_BYTES_MAX};
pub use keeper::{Changed, Keeper, Log, View, check_wait};
pub use log::{Act, CAUSE_COUNT_MAX, Command, CommandLog};
pub use passed::Passed;
