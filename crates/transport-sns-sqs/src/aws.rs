//! The calls of SNS and SQS: queues in our words, requests entry by entry, what a failure means,
//! and where topics and queues are.

pub(crate) mod entries;
pub(crate) mod failure;
pub(crate) mod lookup;
pub(crate) mod queue;
