//! `worldbus world`: what a world file makes, before it is run. Nothing is started or kept.
//!
//! What it would be like is computed in `outlook` and written by `page`; what a world is and does
//! is in `worldbus-world`.

mod outlook;
mod page;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::output;
use crate::output::failure::WrongUse;
use crate::output::format::Format;
use crate::output::terminal::escaped_lines;
use crate::serve::world_of;
use outlook::Outlook;
use worldbus_population::Population;
use worldbus_world::World;

/// Years that are simulated at most: more shows nothing new and takes minutes.
const YEAR_COUNT_MAX: u32 = 100;
/// Regions that are shown unless some are named.
const REGION_COUNT: usize = 4;

/// What to do with a world.
#[derive(Debug, Subcommand)]
pub(crate) enum WorldCommand {
    /// Validate a world file and print what the world and its people would be like
    #[command(after_help = CHECK)]
    Check(CheckArguments),
}

/// Which world, and how much of it.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The world file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only this region; may be given several times. By default four from all over the list
    #[arg(long, value_name = "ID")]
    region: Vec<String>,
    /// Years of weather to simulate
    #[arg(long, value_name = "NUMBER", default_value_t = 3,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(YEAR_COUNT_MAX)))]
    years: u32,
    /// How to write the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

const CHECK: &str = "\
Examples:
  worldbus world check worlds/europe.toml
  worldbus world check worlds/isles.toml --region north-cape --years 10
  worldbus world check worlds/isles.toml --format json | jq .regions[0].sun

A mistake in the file is named with its line, its key and what was expected; the exit code is then
2. What is printed is simulated with the world's own seed, so it is what players will see.

Times of the sun are those of the world's clock; in JSON \"-19:52\" is 19:52 of the day before, and
\"+01:24\" is 01:24 of the day after.";

/// Runs the command.
pub(crate) fn run(command: &WorldCommand) -> Result<ExitCode> {
    let WorldCommand::Check(arguments) = command;
    let world = world_of(&arguments.file, "")?;
    let regions = regions(&world, &arguments.region)?;
    let people = Arc::new(Population::read(&world)?);
    let outlook = Outlook::new(&world, &people, &regions, arguments.years);
    let page = match arguments.format {
        Format::Text => escaped_lines(&page::text(&outlook)),
        Format::Json => serde_json::to_string_pretty(&outlook)? + "\n",
    };
    output::page(&page)?;
    Ok(ExitCode::SUCCESS)
}

/// The regions that are named, or some from all over the world.
fn regions(world: &World, named: &[String]) -> Result<Vec<usize>> {
    let find = |id: &String| {
        world.region_index(id).ok_or_else(|| {
            let near =
                |region: &&worldbus_world::Region| strsim::jaro_winkler(&region.id, id) > 0.8;
            let hint = world.regions.iter().find(near);
            let hint = hint.map_or(String::new(), |r| format!("; did you mean {}?", r.id));
            WrongUse(format!("--region {id}: expected a region of {}{hint}", world.id)).into()
        })
    };
    if !named.is_empty() {
        return named.iter().map(find).collect();
    }
    let (all, shown) = (world.regions.len(), world.regions.len().min(REGION_COUNT));
    Ok((0..shown).map(|i| i * (all - 1) / (shown - 1).max(1)).collect())
}
