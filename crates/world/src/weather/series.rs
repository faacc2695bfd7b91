//! What follows from the weather of many hours: spells, the ground, summaries, forecasts that may
//! be wrong. Not here: the weather of an hour.

mod ground;
mod guess;
mod severe;
mod summary;

pub use ground::{GROUND_LOOK_BACK_HOURS, Ground};
pub use guess::{Confidence, Guess};
pub use severe::{ONSET_HOURS_MAX, SPELL_HOURS_MAX, SPELL_STEP_HOURS, Severity, Spell};
pub use summary::Summary;
