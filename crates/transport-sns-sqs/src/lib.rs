//! Events over AWS: SNS topics fanned out to SQS queues, in binary.
//!
//! Topic `weather` is the SNS topic `gaming-system-weather-events`, subscription
//! `weather-manager` the SQS queue `gaming-system-weather-manager-events`; its dead letters are in
//! the queue of that name with `-dead-letters`. A batch travels in the Binary message attribute
//! `batch`, delivered raw; the body is a line of JSON for people. `docs/how-to/sns-sqs.md` has it
//! for other languages.
//!
//! The one crate that names the AWS SDK for messaging. Not for: order and the past, which SNS and
//! standard SQS queues do not have.

mod aws;
mod consume;
mod dead_letters;
mod names;
mod options;
mod publish;
pub mod topology;
mod transport;
mod wire;

pub use aws::queue::ACK_LINGER;
pub use names::Names;
pub use options::{Encoding, Options};
pub use transport::{Setup, SnsSqs};
