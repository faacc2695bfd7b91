//! Text of strangers on a terminal: it must not steer it. Not here: what JSON and protobuf are
//! written as, which is for programs; where they are shown to people they are text as well.

use std::io::IsTerminal as _;

/// Characters of a text on a line: all of a weather.changed.
const CHARS_MAX: usize = 400;

/// A text on a line of its own or of a table, cut short: it must not fill the terminal either.
pub(crate) fn printable(text: &str) -> String {
    let short: String = text.chars().take(CHARS_MAX).collect();
    let cut = if text.chars().nth(CHARS_MAX).is_some() { "…" } else { "" };
    escaped(&short) + cut
}

/// All of a text, on one line.
pub(crate) fn escaped(text: &str) -> String {
    escape(text, steers)
}

/// All of a text of several lines.
pub(crate) fn escaped_lines(text: &str) -> String {
    escape(text, |c| steers(c) && c != '\n')
}

/// A text for people where standard output is a terminal, as it is for a program.
pub(crate) fn for_output(text: String) -> String {
    if std::io::stdout().is_terminal() { escaped_lines(&text) } else { text }
}

/// Control characters, and those that turn the direction of a line.
fn steers(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}');
    c.is_control() || turns
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_escaped(c) { safe.extend(c.escape_default()) } else { safe.push(c) }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_stays_and_all_others_do() {
        let nasty = "a\u{202e}\u{1b}[2J\u{7}\u{9b}\r\u{7f}\nÅ→\u{0}";
        let shown = "a\\u{202e}\\u{1b}[2J\\u{7}\\u{9b}\\r\\u{7f}\\nÅ→\\u{0}";
        assert_eq!([escaped(nasty), printable(nasty)], [shown, shown]);
        assert_eq!(escaped_lines(nasty), shown.replace("\\n", "\n"));
        assert_eq!(printable(&"é".repeat(CHARS_MAX + 1)), "é".repeat(CHARS_MAX) + "…");
    }
}
