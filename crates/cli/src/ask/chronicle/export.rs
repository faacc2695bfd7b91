//! `worldbus chronicle export`: reads the chronicle page by page and writes it as a book.

use std::io::Write as _;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::arguments::{BookFormat, ExportArguments};
use super::book::Book;
use super::{html, look, markdown};
use crate::output::table::items;
use crate::output::terminal::printable;
use crate::session::rest::Rest;

/// Entries of a book; more do not fit a page that a browser shows.
const ENTRY_COUNT_MAX: usize = 250_000;
/// Entries that are read at a time.
const PAGE_COUNT: &str = "500";

/// Writes the file.
pub(super) async fn export(rest: &Rest, asked: &ExportArguments) -> Result<String> {
    if !asked.force && asked.out.exists() {
        bail!("{} is there already; --force replaces it", asked.out.display());
    }
    let contents = rest.get("/api/chronicle/contents", &[]).await?;
    let mut book = Book::new(&contents);
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let mut query = look::parameters(&asked.filters);
        query.extend([
            ("order", Some("earliest".to_owned())),
            ("limit", Some(PAGE_COUNT.to_owned())),
            ("cursor", cursor.take()),
        ]);
        let answer = rest.get("/api/chronicle", &query).await?;
        for entry in items(&answer, "entries") {
            match asked.format {
                BookFormat::Json => all.push(entry.clone()),
                BookFormat::Html | BookFormat::Markdown => book.add(entry),
            }
        }
        let count = all.len() + book.chapters.iter().map(|of| of.entries.len()).sum::<usize>();
        if count > ENTRY_COUNT_MAX {
            bail!(
                "more than {ENTRY_COUNT_MAX} entries; take fewer with --from, --to, --region or \
                 --min-significance"
            );
        }
        cursor = answer["next"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return write(asked, &text(asked.format, &book, &contents, all), count);
        }
    }
}

fn text(format: BookFormat, book: &Book, contents: &Value, entries: Vec<Value>) -> String {
    match format {
        BookFormat::Markdown => markdown::page(book),
        BookFormat::Html => html::page(book),
        BookFormat::Json => {
            let document = json!({"world": contents["world"], "entries": entries});
            format!("{document:#}\n")
        }
    }
}

/// Writes next to the file first: what is there is whole.
#[allow(clippy::disallowed_methods, reason = "the command writes the file that it was asked for")]
fn write(asked: &ExportArguments, text: &str, count: usize) -> Result<String> {
    let shown = asked.out.display();
    let cannot = || format!("cannot write {shown}");
    let mut part = asked.out.clone().into_os_string();
    part.push(".part");
    let mut file = std::fs::File::create(&part).with_context(cannot)?;
    file.write_all(text.as_bytes()).with_context(cannot)?;
    file.sync_all().with_context(cannot)?;
    std::fs::rename(&part, &asked.out).with_context(cannot)?;
    Ok(format!("{count} entries in {}\n", printable(&shown.to_string())))
}
