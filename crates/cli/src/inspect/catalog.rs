//! `worldbus catalog`: which event types there are, here and at a bus, and `add`, which registers
//! those of a studio at an event-bus. Not here: how a list looks (`page`).

mod page;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use clap::{Args, Subcommand};
use worldbus_bus::Kind;
use worldbus_events::{Catalogue, Change};
use worldbus_service::config::Flags;
use worldbus_service::logging;

use crate::output::failure::WrongUse;
use crate::session::{catalogue, connection};
use crate::settings::{self, Catalog, Client};
use page::{CatalogFormat, Origins};

/// What to list, or what to do at a bus.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct CatalogArguments {
    #[command(subcommand)]
    action: Option<Action>,
    /// How to write the list
    #[arg(long, value_enum, default_value_t)]
    format: CatalogFormat,
    #[command(flatten)]
    flags: Flags<Catalog>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Register the event types of a studio at an event-bus, which keeps them
    Add(AddArguments),
    /// List the event types that a bus knows, and where they come from
    List(ListArguments),
}

#[derive(Debug, Args)]
struct AddArguments {
    /// A FileDescriptorSet, as `protoc --include_imports --descriptor_set_out` writes
    #[arg(value_name = "FILE")]
    file: PathBuf,
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

/// Does what is asked for.
pub(crate) async fn run(arguments: CatalogArguments) -> Result<ExitCode> {
    match arguments.action {
        Some(Action::Add(arguments)) => add(&arguments).await,
        Some(Action::List(arguments)) => list(&arguments).await,
        None => print(&arguments.flags, arguments.format),
    }
}

/// Prints the catalogue of this program and of files, without asking a bus.
fn print(flags: &Flags<Catalog>, format: CatalogFormat) -> Result<ExitCode> {
    let loaded = settings::load(flags)?;
    if flags.print_config {
        return write(&loaded.print());
    }
    let catalogue = catalogue::load(&loaded.settings.catalog)?;
    write(&page::write(&catalogue, format, None)?)
}

async fn list(arguments: &ListArguments) -> Result<ExitCode> {
    let Some(client) = client(&arguments.flags)? else { return Ok(ExitCode::SUCCESS) };
    let (bus, catalogue) = connection::open_knowing(&client).await?;
    let types = bus.transport().studio_types().await;
    let types = types.map_err(|error| connection::explain(&client.url, error))?;
    write(&page::write(&catalogue, arguments.format, Some(&Origins::new(&types)?))?)
}

async fn add(arguments: &AddArguments) -> Result<ExitCode> {
    let Some(client) = client(&arguments.flags)? else { return Ok(ExitCode::SUCCESS) };
    let path = arguments.file.display();
    let set = catalogue::read(&arguments.file);
    let set = set.map_err(|error| WrongUse(format!("cannot read {path}: {error}")))?;
    let own = catalogue::load(&client.catalog)?;
    let bus = connection::open(&client, &own).await?;
    let registered = bus.transport().register_types(lean(set)).await;
    let registered = registered.map_err(|error| match error.kind() {
        Kind::Invalid | Kind::TooLarge => WrongUse(format!("{path}: {}", error.context())).into(),
        _ => connection::explain(&client.url, error),
    })?;
    let mut page = String::new();
    for one in registered {
        let change = match one.change {
            Change::Added => "added",
            Change::Updated => "updated",
            Change::Unchanged => "known already",
        };
        page += &format!("{} {} on topic {}: {change}\n", one.number, one.name, one.topic);
    }
    write(&page)
}

/// A set without the files that every event-bus has, if it can be read without those of others.
fn lean(set: Vec<u8>) -> Bytes {
    let alone = Catalogue::builtin().extended(&set);
    alone.map_or(set, |extension| extension.catalogue.studio_set()).into()
}

/// The settings; `None` after `--print-config`.
fn client(flags: &Flags<Client>) -> Result<Option<Client>> {
    let loaded = settings::load(flags)?;
    if flags.print_config {
        write(&loaded.print())?;
        return Ok(None);
    }
    let client = loaded.settings;
    logging::init(&client.log, client.log_format);
    Ok(Some(client))
}

fn write(page: &str) -> Result<ExitCode> {
    let mut out = io::stdout().lock();
    out.write_all(page.as_bytes())?;
    out.flush().context("standard output")?;
    Ok(ExitCode::SUCCESS)
}
