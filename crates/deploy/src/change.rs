//! Changing an installation: up and down, what is followed and shown meanwhile, and what is there
//! after a failure.

pub(crate) mod database;
pub(crate) mod down;
pub(crate) mod follow;
pub(crate) mod inventory;
pub(crate) mod progress;
pub(crate) mod tasks;
pub(crate) mod up;
