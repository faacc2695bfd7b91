//! Dead letters: how events become some, and how they are listed, replayed and discarded.

pub(crate) mod add;
pub(crate) mod admin;
pub(crate) mod replay;
