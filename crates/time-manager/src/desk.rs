//! Commands on the clocks of a world as REST and gRPC share them: checked field by field, audited,
//! and taken. Not here: what a command does (`command`), how it becomes a segment (`clockwork`),
//! documents and messages.
//! Commands on schedules are in `schedules`.

mod schedules;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::clockwork::{Clockwork, Taken};
use crate::clock::command::{Command, Speed};
use worldbus_service::{Problem, Work};
use worldbus_simulated::EventTypes;
use worldbus_simulated::commands::By;
use worldbus_world::{SetTime, World};

pub(crate) use schedules::{NoSchedule, Wish};

/// The clocks of a world.
#[derive(Clone)]
pub(crate) struct Desk {
    /// By name; the world's own has none.
    clocks: Arc<BTreeMap<String, Face>>,
    event_types: EventTypes,
    /// Places for what grows with the schedules.
    pub(crate) work: Work,
}

/// One clock.
#[derive(Clone)]
pub(crate) struct Face {
    pub(crate) world: Arc<World>,
    pub(crate) clockwork: Arc<Clockwork>,
    /// It is a named clock: its events are those of a world of its own, which has no weather.
    pub(crate) is_own_world: bool,
}

impl Desk {
    pub(crate) fn new(clocks: BTreeMap<String, Face>, event_types: EventTypes, work: Work) -> Self {
        Self { clocks: Arc::new(clocks), event_types, work }
    }

    /// All clocks, the world's own first.
    pub(crate) fn clocks(&self) -> impl Iterator<Item = (&str, &Face)> {
        self.clocks.iter().map(|(name, face)| (name.as_str(), face))
    }

    /// A clock by the world that its events name.
    pub(crate) fn of_world(&self, world: &str) -> Option<&Face> {
        self.clocks.values().find(|face| face.world.id == world)
    }

    /// A clock by its name; the world's own without one.
    pub(crate) fn face(&self, name: &str) -> Result<&Face, Problem> {
        self.clocks.get(name).ok_or_else(|| {
            let names: Vec<_> = self.clocks.keys().filter(|name| !name.is_empty()).collect();
            let known = match names.as_slice() {
                [] => "the world file names none".to_owned(),
                names => format!("the world file names {}", join(names)),
            };
            let detail = format!("clock: {name:.40?} is not known; {known}");
            Problem::not_found(detail).with_field("clock")
        })
    }
}

impl Face {
    pub(crate) async fn set(&self, wish: &SetTime, by: &By) -> Result<Taken, Problem> {
        self.clockwork.command(by, &Command::Set(*wish)).await
    }

    pub(crate) async fn skip(&self, us: i64, by: &By) -> Result<Taken, Problem> {
        self.clockwork.command(by, &Command::skip(us)?).await
    }

    pub(crate) async fn scale(&self, wish: &Speed, by: &By) -> Result<Taken, Problem> {
        self.clockwork.command(by, &Command::scale(wish, &self.clockwork.calendar)?).await
    }

    /// Lets the clock stand or run; does nothing if it does.
    pub(crate) async fn turn(&self, pause: bool, by: &By) -> Result<Taken, Problem> {
        let command = if pause { Command::Pause } else { Command::Resume };
        self.clockwork.command(by, &command).await
    }
}

fn join(names: &[&String]) -> String {
    names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
}
