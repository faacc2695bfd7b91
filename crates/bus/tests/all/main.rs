//! Publisher, router and spool over a real engine, one that fails when it is asked to.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(unreachable_pub, reason = "a kit of a crate without others")]

mod because;
mod kit;
mod layers;
mod publish;
mod request;
mod route;
mod scripted;
mod side_by_side;
mod spool;
