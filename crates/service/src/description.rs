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
    /// A command of the program that asks it something, without `--url`: `time now`.
    pub ask: Option<&'static str>,
    /// What it publishes to.
    pub publishes: Publishes,
    /// The requests to other services that it publishes besides, by name; each has its own topic.
    pub requests: &'static [&'static str],
    /// The event types that its subscription receives, by name; empty: none of its own choice.
    pub receives: &'static [&'static str],
    /// It works on event types of studios, too: those of `--catalog` and those that its bus knows.
    pub studio_types: bool,
    /// What it does with the state store, and may do there; empty if it keeps nothing.
    pub state: &'static [StateUse],
    /// It keeps what it writes in the database that the settings name. Without one it is kept in
    /// files: instances on several machines would each have their own.
    pub database: bool,
    /// Its parts of the REST interface: `time` for `/api/time` and what is below. At least one and
    /// at most [`API_COUNT_MAX`]; the first [`API_CHARACTERS_MAX`] characters of the first are no
    /// other service's.
    pub api: &'static [&'static str],
    /// Where it listens by default.
    pub port: u16,
}

/// The characters of [`Description::api`] in the names of a balancer's target groups, which have 32
/// characters, of which 22 are the system's.
pub const API_CHARACTERS_MAX: usize = 7;
/// A rule of a balancer compares with five paths at most (D), and a part of the interface is two.
pub const API_COUNT_MAX: usize = 2;

/// Where events of a service go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publishes {
    /// To a topic, which is its own.
    To(&'static str),
    /// To any, as its clients ask.
    WhatClientsSend,
    /// Nowhere: it only receives.
    Nothing,
}

impl Publishes {
    /// The topic that is its own.
    pub fn topic(self) -> Option<&'static str> {
        match self {
            Self::To(topic) => Some(topic),
            Self::WhatClientsSend | Self::Nothing => None,
        }
    }
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
