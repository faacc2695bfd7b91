//! The storyteller: writes the chronicle of one world, entries from events and stories that run over
//! several, as text that can be searched.
//!
//! What it writes is a function of the events, the rules and the world's seed: every instance gives
//! the same entries under the same ids, also after a restart, and the bus drops the twins.
//!
//! Not for: what happens in the world (the services that publish it), the port.

mod grammar;
mod ids;
mod ledger;
mod observe;
mod rules;
mod store;

/// The service's name: the source of its events and its subscription.
pub const NAME: &str = "storyteller";
