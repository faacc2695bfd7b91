//! What people and scripts see of a command: its failure, and text that does not steer a terminal.

pub(crate) mod failure;
pub(crate) mod terminal;
