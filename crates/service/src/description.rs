//! What a service states of itself, once. Command line, topology, roles, deployment and bill read
//! it; none of them has a list of services of its own.

/// What others must know of a service to run it and to connect it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// Its name: the source of its events, its subscription, its command.
    pub name: &'static str,
    /// The topic of its events; `None` if it publishes what its clients send, on any.
    pub topic: Option<&'static str>,
    /// The event types that its subscription receives, by name; empty: none of its own choice.
    pub receives: &'static [&'static str],
    /// Its part of the REST interface: `time` for `/api/time/…`. Short: target groups of a
    /// balancer, whose names have 32 characters, end in it.
    pub api: &'static str,
    /// Where it listens by default.
    pub port: u16,
}
