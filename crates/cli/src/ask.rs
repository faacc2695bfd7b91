//! The verbs of the services of a world: each asks one over its REST interface, or commands it.
//! Not here: what a service does, and the verbs of the bus itself (`inspect`, `publish`).

pub(crate) mod chronicle;
pub(crate) mod director;
pub(crate) mod people;
pub(crate) mod state;
pub(crate) mod time;
pub(crate) mod weather;
