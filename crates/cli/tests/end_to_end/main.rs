//! The binary `worldbus` as its users meet it: real processes, real ports, real signals and kills,
//! over REST, standard output and exit codes.
//!
//! Ports are chosen by the system and read from the line `listening on http://…`. Every wait is for
//! a condition, with a deadline.
#![allow(clippy::disallowed_methods, reason = "tests touch disk and clock")]
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod aws;
mod bench;
mod catalogue;
mod chronicle;
mod clients;
mod climate;
mod clocks;
mod crash;
mod cursors;
mod dead_letters;
mod deploy;
mod description;
mod docs;
mod drain;
mod every_process;
mod formats;
mod inventory;
mod outage;
mod pipes;
mod postgres;
mod refusals;
mod replacement;
mod requests;
mod roles;
mod schedules;
mod slots;
mod spool;
mod state;
mod support;
mod tail;
mod time;
mod tls;
mod traces;
mod weather;
mod world_check;
mod worlds;
