//! What only the embedded log can show; the contract is in `conformance`, crashes in `kill`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod bounds;
mod clocks;
mod damage;
mod deleting;
mod embedded;
mod expiry;
mod readers;
mod resuming;
