//! How a service runs within a process: what it is given, what it hands over, the places for its
//! long computations, and the end. Not for: the port itself (`http`).

pub mod part;
pub mod shutdown;
pub mod start;
pub mod work;
