//! Checks of the docs: the map, the decisions, links, and quoted programs.

pub(super) mod adr;
pub(super) mod links;
pub(super) mod map;
pub(super) mod quotes;
