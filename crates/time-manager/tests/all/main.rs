//! The time-manager over a real bus: what it announces, takes and refuses, alone and with others of
//! its kind.
#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]
#![allow(unreachable_pub, reason = "a kit of a crate without others")]

mod boundaries;
mod calendar_rest;
mod calendars;
mod catch_up;
mod clocks;
mod grpc;
mod instances;
mod kit;
mod moments;
mod requests;
mod rest;
mod schedules;
mod sun;
mod wrong_clocks;
