//! The services besides the event-bus. A new one is a line here: its command, its settings in `up`,
//! its topic, queue and role in AWS, and its lines in the bill all come from what it states.

use std::marker::PhantomData;
use std::process::ExitCode;

use anyhow::Result;
use async_trait::async_trait;
use clap::{ArgMatches, Args as _, Command, FromArgMatches, Subcommand};

use super::ServeArguments;
use super::alone::{self, Alone};
use super::not_started;
use worldbus_npc_behavior::NpcBehavior;
use worldbus_service::config::{self, Error, Resolved, Setting, Settings};
use worldbus_service::{Description, Part};
use worldbus_simulated::{Service, Setup};
use worldbus_storyteller::Storyteller;
use worldbus_time_manager::TimeManager;
use worldbus_weather_manager::WeatherManager;
use worldbus_world::World;
use worldbus_world_state::WorldState;

/// In the order in which people read of them.
pub(crate) const SERVICES: &[&dyn AnyService] = &[
    &Registered::<TimeManager>::NEW,
    &Registered::<WeatherManager>::NEW,
    &Registered::<NpcBehavior>::NEW,
    &Registered::<WorldState>::NEW,
    &Registered::<Storyteller>::NEW,
];

/// What they state of themselves.
pub(crate) fn descriptions() -> impl Iterator<Item = Description> {
    SERVICES.iter().map(|service| service.description())
}

/// What they and the event-bus state of themselves.
pub(crate) fn all_descriptions() -> impl Iterator<Item = Description> {
    descriptions().chain([worldbus_event_bus::DESCRIPTION])
}

/// A service as this program has it, whatever its type.
#[async_trait]
pub(crate) trait AnyService: Sync {
    fn description(&self) -> Description;

    /// The settings that it alone has.
    fn declare(&self) -> Vec<Setting>;

    /// Refuses values that these settings cannot take.
    fn parse(&self, from: &Resolved) -> Result<(), Error>;

    /// Refuses settings that do not fit each other or the world, before anything is opened.
    fn check(&self, from: &Resolved, world: &World) -> Result<Box<dyn Checked>>;

    /// Its command.
    fn command(&self) -> Command;

    /// Runs its command.
    async fn run(&self, matches: &ArgMatches) -> Result<ExitCode>;

    /// The section on its command's settings in the reference.
    fn reference(&self) -> String;
}

/// A service that can be started: nothing is wrong with its settings.
#[async_trait]
pub(crate) trait Checked: Send {
    async fn start(self: Box<Self>, setup: Setup) -> Result<Part>;
}

struct CheckedService<S: Service> {
    settings: S::Settings,
    checked: S::Checked,
}

#[async_trait]
impl<S: Service> Checked for CheckedService<S> {
    async fn start(self: Box<Self>, setup: Setup) -> Result<Part> {
        let part = S::start(setup, self.settings, self.checked).await;
        part.map_err(|error| not_started(S::DESCRIPTION.name, error))
    }
}

/// A service by its type.
struct Registered<S>(PhantomData<fn() -> S>);

impl<S> Registered<S> {
    const NEW: Self = Self(PhantomData);
}

#[async_trait]
impl<S: Service> AnyService for Registered<S> {
    fn description(&self) -> Description {
        S::DESCRIPTION
    }

    fn declare(&self) -> Vec<Setting> {
        S::Settings::declare()
    }

    fn parse(&self, from: &Resolved) -> Result<(), Error> {
        S::Settings::from_resolved(from).map(drop)
    }

    fn check(&self, from: &Resolved, world: &World) -> Result<Box<dyn Checked>> {
        let settings = S::Settings::from_resolved(from)?;
        let checked = S::check(&settings, world)?;
        Ok(Box::new(CheckedService::<S> { settings, checked }))
    }

    fn command(&self) -> Command {
        let Description { name, about, help, .. } = S::DESCRIPTION;
        let command = ServeArguments::<Alone<S>>::augment_args(Command::new(name));
        command.about(about).after_help(help)
    }

    async fn run(&self, matches: &ArgMatches) -> Result<ExitCode> {
        alone::run::<S>(&ServeArguments::from_arg_matches(matches)?).await
    }

    fn reference(&self) -> String {
        config::reference::<Alone<S>>(&format!("worldbus {}", S::DESCRIPTION.name))
    }
}

/// The settings of all of them, of which each takes its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServiceSettings;

impl Settings for ServiceSettings {
    const ABOUT: &'static str = "Settings of the services.";

    fn declare() -> Vec<Setting> {
        SERVICES.iter().flat_map(|service| service.declare()).collect()
    }

    fn from_resolved(resolved: &Resolved) -> Result<Self, Error> {
        SERVICES.iter().try_for_each(|service| service.parse(resolved))?;
        Ok(Self)
    }
}

/// The command line of one of them.
#[derive(Debug)]
pub(crate) struct ServiceCommand {
    name: String,
    matches: ArgMatches,
}

impl ServiceCommand {
    /// Runs the service.
    pub(crate) async fn run(&self) -> Result<ExitCode> {
        let service = SERVICES.iter().find(|service| service.description().name == self.name);
        match service {
            Some(service) => service.run(&self.matches).await,
            None => anyhow::bail!("no service is named {:?}", self.name),
        }
    }
}

impl Subcommand for ServiceCommand {
    fn augment_subcommands(command: Command) -> Command {
        command.subcommands(SERVICES.iter().map(|service| service.command()))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        descriptions().any(|service| service.name == name)
    }
}

impl FromArgMatches for ServiceCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        match matches.subcommand() {
            Some((name, matches)) if Self::has_subcommand(name) => {
                Ok(Self { name: name.to_owned(), matches: matches.clone() })
            }
            _ => Err(clap::Error::new(clap::error::ErrorKind::MissingSubcommand)),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::serve::EventBus;
    use worldbus_service::{API_CHARACTERS_MAX, API_COUNT_MAX};

    #[test]
    fn no_two_services_share_a_name_a_port_or_a_part_of_the_rest_interface() {
        let count = all_descriptions().count();
        assert_eq!(all_descriptions().map(|of| of.name).collect::<BTreeSet<_>>().len(), count);
        assert_eq!(all_descriptions().map(|of| of.port).collect::<BTreeSet<_>>().len(), count);
        let parts: Vec<_> = all_descriptions().flat_map(|of| of.api).collect();
        assert_eq!(parts.iter().collect::<BTreeSet<_>>().len(), parts.len());
    }

    /// With the longest name of a system, `-i-` and this a target group has 32 characters.
    #[test]
    fn names_of_target_groups_differ_by_the_beginnings_of_the_parts_of_the_rest_interface() {
        let short = |first: &'static str| first.get(..API_CHARACTERS_MAX).unwrap_or(first);
        let groups: BTreeSet<_> = descriptions().map(|of| short(of.api[0])).collect();
        assert_eq!(groups.len(), descriptions().count());
    }

    #[test]
    fn rule_of_the_balancer_has_room_for_every_part_of_a_service() {
        for of in descriptions() {
            assert!((1..=API_COUNT_MAX).contains(&of.api.len()), "{}: {:?}", of.name, of.api);
        }
    }

    /// One environment, one file and `up` serve them all.
    #[test]
    fn no_setting_of_a_service_has_the_name_of_another_one() {
        let mut names = BTreeSet::new();
        for setting in crate::serve::Up::declare() {
            assert!(names.insert(setting.name), "{} is declared twice", setting.name);
        }
    }

    #[test]
    fn event_bus_listens_by_default_where_its_description_states() {
        let declared = EventBus::declare();
        let listen = declared.iter().find(|setting| setting.name == "listen").unwrap();
        let port = format!(":{}", worldbus_event_bus::DESCRIPTION.port);
        assert!(listen.default.as_ref().unwrap().ends_with(&port));
    }
}
