//! How a command that failed ends: one message on standard error, and the exit code.

use std::io::{self, ErrorKind};
use std::process::ExitCode;

use crate::output::terminal::escaped_lines;
use worldbus_service::{access, colour, config, state};
use worldbus_world::WorldFileError;

/// What was asked for was refused or failed.
pub(crate) const FAILED: u8 = 1;
/// The command line, the configuration or the world file is wrong; nothing was started.
const WRONG_USE: u8 = 2;

/// The command line or a file it names is wrong; the text states what to do.
#[derive(Debug)]
pub(crate) struct WrongUse(pub(crate) String);

impl std::fmt::Display for WrongUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongUse {}

/// Reports what went wrong: to people in words, to scripts by the code. A reader that has gone
/// away, as in `worldbus tail | head`, is no failure.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if is_broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    complain(&format!("error: {}", sentence(error)));
    ExitCode::from(code(error))
}

/// An error with its causes, as far as they add something.
pub(crate) fn sentence(error: &anyhow::Error) -> String {
    worldbus_bus::with_causes(error.as_ref())
}

/// A line for people, or a few. That standard error is gone is no reason to fail.
pub(crate) fn complain(line: &str) {
    use io::Write as _;
    let line = escaped_lines(line);
    let shown = if colour::wanted(&io::stderr()) { painted(&line) } else { line };
    let _ = writeln!(io::stderr(), "{shown}");
}

/// A line whose first word is its severity, in the colour of that.
fn painted(line: &str) -> String {
    for (word, style) in [("error:", "\x1b[1;31m"), ("warning:", "\x1b[1;33m")] {
        if let Some(rest) = line.strip_prefix(word) {
            return format!("{style}{word}\x1b[0m{rest}");
        }
    }
    line.to_owned()
}

fn code(error: &anyhow::Error) -> u8 {
    let wrong_use = error.chain().any(|cause| {
        cause.is::<WrongUse>()
            || cause.is::<config::Error>()
            || cause.is::<access::KeyRequired>()
            || cause.is::<WorldFileError>()
            || cause.downcast_ref::<state::Error>().is_some_and(is_wrong_url)
    });
    if wrong_use { WRONG_USE } else { FAILED }
}

fn is_wrong_url(error: &state::Error) -> bool {
    error.kind() == state::Kind::Unsupported
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io_error = error.downcast_ref::<io::Error>();
    io_error.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;
    use worldbus_bus::{Error, Kind};

    #[test]
    fn wrong_use_differs_from_failure_through_any_context() {
        let wrong = Err::<(), _>(WrongUse("no such type".to_owned())).context("tail");
        assert_eq!(code(&wrong.unwrap_err()), WRONG_USE);
        assert_eq!(code(&anyhow::anyhow!("the disk is full")), FAILED);
    }

    #[test]
    fn cause_that_stands_in_an_error_already_is_not_repeated() {
        let disk = io::Error::from(ErrorKind::StorageFull);
        let text = format!("cannot write lock ({disk})");
        let error = Error::retry(Kind::Full, &text).with_source(disk);
        let error = anyhow::Error::new(error).context("cannot use embedded:bus");
        assert_eq!(sentence(&error), format!("cannot use embedded:bus: {text}"));
    }

    #[test]
    fn first_word_alone_is_painted() {
        assert_eq!(painted("error: a warning: b"), "\x1b[1;31merror:\x1b[0m a warning: b");
        assert_eq!(painted("17 of 20 replayed"), "17 of 20 replayed");
    }

    #[test]
    fn broken_pipe_of_standard_output_is_quiet_but_that_of_a_cause_is_not() {
        let pipe = || io::Error::from(ErrorKind::BrokenPipe);
        assert!(is_broken_pipe(&pipe().into()));
        assert!(!is_broken_pipe(&io::Error::from(ErrorKind::NotFound).into()));
    }
}
