//! `worldbus catalog`: which event types there are.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};
use worldbus_events::v1::DeliveryClass;
use worldbus_events::{Catalogue, EventType, Owner, asyncapi};

use crate::arguments::{CatalogArguments, CatalogFormat};
use crate::{catalogue, settings};

/// Prints the catalogue.
pub(crate) fn run(arguments: &CatalogArguments) -> Result<ExitCode> {
    let loaded = settings::load(&arguments.flags)?;
    let mut out = io::stdout().lock();
    if arguments.flags.print_config {
        out.write_all(loaded.print().as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let catalogue = catalogue::load(&loaded.settings.catalog)?;
    let page = match arguments.format {
        CatalogFormat::Text => text(&catalogue),
        CatalogFormat::Json => pretty(&json(&catalogue))?,
        CatalogFormat::Asyncapi => pretty(&asyncapi::document(&catalogue))?,
    };
    out.write_all(page.as_bytes())?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn pretty(document: &Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(document)? + "\n")
}

/// A table whose columns are as wide as their widest value.
fn text(catalogue: &Catalogue) -> String {
    let width = |of: fn(&EventType) -> &str| catalogue.iter().map(|t| of(t).len()).max();
    let names = width(EventType::name).unwrap_or(0);
    let topics = width(EventType::topic).unwrap_or(0).max("TOPIC".len());
    let mut page = format!("NUMBER  {:names$}  {:topics$}  CLASS   SUMMARY\n", "TYPE", "TOPIC");
    for event_type in catalogue {
        let (name, topic) = (event_type.name(), event_type.topic());
        let (number, class) = (event_type.number(), class(event_type));
        let summary = event_type.summary();
        // Writing to a String cannot fail.
        let _ = writeln!(page, "{number:>6}  {name:names$}  {topic:topics$}  {class:6}  {summary}");
    }
    page
}

fn json(catalogue: &Catalogue) -> Value {
    let of = |event_type: &EventType| {
        json!({
            "number": event_type.number(),
            "name": event_type.name(),
            "topic": event_type.topic(),
            "delivery_class": class(event_type),
            "message": event_type.message_name(),
            "owner": match event_type.owner() {
                Owner::Worldbus => "worldbus",
                Owner::Studio => "studio",
            },
            "summary": event_type.summary(),
        })
    };
    json!({ "event_types": catalogue.iter().map(of).collect::<Vec<_>>() })
}

fn class(event_type: &EventType) -> &'static str {
    match event_type.delivery_class() {
        DeliveryClass::Latest => "latest",
        DeliveryClass::Every | DeliveryClass::Unspecified => "every",
    }
}
