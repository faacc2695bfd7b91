//! The verbs about AWS: what runs there, what it needs, what it costs, and an emulator of it on
//! this machine; and what to run for a load, there or elsewhere. Not here: the work itself, which
//! is in `worldbus-deploy`, `worldbus-cost` and `worldbus-transport-sns-sqs`.

pub(crate) mod composition;
pub(crate) mod cost;
pub(crate) mod deploy;
pub(crate) mod dev;
pub(crate) mod plan;
pub(crate) mod topology;
