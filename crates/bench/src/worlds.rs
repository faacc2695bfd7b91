//! What worlds take: the simulation on one core, and a service that keeps up with many regions.
//! Not here: what carries their events.

mod grid;
pub(crate) mod regions;
pub(crate) mod world;
