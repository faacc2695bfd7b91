//! Checks of Rust sources: headers, what is compiled, imports, circles, and how many modules a folder holds.

pub(super) mod circles;
pub(super) mod compiled;
pub(super) mod flat;
pub(super) mod headers;
pub(super) mod imports;
mod modules;
mod source;
