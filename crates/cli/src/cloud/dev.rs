//! `worldbus dev aws`: an emulator of AWS on this machine, so that SNS and SQS can be tried without
//! an account. Installed once, in a Python environment of its own.

mod emulator;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::output;
use crate::output::format::Format;
use emulator::Emulator;
use worldbus_service::config::LogFormat;
use worldbus_service::{logging, shutdown};

/// What the emulator plays.
const REGION: &str = "us-east-1";
/// It takes any.
const CREDENTIAL: &str = "test";
/// A bus over it.
const BUS_URL: &str = "sns-sqs://us-east-1?prefix=gaming-system";

/// Tools for development.
#[derive(Debug, Subcommand)]
pub(crate) enum DevCommand {
    /// Run an emulator of AWS on this machine: SNS and SQS without an account
    Aws(DevAwsArguments),
}

/// Where the emulator is.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct DevAwsArguments {
    /// Its port on loopback
    #[arg(long, value_name = "PORT", default_value_t = 4566)]
    port: u16,
    /// Where it is installed; by default in the user's cache
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// How to write where it is
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

const HELP: &str = "\
Examples:
  worldbus dev aws                        prints the environment that uses it
  worldbus dev aws --port 15004

It needs Python 3 with venv, and PyPI the first time. It listens on loopback only and keeps
everything in memory.";

/// Installs the emulator if need be, and runs it until it is stopped.
pub(crate) async fn run(command: DevCommand) -> Result<ExitCode> {
    let DevCommand::Aws(arguments) = command;
    logging::init(&logging::Filter::WARN, LogFormat::Text);
    let shutdown = shutdown::on_signal().context("cannot listen for signals")?;
    let folder = match arguments.dir {
        Some(folder) => folder,
        None => cache()?,
    };
    let starting = Emulator::start(&folder, arguments.port);
    let Some(emulator) = shutdown.run_until_cancelled(starting).await else {
        return Ok(ExitCode::SUCCESS);
    };
    let mut emulator = emulator?;
    let port = arguments.port;
    output::page(&arguments.format.page(&document(port), || environment(port) + "\n"))?;
    match shutdown.run_until_cancelled(emulator.ended()).await {
        None => emulator.stop().await.map(|()| ExitCode::SUCCESS),
        Some(error) => Err(error),
    }
}

/// What to put into the shells that should use it.
fn environment(port: u16) -> String {
    format!(
        "listening on http://127.0.0.1:{port}
Put this into the shells that should use it:

  export AWS_ENDPOINT_URL=http://127.0.0.1:{port}
  export AWS_REGION={REGION} AWS_ACCESS_KEY_ID={CREDENTIAL} AWS_SECRET_ACCESS_KEY={CREDENTIAL}
  export WORLDBUS_URL='{BUS_URL}'

then, each in its own:

  worldbus topology apply
  worldbus event-bus
  worldbus time-manager
  worldbus weather-manager
  worldbus tail --url http://127.0.0.1:7070

It keeps everything in memory: what is in it is gone when it ends. Ctrl-C stops it."
    )
}

/// The same for programs.
fn document(port: u16) -> Value {
    let url = format!("http://127.0.0.1:{port}");
    json!({
        "listening": url,
        "environment": {
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": CREDENTIAL,
            "AWS_SECRET_ACCESS_KEY": CREDENTIAL,
            "WORLDBUS_URL": BUS_URL,
        },
    })
}

/// Where programs that can be installed again belong.
fn cache() -> Result<PathBuf> {
    let home = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let base = home("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.or_else(|| home("HOME").map(|home| PathBuf::from(home).join(".cache")));
    let base = base.context("neither XDG_CACHE_HOME nor HOME is set; give --dir")?;
    Ok(base.join("worldbus").join("aws"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_programs_get_the_same_environment() {
        let (text, document) = (environment(4566), document(4566));
        for (name, value) in document["environment"].as_object().unwrap() {
            let value = value.as_str().unwrap();
            let is_set = [format!("{name}={value}"), format!("{name}='{value}'")];
            assert!(is_set.iter().any(|set| text.contains(set)), "{name} is not in: {text}");
        }
    }
}
