//! A chronicle as a book: chapters by months of the world's calendar. Not here: reading it
//! (`export`), how it is written (`markdown`, `html`).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::output::table::{cell, items};

/// A book.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// The world's name.
    pub(super) world: String,
    /// In the order of time.
    pub(super) chapters: Vec<Chapter>,
    regions: BTreeMap<String, String>,
    /// Titles of months, and the number of the day before their first.
    months: BTreeMap<String, (String, i64)>,
}

/// A month.
#[derive(Debug)]
pub(super) struct Chapter {
    pub(super) title: String,
    month: String,
    /// In the order of time.
    pub(super) entries: Vec<Entry>,
}

/// A piece of it.
#[derive(Debug)]
pub(super) struct Entry {
    /// `2024-03-01`.
    pub(super) date: String,
    /// The days before it, from some day on.
    pub(super) number: i64,
    /// The day of the month.
    pub(super) day: String,
    /// `06:00`.
    pub(super) time: String,
    /// A name, or empty.
    pub(super) region: String,
    pub(super) significance: u64,
    pub(super) text: String,
}

impl Book {
    /// Without entries, from `/api/chronicle/contents`.
    pub(super) fn new(contents: &Value) -> Self {
        let region = |region: &Value| (cell(region, "id"), cell(region, "name"));
        let of_month = |chapter: &Value| {
            let from = cell(chapter, "from");
            let first_day = chapter["first_day"].as_i64().unwrap_or_default();
            let before = first_day.saturating_sub(day_of_month(date(&from)));
            (month(&from).to_owned(), (cell(chapter, "title"), before))
        };
        Self {
            world: cell(contents, "world"),
            chapters: Vec::new(),
            regions: items(contents, "regions").map(region).collect(),
            months: items(contents, "chapters").map(of_month).collect(),
        }
    }

    /// Adds an entry behind the others.
    pub(super) fn add(&mut self, entry: &Value) {
        let game_time = cell(entry, "game_time");
        let month = month(&game_time).to_owned();
        let (title, before) = self.months.get(&month).cloned().unwrap_or((month.clone(), 0));
        if self.chapters.last().is_none_or(|chapter| chapter.month != month) {
            self.chapters.push(Chapter { title, month, entries: Vec::new() });
        }
        let region = cell(entry, "region");
        let (date, time) = game_time.split_once('T').unwrap_or((&game_time, ""));
        let day = date.rsplit('-').next().unwrap_or_default();
        let entry = Entry {
            date: date.to_owned(),
            number: before.saturating_add(day_of_month(date)),
            day: day.trim_start_matches('0').to_owned(),
            time: time.chars().take(5).collect(),
            region: self.regions.get(&region).unwrap_or(&region).clone(),
            significance: entry["significance"].as_u64().unwrap_or(0),
            text: cell(entry, "text"),
        };
        if let Some(chapter) = self.chapters.last_mut() {
            chapter.entries.push(entry);
        }
    }

    /// All entries.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.chapters.iter().flat_map(|chapter| &chapter.entries)
    }
}

/// `2024-03-01` of `2024-03-01T06:00:00`.
fn date(game_time: &str) -> &str {
    game_time.split('T').next().unwrap_or_default()
}

/// `2024-03` of `2024-03-01T06:00:00`.
fn month(game_time: &str) -> &str {
    let date = date(game_time);
    date.rsplit_once('-').map_or(date, |(month, _)| month)
}

fn day_of_month(date: &str) -> i64 {
    date.rsplit('-').next().and_then(|day| day.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// A book whose names and texts are hostile.
    pub(in crate::ask::chronicle) fn hostile() -> Book {
        let contents = json!({
            "world": "<script>alert(1)</script>",
            "regions": [{"id": "paris", "name": "P*a*r_i_s & <b>"}],
            "chapters": [{"from": "2024-03-01T00:00:00", "title": "March \"2024\" <i>"}],
        });
        let mut book = Book::new(&contents);
        let texts = ["plain", "</li><script>x()</script>", "![img](http://evil/) `code` # [a](b)"];
        for (day, text) in texts.iter().enumerate() {
            book.add(&json!({
                "game_time": format!("2024-03-0{}T06:00:00", day + 1),
                "region": "paris", "significance": 300 * day, "text": text,
            }));
        }
        book.add(&json!({"game_time": "-0044-03-15T12:00:00", "significance": 1, "text": "Et tu"}));
        book
    }

    #[test]
    fn entries_are_in_chapters_by_month() {
        let book = hostile();
        let titles: Vec<_> = book.chapters.iter().map(|chapter| chapter.title.as_str()).collect();
        assert_eq!(titles, ["March \"2024\" <i>", "-0044-03"]);
        assert_eq!(book.chapters[0].entries.len(), 3);
        let first = &book.chapters[0].entries[0];
        assert_eq!((first.day.as_str(), first.time.as_str()), ("1", "06:00"));
    }
}
