//! Writing the log: what waits for the writer, what a commit will hold, and the one thread that
//! commits it.

pub(crate) mod plan;
pub(crate) mod queue;
pub(crate) mod writer;
