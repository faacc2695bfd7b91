//! The binary `worldbus`: reads the command line, composes services, runs them. Also the clients
//! of a bus: `tail`, `publish`, `dead-letters`, `topics`, `subscriptions`, `catalog`, `bench`;
//! those of a service: `time`, `weather`, `people`, `state`, `chronicle`, `director`; `deploy`,
//! which talks to an AWS account; and `plan`, `cost`, `climate` and `world`, which estimate and
//! simulate.
//!
//! Not for: the work itself, which is in the services and libraries; what is here only connects
//! them and speaks with people and scripts.
#![expect(clippy::disallowed_methods, reason = "the adapter of this machine: files, environment")]

mod arguments;
mod ask;
mod bench;
mod cloud;
mod generate;
mod inspect;
mod output;
mod publish;
mod serve;
mod session;
mod settings;
mod worlds;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;

use arguments::Arguments;
use output::failure;
use worldbus_service::{build, logging, shutdown};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    build::set_commit(env!("WORLDBUS_BUILT_FROM"));
    arguments.color.decide();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure::report(&error.into()),
    };
    let result = runtime.block_on(run(arguments));
    // A thread may still wait for standard input; it ends with the process.
    runtime.shutdown_background();
    logging::flush();
    result.unwrap_or_else(|error| failure::report(&error))
}

async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    shutdown::survive_file_size_limit().context("cannot listen for signals")?;
    arguments.command.run().await
}
