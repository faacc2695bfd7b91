//! The settings of a command out of the layers: flags, environment, file, defaults; and which
//! commands have some. Not here: which settings there are, which is with the commands.

use crate::serve::services::SERVICES;
use crate::serve::{EventBus, Up};
use crate::settings::{
    Chronicle, Client, Health, People, Publish, State, StudioTypes, Time, Weather,
};
use worldbus_service::config::{self, Error, Flags, Loaded, Machine, Setting, Settings};

/// Merges the layers. Settings of our other commands may be set: one environment and one file serve
/// all.
pub(crate) fn load<S: Settings>(flags: &Flags<S>) -> Result<Loaded<S>, Error> {
    let elsewhere: Vec<Setting> = commands().flat_map(|command| command.declared).collect();
    config::load_tolerating(flags, &Machine, &elsewhere)
}

/// A command with settings.
pub(crate) struct Configured {
    /// Writes its section of the reference.
    pub(crate) reference: Box<dyn Fn() -> String>,
    declared: Vec<Setting>,
}

/// Every command with settings, in the order of the reference.
pub(crate) fn commands() -> impl Iterator<Item = Configured> {
    let serving = [of::<Up>("worldbus up"), of::<EventBus>("worldbus event-bus")];
    // Their settings are those of `up`.
    let services = SERVICES.iter().map(|service| Configured {
        reference: Box::new(|| service.reference()),
        declared: Vec::new(),
    });
    let clients = [
        of::<Client>("worldbus tail"),
        of::<Publish>("worldbus publish"),
        of::<Time>("worldbus time"),
        of::<Weather>("worldbus weather"),
        of::<People>("worldbus people"),
        of::<State>("worldbus state"),
        of::<Chronicle>("worldbus chronicle"),
        of::<StudioTypes>("worldbus catalog"),
        of::<Health>("worldbus health"),
    ];
    serving.into_iter().chain(services).chain(clients)
}

fn of<S: Settings>(title: &'static str) -> Configured {
    let reference = Box::new(|| config::reference::<S>(title));
    Configured { reference, declared: S::declare() }
}
