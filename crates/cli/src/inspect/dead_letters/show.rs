//! `worldbus dead-letters show`.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::Value;

use super::LOOK_COUNT_MAX;
use super::arguments::{ShowArguments, ShowFormat};
use super::letter::{Form, content, event_json, time};
use crate::output::terminal::{escaped, printable};
use crate::session::Session;
use worldbus_bus::{DeadLetter, SubscriptionName};

/// Prints the letter of an id; a few if they share it.
pub(super) async fn run(
    session: &Session,
    subscription: &SubscriptionName,
    arguments: &ShowArguments,
) -> Result<ExitCode> {
    let id = &arguments.id;
    let found = session.bus.transport().dead_letters(Some(subscription), LOOK_COUNT_MAX).await;
    let mut found = found.map_err(|error| session.explain(error))?;
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
                page.extend_from_slice(text(letter, session)?.as_bytes());
            }
        }
        ShowFormat::Json => {
            for letter in &found {
                serde_json::to_writer(&mut page, &Form::new(letter, &session.catalogue))?;
                page.push(b'\n');
            }
        }
        ShowFormat::Protobuf => match found.as_slice() {
            [letter] => page.extend_from_slice(&content(letter).1),
            more => bail!(
                "{} events share the id {id:?}, and messages look the same without their \
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

fn text(letter: &DeadLetter, session: &Session) -> Result<String> {
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
    match event_json(letter, &session.catalogue) {
        Some(event) => {
            let event: Value = serde_json::from_str(event.get())?;
            page += "event\n";
            page += &escaped_json(&serde_json::to_string_pretty(&event)?);
            page.push('\n');
        }
        None => {
            let form = serde_json::to_value(Form::new(letter, &session.catalogue))?;
            let undecoded = &form["undecoded"];
            line("content type", &escaped(undecoded["content_type"].as_str().unwrap_or_default()));
            line("base64", undecoded["base64"].as_str().unwrap_or_default());
        }
    }
    Ok(page)
}

/// JSON as people see it: it may hold DEL and those beyond, which steer a terminal as well.
fn escaped_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\n' => safe.push(c),
            // Writing to a String cannot fail.
            c if c.is_control() => drop(write!(safe, "\\u{:04x}", u32::from(c))),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_for_people_has_no_control_character_and_means_the_same() {
        let event = serde_json::json!({ "entity": "a\u{1b}\u{7f}\u{9b}\n" });
        let shown = escaped_json(&serde_json::to_string_pretty(&event).unwrap());
        assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), event);
    }
}
