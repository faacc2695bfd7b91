//! The model of a world's state, pure: names, values, steps, what a step does to what is there,
//! and the fold of what was published. Not here: where it is kept (`store`), clocks, events' ids.

pub mod apply;
pub mod fold;
mod limits;
mod name;
mod refusal;
mod step;
#[cfg(test)]
mod tests;
mod value;

pub use apply::{Facts, Head, Outcome, apply};
pub use fold::{Fold, FoldedEntity, NoFold};
pub use limits::*;
pub use name::{EntityName, FieldName, check_prefix};
pub use refusal::{Refusal, Why};
pub use step::{Change, Key, Op, Step, StepParts};
pub use value::Value;
