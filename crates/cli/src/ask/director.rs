//! `worldbus director`: how tense the story of a world is, what the director proposes, and the
//! answers to it, through the storyteller. Not here: what it proposes (`docs/how-to/chronicle.md`).

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::chronicle::SERVICE;
use crate::output::format::Format;
use crate::output::table::{Table, cell, items, pairs};
use crate::session::by::By;
use crate::session::rest::{Place, Rest};
use crate::settings::Chronicle;
use crate::{output, session};
use worldbus_service::config::Flags;

/// What to do with the director's proposals.
#[derive(Debug, Args)]
#[command(after_help = HELP, mut_arg("chronicle-url", |flag| flag.hide(true)))]
pub(crate) struct DirectorArguments {
    #[command(subcommand)]
    action: Action,
    /// How to write the result
    #[arg(long, global = true, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    flags: Flags<Chronicle>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show how tense the story is and should be, and the latest proposals
    #[command(after_help = STATUS)]
    Status,
    /// Accept a proposal: what it asks for is requested in your name
    #[command(after_help = ACCEPT)]
    Accept(Answer),
    /// Reject a proposal
    #[command(after_help = REJECT)]
    Reject(Answer),
}

#[derive(Debug, Args)]
struct Answer {
    /// The proposal's id
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    by: By,
}

/// Does what is asked for.
pub(crate) async fn run(arguments: DirectorArguments) -> Result<ExitCode> {
    let DirectorArguments { action, format, flags } = arguments;
    let Some(loaded) = session::loaded(&flags)? else { return Ok(ExitCode::SUCCESS) };
    let settings = loaded.settings.clone();
    let (url, own, key) = (settings.url, settings.chronicle_url, settings.api_key);
    let rest = Rest::new(Place::new(SERVICE, &loaded, url, own, key)?)?;
    let page = match action {
        Action::Status => {
            let director = rest.get("/api/director", &[]).await?;
            format.page(&director, || status(&director))
        }
        Action::Accept(answer) => answered(&rest, format, &answer, "accept").await?,
        Action::Reject(answer) => answered(&rest, format, &answer, "reject").await?,
    };
    output::page(&page)?;
    Ok(ExitCode::SUCCESS)
}

async fn answered(rest: &Rest, format: Format, answer: &Answer, what: &str) -> Result<String> {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    let id: String = answer.id.chars().filter(is_plain).collect();
    let path = format!("/api/director/proposals/{id}/{what}");
    let proposal = rest.post(&path, &[], &answer.by.sign(json!({}))).await?;
    Ok(format.page(&proposal, || {
        let of = |key| cell(&proposal, key);
        pairs(&[("proposal", of("text")), ("state", of("state")), ("by", of("actor"))])
    }))
}

fn status(director: &Value) -> String {
    let of = |key| cell(director, key);
    let act = if director["on"].as_bool() == Some(true) { "an act" } else { "a rest" };
    let mut page = pairs(&[
        ("mode", of("mode")),
        ("game time", of("game_time")),
        ("tension", format!("{} of 1000, in {act} of {}", of("tension"), of("target"))),
    ]);
    let mut table = Table::new(&["GAME TIME", "STATE", "PROPOSAL", "BY", "ID"]);
    for proposal in items(director, "proposals") {
        let of = |key| cell(proposal, key);
        table.row([of("game_time"), of("state"), of("text"), of("actor"), of("id")]);
    }
    if !table.is_empty() {
        page.push('\n');
        page.push_str(&table.to_string());
    }
    page
}

const HELP: &str = "\
Examples:
  worldbus director status
  worldbus director accept 0008f2c1-7a10-8fc0-8000-00000001a2b3 --actor anna
  worldbus director reject 0008f2c1-7a10-8fc0-8000-00000001a2b3 --reason 'too early'

What it may do is the setting `director` of the storyteller: off, propose or auto.";

const STATUS: &str = "\
Examples:
  worldbus director status
  worldbus director status --format json";

const ACCEPT: &str = "\
Examples:
  worldbus director accept 0008f2c1-7a10-8fc0-8000-00000001a2b3 --reason 'the boss fight'";

const REJECT: &str = "\
Examples:
  worldbus director reject 0008f2c1-7a10-8fc0-8000-00000001a2b3 --reason 'too early'";
