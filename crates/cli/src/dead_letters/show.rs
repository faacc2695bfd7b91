//! `worldbus dead-letters show`.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::Value;
use worldbus_bus::{DeadLetter, SubscriptionName};

use super::arguments::{ShowArguments, ShowFormat};
use super::letter::{Form, content, event_json, time};
use super::{Desk, LOOK_COUNT_MAX};
use crate::tail::printable;

/// Prints the letter of an id; a few if they share it.
pub(super) async fn run(
    desk: &Desk,
    subscription: &SubscriptionName,
    arguments: &ShowArguments,
) -> Result<ExitCode> {
    let id = &arguments.id;
    let found = desk.bus.transport().dead_letters(Some(subscription), LOOK_COUNT_MAX).await;
    let mut found = found.map_err(|error| desk.explain(error))?;
    found.retain(|letter| letter.id == *id);
    if found.is_empty() {
        bail!(
            "{subscription} has no dead letter {id:?}; \
             `worldbus dead-letters list --subscription {subscription}` shows those that are there"
        );
    }
    let mut page = Vec::new();
    match arguments.format {
        ShowFormat::Text => {
            for letter in &found {
                page.extend_from_slice(text(letter, desk)?.as_bytes());
            }
        }
        ShowFormat::Json => {
            for letter in &found {
                serde_json::to_writer(&mut page, &Form::new(letter, &desk.catalogue))?;
                page.push(b'\n');
            }
        }
        ShowFormat::Protobuf => match found.as_slice() {
            [letter] => page.extend_from_slice(&content(letter).1),
            more => bail!(
                "{} events share the id {id:?}, and messages cannot be told apart without their \
                 lengths; use --format json",
                more.len()
            ),
        },
    }
    let mut out = io::stdout().lock();
    out.write_all(&page)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn text(letter: &DeadLetter, desk: &Desk) -> Result<String> {
    let mut page = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "{name:14}{value}");
    };
    line("id", &printable(&letter.id));
    line("subscription", letter.subscription.as_str());
    if let Some(topic) = &letter.topic {
        line("topic", topic.as_str());
    }
    if let Some(offset) = letter.offset {
        line("batch", &format!("{offset}, event {}", letter.event.index));
    }
    line("consumer", &printable(&letter.consumer));
    line("attempts", &letter.event.attempts.to_string());
    line("first failed", &time(letter.event.first_failed_ms));
    line("last failed", &time(letter.event.last_failed_ms));
    for (at, reason) in letter.event.reason.lines().enumerate() {
        line(if at == 0 { "reason" } else { "" }, &escaped(reason));
    }
    match event_json(letter, &desk.catalogue) {
        Some(event) => {
            let event: Value = serde_json::from_str(event.get())?;
            page += "event\n";
            page += &serde_json::to_string_pretty(&event)?;
            page.push('\n');
        }
        None => {
            let form = serde_json::to_value(Form::new(letter, &desk.catalogue))?;
            let undecoded = &form["undecoded"];
            line("content type", &escaped(undecoded["content_type"].as_str().unwrap_or_default()));
            line("base64", undecoded["base64"].as_str().unwrap_or_default());
        }
    }
    Ok(page)
}

/// All of a line of strangers, unable to steer the terminal.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { safe.extend(c.escape_default()) } else { safe.push(c) }
    }
    safe
}
