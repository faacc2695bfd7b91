//! The layers around handlers: those that every handler has, retry and tracing, and those that a
//! router is given. From the outside in:
//!
//! ```text
//! Router::layer ▸ RateLimit ▸ Trace ▸ Retry ▸ Breaker ▸ Timeout ▸ handler
//!   once an event                    │  once an attempt
//! ```
//! Whatever the order in which a router is given them. Those of this crate are handlers around
//! handlers, as those of [`Router::layer`](super::Router::layer) are, so that each can be put
//! elsewhere: a `Timeout` there bounds an event with all its attempts.

mod breaker;
mod rate_limit;
mod retry;
mod timeout;
mod trace;

pub use breaker::{Breaker, Broken};
pub use rate_limit::{Limited, RateLimit};
pub use retry::{Retry, RetryPolicy};
pub use timeout::Timeout;
pub use trace::Trace;
