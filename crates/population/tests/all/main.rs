//! The people of a world: what a file makes of them, what they do, and that it makes sense.
#![allow(clippy::disallowed_methods, reason = "tests touch disk and clock")]
#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod causal;
mod file;
mod kit;
mod newcomers;
mod sense;
mod sweep;
