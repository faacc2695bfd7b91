//! Logs: `tracing` to standard error, as text for people or JSON for collectors. Standard output
//! is for results (`tail`, `publish`), so logs never go there.
//!
//! Nothing depends on a reader of the logs. A line that cannot be written (`worldbus up 2>&1 | tee
//! file`, and `tee` has ended) is lost, without an error and without a panic; in a process that
//! serves, so is one that would have to wait.

mod lines;
mod one_line;

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::nearest::nearest;
use crate::observe::colour;
use crate::observe::trace::{Traces, WithTraceIds};
use lines::Lines;
use one_line::OneLine;

/// How long the end of a process may wait for who reads its logs.
const FLUSH_MS_MAX: u64 = 200;
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for log collectors.
    Json,
}

/// Which lines are logged: a level, or a filter of `tracing`'s directives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(Cow<'static, str>);

impl Filter {
    /// Warnings and errors.
    pub const WARN: Self = Self(Cow::Borrowed("warn"));

    fn directives(&self) -> EnvFilter {
        EnvFilter::new(&*self.0)
    }
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        EnvFilter::try_new(text).map_err(|error| error.to_string())?;
        let lone = |word: &&str| !word.is_empty() && !word.contains(['=', '[']);
        for word in text.split(',').map(str::trim).filter(lone) {
            check_level(word)?;
        }
        Ok(Self(Cow::Owned(text.to_owned())))
    }
}

/// `tracing` takes a word alone for a target, whose lines are all that is logged then: what is
/// meant is a level.
fn check_level(word: &str) -> Result<(), String> {
    if word.parse::<LevelFilter>().is_ok() {
        return Ok(());
    }
    Err(match nearest(word, LEVELS.into_iter()) {
        Some(near) => format!("`{word}` is no level; did you mean `{near}`?"),
        None => format!("`{word}` is no level; a target needs one, as in `{word}=debug`"),
    })
}

/// Where lines wait for standard error, in a process that serves.
static LINES: OnceLock<Lines> = OnceLock::new();

/// Starts logging for a command that does one thing. When logging is set up already (a test, an
/// embedding program) that stays and this does nothing.
pub fn init(filter: &Filter, format: LogFormat) {
    untraced(filter.directives(), format, BoxMakeWriter::new(one_line(std::io::stderr)));
}

/// Starts logging for a process that serves, and its tracing if there is one: as [`init`], but
/// nothing waits for who reads the logs. Call [`flush`] before the process ends.
pub fn init_serving(filter: &Filter, format: LogFormat, traces: Option<&Traces>) {
    let filter = filter.directives();
    let writer = match Lines::start() {
        Ok(lines) => {
            let lines = LINES.get_or_init(|| lines).clone();
            BoxMakeWriter::new(one_line(move || lines.clone()))
        }
        // No thread more, or no file: then as any other command.
        Err(_) => BoxMakeWriter::new(one_line(std::io::stderr)),
    };
    match traces {
        Some(traces) => traced(filter, format, writer, traces),
        None => untraced(filter, format, writer),
    }
}

/// Waits until what was logged is written, for `FLUSH_MS_MAX` at the most.
pub fn flush() {
    if let Some(lines) = LINES.get() {
        lines.flush(Duration::from_millis(FLUSH_MS_MAX));
    }
}

fn one_line<W>(to: impl Fn() -> W) -> impl Fn() -> OneLine<W> {
    let coloured = colour::wanted(&std::io::stderr());
    move || OneLine { to: to(), coloured }
}

fn untraced(filter: EnvFilter, format: LogFormat, writer: BoxMakeWriter) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(colour::wanted(&std::io::stderr()))
        // It would report a line that it cannot write by `eprintln!`, which panics for the same
        // reason.
        .log_internal_errors(false);
    // `try_init` fails only where a subscriber is installed already.
    let _ = match format {
        LogFormat::Text => builder.finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    };
}

/// Logs and spans side by side: the filter is that of the logs alone.
fn traced(filter: EnvFilter, format: LogFormat, writer: BoxMakeWriter, traces: &Traces) {
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(colour::wanted(&std::io::stderr()))
        .log_internal_errors(false);
    let logs = match format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        LogFormat::Json => {
            let event = WithTraceIds(tracing_subscriber::fmt::format().json().flatten_event(true));
            let lines = lines.fmt_fields(JsonFields::new()).event_format(event);
            lines.with_filter(filter).boxed()
        }
    };
    if tracing_subscriber::registry().with(logs).with(traces.layer()).try_init().is_ok() {
        traces.install();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn init_is_idempotent() {
        init(&Filter::WARN, LogFormat::Text);
        init_serving(&Filter::WARN, LogFormat::Json, None);
    }

    #[test]
    fn word_that_is_no_level_is_refused_with_what_was_meant() {
        for (wrong, part) in [
            ("infoo", "did you mean `info`"),
            ("wran", "did you mean `warn`"),
            ("info,worldbus_bus", "`worldbus_bus=debug`"),
            ("verbose", "`verbose` is no level"),
            ("worldbus_bus=debgu", "level filter"),
        ] {
            let error = wrong.parse::<Filter>().expect_err(wrong);
            assert!(error.contains(part), "{wrong}: {error}");
        }
        for right in [
            "info",
            "WARN",
            "off",
            "3",
            "info,worldbus_bus=debug",
            "info,h2=off,[publish{a}]=trace",
        ] {
            assert!(right.parse::<Filter>().is_ok(), "{right}");
        }
    }
}
