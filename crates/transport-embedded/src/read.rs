//! Reading the committed log: from memory while it is recent, else from the disk.

pub(crate) mod pool;
pub(crate) mod reader;
pub(crate) mod tail;
