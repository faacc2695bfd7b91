//! A book as one HTML page that needs nothing else: no script, no other file, light and dark.

use std::fmt::Write as _;

use super::book::{Book, Entry};
use super::markup::escaped;
use super::plot;

/// What matters this much is set off.
const NOTABLE: u64 = 400;

/// The page may load nothing, whatever slipped into it.
const HEAD: &str = "<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta http-equiv=\"Content-Security-Policy\"
  content=\"default-src 'none'; style-src 'unsafe-inline'\">
<meta name=\"color-scheme\" content=\"light dark\">
";

const STYLE: &str = "
:root { color-scheme: light dark;
  --ink: #24211c; --page: #fbf9f4; --faint: #6b6459; --bar: #7a5c2e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e1d8; --page: #181715; --faint: #9a9285; --bar: #c9a46a; }
}
body { margin: 0 auto; padding: 1.5rem; max-width: 46rem; background: var(--page);
  color: var(--ink); font: 1.05rem/1.55 Georgia, 'Times New Roman', serif; }
h1, h2 { font-weight: normal; line-height: 1.2; }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--faint); }
a { color: inherit; }
nav ol { columns: 3 12rem; padding-left: 1.5rem; }
ul { list-style: none; padding: 0; }
li { margin: .35rem 0; overflow-wrap: anywhere; }
nav li { margin: 0; }
time, .place { color: var(--faint); font-size: .85em; }
.place { font-variant: small-caps; }
li.notable { font-size: 1.12em; }
figure { margin: 1.5rem 0; }
figcaption, .ends { color: var(--faint); font-size: .85em; }
.ends { display: flex; justify-content: space-between; }
svg { width: 100%; height: auto; display: block; }
rect { fill: var(--bar); }
@media print { h2 { break-before: page; } }
";

/// The whole book.
pub(super) fn page(book: &Book) -> String {
    let world = escaped(&book.world);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n{HEAD}<title>The chronicle of {world}</title>\
         \n<style>{STYLE}</style>\n</head>\n<body>\n<h1>The chronicle of {world}</h1>\n"
    );
    page.push_str("<nav aria-label=\"Contents\">\n<ol>\n");
    for (number, chapter) in book.chapters.iter().enumerate() {
        let (title, count) = (escaped(&chapter.title), chapter.entries.len());
        let number = number + 1;
        let _ = writeln!(page, "<li><a href=\"#chapter-{number}\">{title}</a> ({count})</li>");
    }
    page.push_str("</ol>\n</nav>\n");
    page.push_str(&plot::days(book));
    page.push_str(&plot::significance(book));
    for (number, chapter) in book.chapters.iter().enumerate() {
        let (number, title) = (number + 1, escaped(&chapter.title));
        let _ = writeln!(page, "<h2 id=\"chapter-{number}\">{title}</h2>\n<ul>");
        for entry in &chapter.entries {
            write_entry(&mut page, entry);
        }
        page.push_str("</ul>\n");
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn write_entry(page: &mut String, entry: &Entry) {
    let class = if entry.significance >= NOTABLE { " class=\"notable\"" } else { "" };
    let place = match entry.region.as_str() {
        "" => String::new(),
        name => format!(" <span class=\"place\">{}</span>", escaped(name)),
    };
    let (day, time, text) = (escaped(&entry.day), escaped(&entry.time), escaped(&entry.text));
    let _ = writeln!(page, "<li{class}><time>{day}, {time}</time>{place} {text}</li>");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::chronicle::book::tests::hostile;

    /// Elements that HTML has no end of.
    const VOID: [&str; 1] = ["meta"];

    #[test]
    fn hostile_names_and_texts_stay_text() {
        let page = page(&hostile());
        assert!(!page.contains("<script"));
        assert!(page.contains("&lt;/li&gt;&lt;script&gt;x()&lt;/script&gt;"));
        assert!(page.contains("March &quot;2024&quot; &lt;i&gt;"));
    }

    #[test]
    fn page_needs_no_script_and_no_other_file() {
        let page = page(&hostile()).to_lowercase();
        for forbidden in ["<script", "<link", "<img", "<iframe", "src=", "@import", "url(", " on"] {
            // `on` only as an attribute.
            let forbidden = if forbidden == " on" { " onload=" } else { forbidden };
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        let outside = page.matches("href=\"").count();
        assert_eq!(page.matches("href=\"#chapter-").count(), outside);
    }

    /// What opens closes, in order.
    #[test]
    fn page_is_well_formed() {
        let page = page(&hostile());
        let mut open = Vec::new();
        for part in page.split('<').skip(1) {
            let tag = part.split('>').next().unwrap();
            let name = tag.split([' ', '\n']).next().unwrap();
            if let Some(name) = name.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "{tag}");
            } else if !name.starts_with('!') && !VOID.contains(&name) {
                open.push(name);
            }
        }
        assert_eq!(open, [""; 0]);
        let ids = (1..=2).all(|number| page.contains(&format!("id=\"chapter-{number}\"")));
        assert!(ids);
    }
}
