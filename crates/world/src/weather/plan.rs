//! What is going to be if no one intervenes: from the latent field to the numbers of a
//! region's hour, one by one and swept. Not here: what numbers are called (`classify`), overrides.

pub(super) mod field;
pub(super) mod hour;
pub(super) mod kept;
pub(super) mod mix;
pub(super) mod moment;
pub(super) mod noise;
mod sweep;
mod trial;

pub use sweep::Sweep;
pub use trial::{Trial, TrialHour};
