//! Worldbus in an AWS account: the stacks that it is made of, what a change of them would do, and
//! doing it.
//!
//! The templates under `deploy/aws` are built in. CloudFormation makes and deletes; this decides
//! what to ask of it, follows what happens, and gives advice when something fails. Besides the
//! stacks it creates nothing.
//!
//! Not for: asking people, printing, prices; those are the command line's.

mod aws;
mod change;
mod engine;
mod error;
mod options;
mod plan;
mod status;
mod template;

pub use aws::account::Account;
pub use aws::cloudformation::Change;
pub use change::down::Farewell;
pub use change::progress::Progress;
pub use engine::Engine;
pub use error::{Error, Kind};
pub use options::{Deployment, Options};
pub use plan::{Changes, Plan, StackPlan};
pub use status::{Finding, Status};
pub use template::built_in::{Resource, Stack, TEMPLATE_BYTES_MAX, Template, templates};
pub use template::evaluate::Parameters;
pub use template::expand::{ClockRole, Composition, ServiceSite};
