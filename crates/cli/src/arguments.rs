//! The command line as a whole: which verbs there are. What each takes is with the verb.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::ask::{chronicle, director, people, state, time, weather};
use crate::cloud::{cost, deploy, dev, plan, topology};
use crate::generate::{completions, config_reference, man};
use crate::inspect::{catalog, dead_letters, health, inventory, log, services, tail};
use crate::output::color::Color;
use crate::serve::ServeArguments;
use crate::serve::services::ServiceCommand;
use crate::worlds::{climate, world};
use crate::{bench, publish, serve};
use worldbus_event_bus::DESCRIPTION as EVENT_BUS;

/// The binary event backbone of a living game world.
#[derive(Debug, Parser)]
#[command(name = "worldbus", version = VERSION, after_help = HELP, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// When to colour what is for people
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Color,
}

/// The version, and the commit that it was built from.
const VERSION: &str = env!("WORLDBUS_VERSION");

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in one process: clock, weather, people, bus, REST
    #[command(after_help = serve::HELP_OF_UP)]
    Up(ServeArguments<serve::Up>),
    #[command(flatten)]
    Service(ServiceCommand),
    #[command(about = EVENT_BUS.about, after_help = EVENT_BUS.help)]
    EventBus(ServeArguments<serve::EventBus>),
    /// Show events, past and as they come
    Tail(tail::TailArguments),
    /// Publish an event, or one a line from standard input
    Publish(publish::PublishArguments),
    /// Show and command the clocks of a world, and schedule events by them
    Time(time::TimeArguments),
    /// Show and force the weather of a world
    Weather(weather::WeatherArguments),
    /// Show the people of a world, and direct them
    People(people::PeopleArguments),
    /// Show and change the state of a world
    State(state::StateArguments),
    /// Search the chronicle of a world, sum it up, and make a book of it
    Chronicle(chronicle::ChronicleArguments),
    /// Show what the director proposes, and answer it
    Director(director::DirectorArguments),
    /// The same as `time schedule`
    #[command(hide = true)]
    Schedule(time::ScheduleArguments),
    /// List the event types, or register those of a studio at a bus: add, list
    Catalog(catalog::CatalogArguments),
    /// List, show, replay or discard what subscriptions could not handle
    DeadLetters(dead_letters::DeadLettersArguments),
    /// List or delete the topics of a bus
    Topics(inventory::TopicsArguments),
    /// List or delete the subscriptions of a bus
    Subscriptions(inventory::SubscriptionsArguments),
    /// List the services of this program, and what each publishes and receives
    Services(services::ServicesArguments),
    /// Compare or create the topics and queues that a bus over SNS and SQS needs
    Topology(topology::TopologyArguments),
    /// Run everything in the cloud
    #[command(subcommand)]
    Deploy(deploy::DeployCommand),
    /// Ask the service on this machine whether it is healthy; exit code 1 if not
    Health(health::HealthArguments),
    /// Measure an engine: events a second, and how long each takes
    Bench(bench::BenchArguments),
    /// Check or repair a log that no process has open
    #[command(subcommand)]
    Log(log::LogCommand),
    /// Tools for development
    #[command(subcommand)]
    Dev(dev::DevCommand),
    /// Plan what to run for a load: engine, how many, settings, disk, network, dollars
    Plan(plan::PlanArguments),
    /// Estimate what a load costs over AWS SNS and SQS
    Cost(cost::CostArguments),
    /// Make climates, print their weather, compare them with observations
    #[command(subcommand)]
    Climate(climate::ClimateCommand),
    /// Look at a world before it is run
    #[command(subcommand)]
    World(world::WorldCommand),
    /// Print what a shell completes
    Completions(completions::CompletionsArguments),
    /// Write a man page for each verb
    Man(man::ManArguments),
    /// Print docs/reference/config.md
    #[command(hide = true)]
    ConfigReference,
}

const HELP: &str = "\
Begin with:
  worldbus up                             a world on http://127.0.0.1:7070
  worldbus tail                           its events, from a second terminal
  worldbus time now                       and what time it is there

Each setting has a flag, an environment variable (WORLDBUS_URL for --url) and a key in the file
of --config; `--print-config` shows what is in force and why. WORLDBUS_API_KEY has no flag.

Exit codes:
  0    done; or asked to stop (Ctrl-C, SIGTERM) and drained
  1    refused or failed; the message says what to do
  2    the command line, the configuration or the world file is wrong; nothing was started
  130  a second Ctrl-C or SIGTERM cut the drain short";

impl Command {
    /// Runs the verb.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Up(arguments) => serve::up(&arguments).await,
            Self::Service(command) => command.run().await,
            Self::EventBus(arguments) => serve::event_bus(&arguments).await,
            Self::Tail(arguments) => tail::run(arguments).await,
            Self::Publish(arguments) => publish::run(arguments).await,
            Self::Time(arguments) => time::run(arguments).await,
            Self::Weather(arguments) => weather::run(arguments).await,
            Self::People(arguments) => people::run(arguments).await,
            Self::State(arguments) => state::run(arguments).await,
            Self::Chronicle(arguments) => chronicle::run(arguments).await,
            Self::Director(arguments) => director::run(arguments).await,
            Self::Schedule(arguments) => time::run_schedule(arguments).await,
            Self::Catalog(arguments) => catalog::run(arguments).await,
            Self::DeadLetters(arguments) => dead_letters::run(arguments).await,
            Self::Topics(arguments) => inventory::topics(arguments).await,
            Self::Subscriptions(arguments) => inventory::subscriptions(arguments).await,
            Self::Services(arguments) => services::run(&arguments),
            Self::Topology(arguments) => topology::run(arguments).await,
            Self::Deploy(command) => deploy::run(command).await,
            Self::Health(arguments) => health::run(&arguments).await,
            Self::Bench(arguments) => bench::run(arguments).await,
            Self::Log(command) => log::run(&command),
            Self::Dev(command) => dev::run(command).await,
            Self::Plan(arguments) => plan::run(&arguments),
            Self::Cost(arguments) => cost::run(&arguments),
            Self::Climate(command) => climate::run(&command),
            Self::World(command) => world::run(&command),
            Self::Completions(arguments) => completions::run(&arguments, Arguments::command()),
            Self::Man(arguments) => man::run(&arguments, Arguments::command()),
            Self::ConfigReference => config_reference::run(),
        }
    }
}

#[cfg(test)]
mod tests;
