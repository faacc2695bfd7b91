//! How a catalogue is written: as a table, as JSON, as AsyncAPI.

use std::fmt::Write as _;

use anyhow::Result;
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::output::format::Format;
use crate::output::terminal::printable;
use crate::session::catalogue;
use worldbus_bus::{RegisteredType, StudioTypes};
use worldbus_events::v1::DeliveryClass;
use worldbus_events::{Catalogue, Change, EventType, Owner, asyncapi};

/// How `catalog` lists event types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum CatalogFormat {
    /// A table, for people
    #[default]
    Text,
    /// One JSON object
    Json,
    /// An AsyncAPI 3 document
    Asyncapi,
}

/// Where the event types of a bus come from.
pub(super) struct Origins {
    registered: Catalogue,
    /// With those that the event-bus was started with.
    of_bus: Catalogue,
}

impl Origins {
    pub(super) fn new(types: &StudioTypes) -> Result<Self> {
        let registered = Catalogue::builtin().joined(&types.registered)?;
        let of_bus = catalogue::joined(&Catalogue::builtin(), types)?;
        Ok(Self { registered, of_bus })
    }

    fn of(&self, event_type: &EventType) -> &'static str {
        let is_of = |catalogue: &Catalogue| catalogue.by_number(event_type.number()).is_some();
        match event_type.owner() {
            Owner::Worldbus => "worldbus",
            Owner::Studio if is_of(&self.registered) => "registered",
            Owner::Studio if is_of(&self.of_bus) => "--catalog of the bus",
            Owner::Studio => "--catalog",
        }
    }
}

/// The page of a catalogue; with where its types come from, if that is known.
pub(super) fn write(
    catalogue: &Catalogue,
    format: CatalogFormat,
    origins: Option<&Origins>,
) -> Result<String> {
    let document = match format {
        CatalogFormat::Text => return Ok(text(catalogue, origins)),
        CatalogFormat::Json => json(catalogue, origins),
        CatalogFormat::Asyncapi => asyncapi::document(catalogue),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// What registering changed.
pub(super) fn changes(registered: &[RegisteredType], format: Format) -> String {
    let change = |one: &RegisteredType| match one.change {
        Change::Added => "added",
        Change::Updated => "updated",
        Change::Unchanged => "known already",
    };
    let line = |one: &RegisteredType| {
        let RegisteredType { number, name, topic, .. } = one;
        format!("{number} {name} on topic {topic}: {}\n", change(one))
    };
    let document = |one: &RegisteredType| {
        let RegisteredType { number, name, topic, .. } = one;
        let change = change(one).replace("known already", "unchanged");
        json!({ "number": number, "name": name, "topic": topic, "change": change })
    };
    let all = json!({ "event_types": registered.iter().map(document).collect::<Vec<_>>() });
    format.page(&all, || registered.iter().map(line).collect())
}

/// A table whose columns are as wide as their widest value.
fn text(catalogue: &Catalogue, origins: Option<&Origins>) -> String {
    let width = |of: fn(&EventType) -> &str| catalogue.iter().map(|t| of(t).len()).max();
    let names = width(EventType::name).unwrap_or(0);
    let topics = width(EventType::topic).unwrap_or(0).max("TOPIC".len());
    let from = |text: &str| origins.map_or_else(String::new, |_| format!("{text:20}  "));
    let (head, from_head) =
        (format!("NUMBER  {:names$}  {:topics$}", "TYPE", "TOPIC"), from("FROM"));
    let mut page = format!("{head}  CLASS   {from_head}SUMMARY\n");
    for event_type in catalogue {
        let (name, topic) = (event_type.name(), event_type.topic());
        let (number, class) = (event_type.number(), class(event_type));
        let from = from(origins.map_or("", |origins| origins.of(event_type)));
        let summary = printable(event_type.summary());
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "{number:>6}  {name:names$}  {topic:topics$}  {class:6}  {from}{summary}"
        );
    }
    page
}

fn json(catalogue: &Catalogue, origins: Option<&Origins>) -> Value {
    let of = |event_type: &EventType| {
        let mut of = json!({
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
        });
        if let Some(origins) = origins {
            of["from"] = origins.of(event_type).into();
            of["file"] = event_type.file_name().into();
        }
        of
    };
    json!({ "event_types": catalogue.iter().map(of).collect::<Vec<_>>() })
}

fn class(event_type: &EventType) -> &'static str {
    match event_type.delivery_class() {
        DeliveryClass::Latest => "latest",
        DeliveryClass::Every | DeliveryClass::Unspecified => "every",
    }
}
