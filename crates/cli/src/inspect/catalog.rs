//! `worldbus catalog`: which event types there are, here and at a bus, and `add`, which registers
//! those of a studio at an event-bus. Not here: how a list looks (`page`).

mod page;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use bytes::Bytes;
use clap::{Args, Subcommand};

use crate::output;
use crate::output::failure::WrongUse;
use crate::output::format::Format;
use crate::session::{self, Session, catalogue, connection};
use crate::settings::{Client, StudioTypes};
use page::{CatalogFormat, Origins};
use worldbus_bus::Kind;
use worldbus_events::Catalogue;
use worldbus_service::config::Flags;

/// What to list, or what to do at a bus.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = HELP)]
pub(crate) struct CatalogArguments {
    #[command(subcommand)]
    action: Option<Action>,
    /// How to write the list
    #[arg(long, value_enum, default_value_t)]
    format: CatalogFormat,
    #[command(flatten)]
    flags: Flags<StudioTypes>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Register the event types of a studio at an event-bus, which keeps them
    #[command(after_help = ADD)]
    Add(AddArguments),
    /// List the event types that a bus knows, and where they come from
    #[command(after_help = LIST)]
    List(ListArguments),
}

#[derive(Debug, Args)]
struct AddArguments {
    /// A FileDescriptorSet, as `protoc --include_imports --descriptor_set_out` writes
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How to write the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    flags: Flags<Client>,
}

#[derive(Debug, Args)]
struct ListArguments {
    /// How to write the list
    #[arg(long, value_enum, default_value_t)]
    format: CatalogFormat,
    #[command(flatten)]
    flags: Flags<Client>,
}

const HELP: &str = "\
Examples:
  worldbus catalog
  worldbus catalog --format asyncapi > asyncapi.json
  worldbus catalog --catalog studio.binpb
  worldbus catalog add studio.binpb --url http://127.0.0.1:7070
  worldbus catalog list --url http://127.0.0.1:7070

Without a verb no bus is asked. What is added to a bus it knows at once and keeps.";

const ADD: &str = "\
Examples:
  worldbus catalog add studio.binpb
  worldbus catalog add studio.binpb --url http://127.0.0.1:7070";

const LIST: &str = "\
Examples:
  worldbus catalog list
  worldbus catalog list --format json | jq '.event_types[].name'";

/// Does what is asked for.
pub(crate) async fn run(arguments: CatalogArguments) -> Result<ExitCode> {
    match arguments.action {
        Some(Action::Add(arguments)) => add(&arguments).await,
        Some(Action::List(arguments)) => list(&arguments).await,
        None => print(&arguments.flags, arguments.format),
    }
}

/// Prints the catalogue of this program and of files, without asking a bus.
fn print(flags: &Flags<StudioTypes>, format: CatalogFormat) -> Result<ExitCode> {
    let Some(settings) = session::settings(flags)? else { return Ok(ExitCode::SUCCESS) };
    let catalogue = catalogue::load(&settings.catalog)?;
    output::page(&page::write(&catalogue, format, None)?)?;
    Ok(ExitCode::SUCCESS)
}

async fn list(arguments: &ListArguments) -> Result<ExitCode> {
    let Some(session) = Session::open(&arguments.flags).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let types = session.bus.transport().studio_types().await;
    let origins = Origins::new(&types.map_err(|error| session.explain(error))?)?;
    output::page(&page::write(&session.catalogue, arguments.format, Some(&origins))?)?;
    Ok(ExitCode::SUCCESS)
}

async fn add(arguments: &AddArguments) -> Result<ExitCode> {
    let Some(client) = session::client(&arguments.flags)? else { return Ok(ExitCode::SUCCESS) };
    let path = arguments.file.display();
    let set = catalogue::read(&arguments.file);
    let set = set.map_err(|error| WrongUse(format!("cannot read {path}: {error}")))?;
    let own = catalogue::load(&client.types.catalog)?;
    let bus = connection::open(&client, &own).await?;
    let registered = bus.transport().register_types(lean(set)).await;
    let registered = registered.map_err(|error| match error.kind() {
        Kind::Invalid | Kind::TooLarge => WrongUse(format!("{path}: {}", error.context())).into(),
        _ => connection::explain(&client.url, error),
    })?;
    output::page(&page::changes(&registered, arguments.format))?;
    Ok(ExitCode::SUCCESS)
}

/// A set without the files that every event-bus has, if it can be read without those of others.
fn lean(set: Vec<u8>) -> Bytes {
    let alone = Catalogue::builtin().extended(&set);
    alone.map_or(set, |extension| extension.catalogue.studio_set()).into()
}
