//! How a command that uses a bus begins: from settings to an open bus and its event types.

pub(crate) mod catalogue;
pub(crate) mod connection;
