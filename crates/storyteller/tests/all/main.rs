//! The storyteller over a real bus: what it writes, publishes, finds and refuses, alone and with
//! others of its kind.
#![allow(clippy::disallowed_methods, reason = "tests touch disk and clock")]
#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]
#![allow(unreachable_pub, reason = "a kit of a crate without others")]

mod database;
mod director;
mod kit;
mod rest;
mod rewriting;
mod twins;
