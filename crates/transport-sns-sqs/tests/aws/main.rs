//! The transport against emulated AWS: real HTTP, real programs, no account. What no emulator does
//! on demand, such as failing some entries of a batch call, a scripted peer does.
//!
//! What this cannot show: that AWS itself behaves as its emulators do.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests start programs")]

mod answers;
mod arrays;
mod clients;
mod contract;
mod deliveries;
mod faults;
mod line;
mod masks;
mod peer;
