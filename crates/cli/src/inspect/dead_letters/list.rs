//! `worldbus dead-letters list`.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;

use super::arguments::{ListArguments, ListFormat};
use super::letter::{Form, event, time};
use crate::output;
use crate::output::terminal::printable;
use crate::session::Session;
use worldbus_bus::{DeadLetter, SubscriptionName};
use worldbus_events::Catalogue;

/// Prints the latest dead letters.
pub(super) async fn run(
    session: &Session,
    subscription: Option<&SubscriptionName>,
    arguments: &ListArguments,
) -> Result<ExitCode> {
    let found = session.bus.transport().dead_letters(subscription, arguments.limit as usize).await;
    let found = found.map_err(|error| session.explain(error))?;
    let page = match arguments.format {
        ListFormat::Json => {
            let mut page = String::new();
            for letter in &found {
                page += &serde_json::to_string(&Form::new(letter, &session.catalogue))?;
                page.push('\n');
            }
            page
        }
        ListFormat::Text if found.is_empty() => match subscription {
            Some(name) => format!("no dead letters in {name}\n"),
            None => "no dead letters\n".to_owned(),
        },
        ListFormat::Text => table(&found, &session.catalogue),
    };
    output::page(&page)?;
    Ok(ExitCode::SUCCESS)
}

/// A table whose columns are as wide as their widest value; the reason, which may be long, last.
pub(super) fn table(letters: &[DeadLetter], catalogue: &Catalogue) -> String {
    let head = ["ID", "SUBSCRIPTION", "LAST FAILED", "ATTEMPTS", "EVENT", "ENTITY", "REASON"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(letters.iter().map(|letter| row(letter, catalogue)));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..head.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut page = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a String cannot fail.
            let _ = write!(line, "{cell:width$}  ");
        }
        page += line.trim_end();
        page.push('\n');
    }
    page
}

fn row(letter: &DeadLetter, catalogue: &Catalogue) -> [String; 7] {
    let batch = event(letter, catalogue);
    let event = batch.as_ref().and_then(|batch| batch.iter().next());
    let what = match &event {
        Some(event) => catalogue.name_of(event.event_type).into_owned(),
        None => "(not decoded)".to_owned(),
    };
    let entity = event.and_then(|event| event.entity.map(str::to_owned)).unwrap_or_default();
    [
        printable(&letter.id),
        letter.subscription.to_string(),
        time(letter.event.last_failed_ms),
        letter.event.attempts.to_string(),
        what,
        printable(&entity),
        printable(&letter.event.reason),
    ]
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use worldbus_bus::{DeadContent, DeadEvent, Topic};
    use worldbus_events::v1::GameEvent;

    fn letter(content: DeadContent) -> DeadLetter {
        DeadLetter {
            id: "7".to_owned(),
            subscription: SubscriptionName::new("npc-brain").unwrap(),
            topic: Some(Topic::new("weather").unwrap()),
            offset: Some(3),
            consumer: "host 1".to_owned(),
            event: DeadEvent {
                index: 0,
                reason: "no \u{1b}[2J such region".to_owned(),
                attempts: 3,
                first_failed_ms: 0,
                last_failed_ms: 1500,
            },
            content,
        }
    }

    #[test]
    fn table_names_event_entity_and_reason_and_strange_text_does_not_steer_the_terminal() {
        let metadata = [("entity".to_owned(), "oslo".to_owned())].into();
        let event_id = "48d159e2-6af3-87bc-8000-00000000002a".to_owned();
        let event = GameEvent { event_id, event_type: 1, metadata, ..GameEvent::default() };
        let page = table(&[letter(DeadContent::Event(event))], &Catalogue::builtin());
        let line = page.lines().nth(1).unwrap();
        for part in ["7 ", "npc-brain", "1970-01-01T00:00:01.500Z", "weather.changed", "oslo"] {
            assert!(line.contains(part), "{page}");
        }
        assert!(line.ends_with("no \\u{1b}[2J such region"), "{page}");
    }

    #[test]
    fn bytes_that_did_not_decode_keep_their_declared_type() {
        let content = DeadContent::Undecoded {
            content_type: "text/plain".to_owned(),
            bytes: Bytes::from_static(b"abc"),
        };
        let letter = letter(content);
        let catalogue = Catalogue::builtin();
        let json = serde_json::to_value(Form::new(&letter, &catalogue)).unwrap();
        assert_eq!(json["undecoded"]["content_type"], "text/plain");
        assert_eq!(json["undecoded"]["base64"], "YWJj");
        assert_eq!((&json["event"], &json["attempts"]), (&serde_json::Value::Null, &3.into()));
        assert_eq!(json["last_failed"], "1970-01-01T00:00:01.500Z");
        assert!(table(&[letter], &catalogue).contains("(not decoded)"));
    }
}
