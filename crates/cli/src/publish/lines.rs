//! Lines of standard input, each with its number, none of more than a bound.

use std::io::{self, BufRead};

use anyhow::{Context as _, Result};
use tokio::sync::mpsc;

/// Bytes of a line: four times the largest payload, since JSON is wordier than protobuf.
pub(super) const LINE_BYTES_MAX: usize = 4 << 20;
/// Lines that were read and wait. Long ones are rare.
const LINES_AHEAD_MAX: usize = 16;

/// A line, or why it cannot be used.
pub(super) struct Line {
    /// Its number, from 1.
    pub(super) number: u64,
    /// Without its end.
    pub(super) text: Result<String, String>,
}

/// The lines of standard input that are not blank.
///
/// Read by a thread of its own, which the end of the process ends: a read cannot be cancelled.
pub(super) fn from_stdin() -> Result<mpsc::Receiver<Line>> {
    let (sender, receiver) = mpsc::channel(LINES_AHEAD_MAX);
    let read = move || {
        let mut input = io::stdin().lock();
        let mut number = 0;
        while let Some(mut text) = next(&mut input) {
            number += 1;
            if number == 1 {
                text = text.map(without_mark);
            }
            let blank = text.as_ref().is_ok_and(|text| text.trim().is_empty());
            if !blank && sender.blocking_send(Line { number, text }).is_err() {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("stdin".to_owned());
    thread.spawn(read).context("cannot start a thread for standard input")?;
    Ok(receiver)
}

/// The next line; `None` at the end, also when the input cannot be read any more.
fn next(input: &mut impl BufRead) -> Option<Result<String, String>> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                crate::output::failure::complain(&format!("cannot read standard input: {error}"));
                return None;
            }
        };
        if chunk.is_empty() {
            // The last line may lack its end.
            return (!line.is_empty() || too_long).then(|| finish(line, too_long));
        }
        let end = chunk.iter().position(|&byte| byte == b'\n');
        let taken = &chunk[..end.unwrap_or(chunk.len())];
        too_long |= line.len() + taken.len() > LINE_BYTES_MAX;
        if !too_long {
            line.extend_from_slice(taken);
        }
        let consumed = taken.len() + usize::from(end.is_some());
        input.consume(consumed);
        if end.is_some() {
            return Some(finish(line, too_long));
        }
    }
}

fn finish(mut line: Vec<u8>, too_long: bool) -> Result<String, String> {
    if too_long {
        return Err(format!("longer than {LINE_BYTES_MAX} bytes"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    let utf_16 = line.starts_with(&[0xff, 0xfe]) || line.starts_with(&[0xfe, 0xff]);
    String::from_utf8(line).map_err(|_| match utf_16 {
        true => {
            "not UTF-8 but, as its byte order mark shows, UTF-16; convert it to UTF-8".to_owned()
        }
        false => "not UTF-8".to_owned(),
    })
}

/// The first line without the byte order mark that some editors and shells begin a file with.
fn without_mark(line: String) -> String {
    line.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<Result<String, String>> {
        let mut input = io::BufReader::with_capacity(7, bytes);
        std::iter::from_fn(|| next(&mut input)).collect()
    }

    #[test]
    fn lines_end_with_either_newline_and_the_last_may_lack_it() {
        let lines = all(b"one\r\n\nthree\nfour");
        assert_eq!(lines, ["one", "", "three", "four"].map(|text| Ok(text.to_owned())));
        assert_eq!(all(b""), []);
    }

    #[test]
    fn byte_order_mark_of_utf_8_is_skipped_and_that_of_utf_16_is_named() {
        assert_eq!(without_mark("\u{feff}{}".to_owned()), "{}");
        let lines = all(b"\xff\xfe{\x00}\x00\n");
        assert!(lines[0].as_ref().unwrap_err().contains("UTF-16"), "{lines:?}");
    }

    #[test]
    fn line_over_the_bound_or_not_utf_8_is_refused_and_the_next_is_read() {
        let mut bytes = vec![b'x'; LINE_BYTES_MAX + 1];
        bytes.extend_from_slice(b"\n\xff\nok\n");
        let lines = all(&bytes);
        assert!(lines[0].as_ref().unwrap_err().contains("longer than"));
        assert_eq!(lines[1..], [Err("not UTF-8".to_owned()), Ok("ok".to_owned())]);
    }
}
