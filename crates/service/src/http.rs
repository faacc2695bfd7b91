//! What is served on the one port of a process, REST and gRPC alike: who may enter, how requests
//! are read and refused, how routes are described, and the server beneath. Not for: what a route
//! does (the services), health and metrics (`observe`).

pub mod access;
pub(crate) mod content;
pub(crate) mod describe;
pub mod extract;
pub(crate) mod home;
pub mod outbound;
pub mod problem;
pub(crate) mod reflection;
pub mod server;
