//! What a service states of itself, once. Command line, topology, roles, deployment and bill read
//! it; none of them has a list of services of its own.

/// What others must know of a service to run it and to connect it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// Its name: the source of its events, its subscription, its command.
    pub name: &'static str,
    /// What its command does, in a line: `Run the clock of a world, over an event-bus`.
    pub about: &'static str,
    /// What the help of its command ends with: examples, and what else users must know.
    pub help: &'static str,
    /// A command of the program that asks it something, without `--url`: `time now`. Empty if there
    /// is none.
    pub ask: &'static str,
    /// The topic of its events; `None` if it publishes what its clients send, on any.
    pub topic: Option<&'static str>,
    /// The event types that its subscription receives, by name; empty: none of its own choice.
    pub receives: &'static [&'static str],
    /// It works on event types of studios, too: those of `--catalog` and those that its bus knows.
    pub studio_types: bool,
    /// What it does with the state store, and may do there.
    pub state: &'static [StateUse],
    /// Its part of the REST interface: `time` for `/api/time/…`. Short: target groups of a
    /// balancer, whose names have 32 characters, end in it.
    pub api: &'static str,
    /// Where it listens by default.
    pub port: u16,
}

/// What a service does with the state store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateUse {
    /// Reads a value.
    Get,
    /// Writes a value if its revision is the expected one.
    CompareAndSet,
    /// Deletes a value.
    Delete,
}
