//! How much a router has under way at a time, and which events may be. Not here: holding to it
//! (`flow`).

use super::PREFETCH_BYTES;

/// Which events may be under way at the same time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Those of different entities. Events of one entity are handled one after the other, and so
    /// are those of a topic that name no entity.
    #[default]
    PerEntity,
    /// All. Handling begins in order, and nothing else is in order; what is retried may be
    /// overtaken. For handlers that first of all enter a queue which keeps the order, as
    /// [`Gather`](crate::Gather) does, and handlers to which order means nothing.
    BeginOnly,
}

/// How much is under way at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Events, at least 1.
    pub(super) concurrency: usize,
    /// Bytes of batches that were taken, beyond which no other is.
    pub(super) prefetch_bytes: usize,
    pub(super) order: Order,
}

impl Default for Limits {
    fn default() -> Self {
        Self { concurrency: 1, prefetch_bytes: PREFETCH_BYTES, order: Order::default() }
    }
}
