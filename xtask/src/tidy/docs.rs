//! Checks of the docs: the map, the decisions, and links.

pub(super) mod adr;
pub(super) mod links;
pub(super) mod map;
