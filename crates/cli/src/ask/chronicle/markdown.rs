//! A book as Markdown. What comes from the world stays text: no name makes a heading or a link.

use std::fmt::Write as _;

use super::book::Book;

/// The whole book.
pub(super) fn page(book: &Book) -> String {
    let mut page = format!("# The chronicle of {}\n\n", escaped(&book.world));
    for (number, chapter) in book.chapters.iter().enumerate() {
        let title = escaped(&chapter.title);
        let _ = writeln!(page, "- [{title}](#chapter-{})", number + 1);
    }
    for (number, chapter) in book.chapters.iter().enumerate() {
        let number = number + 1;
        let title = escaped(&chapter.title);
        let _ = write!(page, "\n<a id=\"chapter-{number}\"></a>\n\n## {title}\n\n");
        for entry in &chapter.entries {
            let region = match entry.region.as_str() {
                "" => String::new(),
                name => format!(", {}", escaped(name)),
            };
            let text = escaped(&entry.text);
            let (day, time) = (escaped(&entry.day), escaped(&entry.time));
            let _ = writeln!(page, "- **{day}**, {time}{region}: {text}");
        }
    }
    page
}

/// A text on one line in which no sign means anything.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '!' | '$' => {
                safe.extend(['\\', c]);
            }
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::chronicle::book::tests::hostile;

    #[test]
    fn hostile_names_and_texts_stay_text() {
        let page = page(&hostile());
        assert!(page.starts_with("# The chronicle of \\<script\\>alert(1)\\</script\\>\n"));
        assert!(page.contains("P\\*a\\*r\\_i\\_s \\& \\<b\\>"));
        assert!(page.contains("\\!\\[img\\](http://evil/) \\`code\\` \\# \\[a\\](b)"));
        let anchors = page.matches("<a id=\"chapter-").count();
        assert_eq!((anchors, page.replace("\\<", "").matches('<').count()), (2, 4));
    }
}
