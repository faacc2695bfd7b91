//! The weather-manager over a real bus: what it announces, takes and refuses, alone and with others
//! of its kind.
#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]
#![allow(unreachable_pub, reason = "a kit of a crate without others")]

mod boundaries;
mod followers;
mod kit;
mod live;
mod many_overrides;
mod requests;
mod rest;
mod work;
mod wrong_clocks;
