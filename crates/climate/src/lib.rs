//! The offline tools of a climate: observations in, figures of them out, and what a preset makes
//! of them compared band by band. Used by `worldbus climate` and by tests, never by a running
//! world, so speed and the last bit do not matter here.
//! Not here: the weather itself (`worldbus-world`), files and standard output (the command line).
#![expect(clippy::disallowed_methods, reason = "offline: the last bit of a cosine does not matter")]

pub mod bands;
pub mod build;
pub mod csv;
pub mod invariants;
pub mod normals;
pub mod observations;
pub mod plots;
pub mod preset_file;
pub mod sample;
pub mod spatial;
pub mod statistics;
pub mod targets;
