//! One log event, one line, and no control character in it: a name with a newline must not look
//! like a line of its own, and none may steer a terminal. `tracing-subscriber` escapes messages,
//! and not the fields that are displayed.

use std::fmt::Write as _;
use std::io::{self, Write};

/// Escapes control characters within what is written, which is a line a call.
pub(super) struct OneLine<W> {
    pub(super) to: W,
    /// Whether lines have colours, which stay.
    pub(super) coloured: bool,
}

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let (text, end) = match line.strip_suffix(b"\n") {
            Some(text) => (text, "\n"),
            None => (line, ""),
        };
        let text = String::from_utf8_lossy(text);
        if text.contains(char::is_control) {
            self.to.write_all((escaped(&text, self.coloured) + end).as_bytes())?;
        } else {
            self.to.write_all(line)?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn escaped(text: &str, coloured: bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if !c.is_control() || coloured && is_colour(&text[at..]) {
            safe.push(c);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(safe, "{}", c.escape_default());
        }
    }
    safe
}

/// Whether a text begins with a colour or a style: `ESC [ 1 ; 31 m`.
fn is_colour(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("\u{1b}[") else { return false };
    rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m')
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The log line of a name, with colours or without.
    fn logged(name: &str, coloured: bool) -> String {
        let written = Written::default();
        let to = written.clone();
        let logs = tracing_subscriber::fmt()
            .with_ansi(coloured)
            .with_writer(move || OneLine { to: to.clone(), coloured })
            .finish();
        tracing::subscriber::with_default(logs, || tracing::warn!(world = %name, "for {name}"));
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn name_of_a_stranger_makes_no_line_of_its_own_and_steers_no_terminal() {
        for coloured in [false, true] {
            let text = logged("a\n2026 ERROR \u{1b}[2J\u{7}\u{9b}\r", coloured);
            let (line, rest) = text.split_once('\n').unwrap();
            assert!(rest.is_empty() && !line.contains("\u{1b}[2J"), "{text:?}");
            let of_colours = line.matches("\u{1b}[").count();
            assert_eq!(line.matches(char::is_control).count(), of_colours, "{text:?}");
            assert_eq!(of_colours > 0, coloured, "{text:?}");
        }
    }
}
