//! The verbs that simulate without running anything: what a world file makes, and climates.

pub(crate) mod climate;
pub(crate) mod world;
