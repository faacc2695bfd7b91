//! Worldbus in an AWS account: the stacks that it is made of, what a change of them would do, and
//! doing it.
//!
//! The templates under `deploy/aws` are built in. CloudFormation makes and deletes; this decides
//! what to ask of it, follows what happens, and says what to do when something fails. Beside the
//! stacks it creates nothing.
//!
//! Not for: asking people, printing, prices; those are the command line's.

mod account;
mod advice;
mod cloudformation;
mod down;
mod engine;
mod error;
mod evaluate;
mod follow;
mod inventory;
mod options;
mod plan;
mod progress;
mod region;
mod status;
mod tasks;
mod template;
mod up;
mod yaml;

pub use account::Account;
pub use cloudformation::Change;
pub use down::Farewell;
pub use engine::Engine;
pub use error::{Error, Kind};
pub use evaluate::Parameters;
pub use options::{Deployment, Options};
pub use plan::{Changes, Plan, StackPlan};
pub use progress::Progress;
pub use status::{Finding, Status};
pub use template::{Resource, Stack, TEMPLATE_BYTES_MAX, Template};
