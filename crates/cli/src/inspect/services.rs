//! `worldbus services`: what each service states of itself. It asks no one: these are the services
//! of this program, running or not.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use crate::cloud::composition::topics_of;
use crate::output;
use crate::output::format::Format;
use crate::output::table::Table;
use crate::serve::services::all_descriptions;
use worldbus_events::Catalogue;
use worldbus_service::{Description, Publishes, StateUse};

/// How to list them.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct ServicesArguments {
    /// How to write the list
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

const HELP: &str = "\
Examples:
  worldbus services
  worldbus services --format json         with what each does with the state store
  worldbus up                             all of them in one process";

/// Prints the list.
pub(crate) fn run(arguments: &ServicesArguments) -> Result<ExitCode> {
    let catalogue = Catalogue::builtin();
    let described = |service| Ok((topics_of(&service, &catalogue)?, service));
    let services = all_descriptions().map(described).collect::<Result<Vec<_>>>()?;
    let document = json!({ "services": services.iter().map(document).collect::<Vec<_>>() });
    output::page(&arguments.format.page(&document, || table(&services)))?;
    Ok(ExitCode::SUCCESS)
}

fn document((topics, service): &(Vec<String>, Description)) -> Value {
    json!({
        "name": service.name,
        "about": service.about,
        "port": service.port,
        "api": service.api,
        "publishes_to": service.publishes.topic(),
        "requests": service.requests,
        "receives": service.receives,
        "topics": topics,
        "studio_types": service.studio_types,
        "database": service.database,
        "state": service.state.iter().map(|state| state_use(*state)).collect::<Vec<_>>(),
    })
}

fn state_use(state: StateUse) -> &'static str {
    match state {
        StateUse::Get => "get",
        StateUse::CompareAndSet => "compare_and_set",
        StateUse::Delete => "delete",
    }
}

fn table(services: &[(Vec<String>, Description)]) -> String {
    let mut table = Table::new(&["SERVICE", "PORT", "REST", "PUBLISHES TO", "RECEIVES"]);
    for (_, service) in services {
        table.row([
            service.name.to_owned(),
            service.port.to_string(),
            service.api.iter().map(|api| format!("/api/{api}")).collect::<Vec<_>>().join(" "),
            match service.publishes {
                Publishes::To(topic) => topic,
                Publishes::WhatClientsSend => "any topic",
                Publishes::Nothing => "",
            }
            .to_owned(),
            service.receives.join(" "),
        ]);
    }
    table.to_string()
}
