//! The committed table of which transport passes which check, so that a new skip is a visible
//! change.

use crate::Outcome;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Set, the table is written anew instead of compared: its column of the transport that runs. One
/// transport at a time.
const BLESS: &str = "WORLDBUS_BLESS";

const HEAD: &str = "# Conformance\n\nWhich transport passes which check of the suite, and what it \
lacks where a check is left out. Written by the suite, compared by every run of it:\n\
`WORLDBUS_BLESS=1 cargo nextest run -j 1 keeps_the_contract` writes it anew.\n\n";

/// Outcomes by transport, then by check.
type Columns = BTreeMap<String, BTreeMap<String, String>>;

/// Compares the outcomes of a transport with its column in a file of Markdown.
///
/// # Panics
/// When they differ, saying how to write the column anew.
#[allow(clippy::disallowed_methods, reason = "a test kit reads what is committed")]
pub fn compare(file: &Path, transport: &str, outcomes: &[(&'static str, Outcome)]) {
    let mut columns = read(&std::fs::read_to_string(file).unwrap_or_default());
    let found: BTreeMap<String, String> = outcomes
        .iter()
        .map(|(check, outcome)| ((*check).to_owned(), outcome.to_string()))
        .collect();
    if std::env::var_os(BLESS).is_some() {
        columns.insert(transport.to_owned(), found);
        std::fs::write(file, write(&columns, outcomes)).unwrap();
        return;
    }
    let committed = columns.remove(transport).unwrap_or_default();
    let differing: Vec<_> = found
        .iter()
        .filter(|(check, outcome)| committed.get(*check) != Some(outcome))
        .map(|(check, outcome)| (check, committed.get(check), outcome))
        .collect();
    let gone: Vec<_> = committed.keys().filter(|check| !found.contains_key(*check)).collect();
    assert!(
        differing.is_empty() && gone.is_empty(),
        "{transport} is not as {} says: {differing:?}, gone: {gone:?}; if that is meant, set \
         {BLESS}=1",
        file.display()
    );
}

fn read(text: &str) -> Columns {
    let mut lines = text.lines().filter(|line| line.starts_with('|')).map(cells);
    let names = lines.next().unwrap_or_default();
    let mut columns = Columns::new();
    for row in lines.filter(|row| row.iter().any(|cell| !cell.starts_with('-'))) {
        let (Some(check), outcomes) = (row.first(), row.iter().skip(1)) else { continue };
        for (name, outcome) in names.iter().skip(1).zip(outcomes) {
            columns.entry(name.clone()).or_default().insert(check.clone(), outcome.clone());
        }
    }
    columns
}

fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// In the order of the suite; a check that a transport has not met yet is empty.
fn write(columns: &Columns, outcomes: &[(&'static str, Outcome)]) -> String {
    let names: Vec<&str> = columns.keys().map(String::as_str).collect();
    let mut text = HEAD.to_owned();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "| check | {} |", names.join(" | "));
    let _ = writeln!(text, "| --- |{}", " --- |".repeat(names.len()));
    for (check, _) in outcomes {
        let of = |column: &BTreeMap<String, String>| column.get(*check).cloned();
        let row: Vec<String> =
            columns.values().map(|column| of(column).unwrap_or_default()).collect();
        let _ = writeln!(text, "| {check} | {} |", row.join(" | "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use worldbus_bus::Capability;

    #[test]
    fn what_is_written_is_read_again() {
        let outcomes = [("a", Outcome::Passed), ("b", Outcome::Lacks(Capability::Replay))];
        let column: BTreeMap<String, String> = outcomes
            .iter()
            .map(|(check, outcome)| (check.to_string(), outcome.to_string()))
            .collect();
        let columns: Columns = [("x".to_owned(), column.clone()), ("y".to_owned(), column)].into();
        let text = write(&columns, &outcomes);
        assert!(text.contains("| b | lacks replay | lacks replay |"), "{text}");
        assert_eq!(read(&text), columns);
    }
}
