//! A clock as its instances keep it together: its history, the commands on it, and the requests for
//! them. Not here: its arithmetic (`worldbus-world`), what it brings (`agenda`), who asks for a
//! command and how (`desk`, `rest`, `grpc`, `requests`).

pub(crate) mod clockwork;
pub(crate) mod command;
pub(crate) mod history;
pub(crate) mod request;
