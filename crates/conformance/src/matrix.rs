//! The matrix of checks and transports, as a committed page: a check that is skipped from now on
//! is a visible difference.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::checks::checks;
use crate::report::{Report, Verdict};

/// Set to anything, it has a test write its column of the matrix instead of comparing it.
const BLESS: &str = "WORLDBUS_BLESS";
/// Bytes of a page that are read.
const PAGE_BYTES_MAX: u64 = 1 << 20;
/// What stands for a check that a transport was not held to yet.
const UNKNOWN: &str = "?";

const HEAD: &str = "# Conformance

What each transport was held to. Written by the tests of the transports, which compare their column
with it: `WORLDBUS_BLESS=1 cargo nextest run` writes it again. The checks are those of
`crates/conformance`.

";

/// A page: its transports, and a cell for each check and transport.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    columns: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
}

impl Report {
    /// Compares the report with a transport's column of the committed matrix, or writes the
    /// column if `WORLDBUS_BLESS` is set. Checks that failed fail the test first.
    ///
    /// # Panics
    /// When a check failed, or the column is another, with how to write it again.
    pub fn assert_matrix(&self, page: &Path, transport: &str) {
        self.assert_kept();
        self.compare(page, transport, std::env::var_os(BLESS).is_some());
    }

    fn compare(&self, page: &Path, transport: &str, bless: bool) {
        let wanted: Vec<String> = self.verdicts().map(|(_, verdict)| cell(verdict)).collect();
        // One test at a time: the columns of the others are in the same page.
        let mut file = File::options();
        let file = file.read(true).write(true).create(true).truncate(false).open(page);
        let mut file = file.unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        file.lock().unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        let mut text = String::new();
        (&file).take(PAGE_BYTES_MAX).read_to_string(&mut text).unwrap();
        let committed = Page::parse(&text);
        let blessed = committed.with(transport, &wanted).to_string();
        if bless {
            file.set_len(0).unwrap();
            file.rewind().unwrap();
            file.write_all(blessed.as_bytes()).unwrap();
            return;
        }
        assert!(
            text == blessed,
            "the column {transport} of {} is not what was found:\n{}run this test with \
             {BLESS}=1 to write it, look at the difference, and commit it",
            page.display(),
            differences(&text, &blessed),
        );
    }
}

impl Page {
    fn parse(text: &str) -> Self {
        let cells = |line: &str| -> Vec<String> {
            line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
        };
        let mut lines = text.lines().filter(|line| line.starts_with('|')).map(cells);
        let columns = lines.next().unwrap_or_default().into_iter().skip(1).collect();
        let rows = lines.skip(1).filter_map(|line| {
            let (check, cells) = line.split_first()?;
            Some((check.trim_matches('`').to_owned(), cells.to_vec()))
        });
        Self { columns, rows: rows.collect() }
    }

    /// The page of today's checks with a column of these cells; the others as they are.
    fn with(&self, transport: &str, cells: &[String]) -> Self {
        let mut columns = self.columns.clone();
        let own = columns.iter().position(|column| column == transport);
        let own = own.unwrap_or_else(|| {
            columns.push(transport.to_owned());
            columns.len() - 1
        });
        let row = |(check, cell): (crate::checks::Check, &String)| {
            let before = self.rows.iter().find(|(name, _)| name == check.name);
            let mut row = before.map_or_else(Vec::new, |(_, cells)| cells.clone());
            row.resize(columns.len(), UNKNOWN.to_owned());
            row[own].clone_from(cell);
            (check.name.to_owned(), row)
        };
        let rows = checks().into_iter().zip(cells).map(row).collect();
        Self { columns, rows }
    }
}

impl std::fmt::Display for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(HEAD)?;
        writeln!(f, "| check | {} |", self.columns.join(" | "))?;
        writeln!(f, "| --- |{}", " --- |".repeat(self.columns.len()))?;
        for (check, cells) in &self.rows {
            writeln!(f, "| `{check}` | {} |", cells.join(" | "))?;
        }
        Ok(())
    }
}

fn cell(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Skip(reason) => format!("skip: {}", reason.replace('|', "/")),
        Verdict::Fail(_) => "FAIL".to_owned(),
    }
}

/// The lines that are in one text only.
fn differences(before: &str, after: &str) -> String {
    let mut text = String::new();
    let only = |one: &str, other: &str, sign: char, text: &mut String| {
        for line in one.lines().filter(|line| !other.lines().any(|known| known == *line)) {
            let _ = writeln!(text, "{sign} {line}");
        }
    };
    only(before, after, '-', &mut text);
    only(after, before, '+', &mut text);
    text
}

#[cfg(test)]
mod tests;
