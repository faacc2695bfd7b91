//! Checks of Rust sources: headers, imports, circles, what is compiled, and how many modules a
//! folder holds.

pub(super) mod circles;
pub(super) mod compiled;
pub(super) mod flat;
pub(super) mod headers;
pub(super) mod imports;
mod modules;
mod source;
