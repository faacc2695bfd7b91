//! The binary `worldbus`: reads the command line, composes services, runs them. Also the clients
//! of a bus: `tail`, `publish`, `dead-letters`, `topics`, `subscriptions`, `catalog`; `deploy`,
//! which talks to an AWS account; and `cost`, `climate` and `world`, which reckon.
//!
//! Not for: the work itself, which is in the services and libraries; what is here only connects
//! them and speaks with people and scripts.
#![expect(clippy::disallowed_methods, reason = "the adapter of this machine: files, environment")]

mod arguments;
mod cloud;
mod inspect;
mod output;
mod publish;
mod reference;
mod serve;
mod session;
mod settings;
mod time;
mod worlds;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;

use worldbus_service::{logging, shutdown};

use arguments::{Arguments, Command, DevCommand};
use cloud::deploy::DeployCommand;
use cloud::{cost, deploy, dev, topology};
use inspect::inventory::Thing;
use inspect::{catalog, dead_letters, health, inventory, tail};
use output::failure;
use time::schedule;
use worlds::{climate, world};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure::report(&error.into()),
    };
    let result = runtime.block_on(run(arguments.command));
    // A thread may still wait for standard input; it ends with the process.
    runtime.shutdown_background();
    logging::flush();
    result.unwrap_or_else(|error| failure::report(&error))
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    shutdown::survive_file_size_limit().context("cannot listen for signals")?;
    match command {
        Command::Up(flags) => serve::up(&flags).await,
        Command::TimeManager(flags) => serve::time_manager(&flags).await,
        Command::WeatherManager(flags) => serve::weather_manager(&flags).await,
        Command::EventBus(flags) => serve::event_bus(&flags).await,
        Command::Tail(arguments) => tail::run(arguments).await,
        Command::Publish(arguments) => publish::run(arguments).await,
        Command::Schedule(arguments) => schedule::run(arguments).await,
        Command::Catalog(arguments) => catalog::run(arguments).await,
        Command::DeadLetters(arguments) => dead_letters::run(arguments).await,
        Command::Topics(command) => inventory::run(Thing::Topic, command).await,
        Command::Subscriptions(command) => inventory::run(Thing::Subscription, command).await,
        Command::Topology(arguments) => topology::run(arguments).await,
        Command::Cost(arguments) => cost::run(&arguments),
        Command::Climate(command) => climate::run(&command),
        Command::Deploy(DeployCommand::Aws(arguments)) => deploy::aws(arguments).await,
        Command::Health(flags) => health::run(&flags).await,
        Command::Dev(DevCommand::Aws(arguments)) => dev::aws(arguments).await,
        Command::World(command) => world::run(&command),
        Command::ConfigReference => reference::run(),
    }
}
