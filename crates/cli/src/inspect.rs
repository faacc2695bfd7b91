//! The verbs that look at a running bus or service: its events, its topics and subscriptions, its
//! dead letters, its event types, its health; at a log that no process has open; and at the
//! services that this program has.

pub(crate) mod catalog;
pub(crate) mod dead_letters;
pub(crate) mod health;
pub(crate) mod inventory;
pub(crate) mod log;
pub(crate) mod services;
pub(crate) mod tail;
