//! Logs: `tracing` to standard error, as text for people or JSON for collectors. Standard output
//! is for results (`tail`, `publish`), so logs never go there.
//!
//! Nothing depends on a reader of the logs. A line that cannot be written (`worldbus up 2>&1 | tee
//! file`, and `tee` has ended) is lost, without an error and without a panic; in a process that
//! serves, so is one that would have to wait.

mod lines;

use std::sync::OnceLock;
use std::time::Duration;

use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::colour;
use crate::config::LogFormat;
use crate::trace::{Traces, WithTraceIds};
use lines::Lines;

/// How long the end of a process may wait for who reads its logs.
const FLUSH_MS_MAX: u64 = 200;

/// The filter is not one; the text says which part of it.
#[derive(Debug, thiserror::Error)]
#[error(
    "log filter `{filter}` (--log, WORLDBUS_LOG) is not valid: {reason}; try `info` or \
     `info,worldbus_bus=debug`"
)]
pub struct BadFilter {
    filter: String,
    reason: String,
}

/// Where lines wait for standard error, in a process that serves.
static LINES: OnceLock<Lines> = OnceLock::new();

/// Starts logging for a command that does one thing. When logging is set up already (a test, an
/// embedding program) that stays and this does nothing.
///
/// # Errors
/// [`BadFilter`] when `filter` is not a filter.
pub fn init(filter: &str, format: LogFormat) -> Result<(), BadFilter> {
    untraced(parse(filter)?, format, BoxMakeWriter::new(std::io::stderr));
    Ok(())
}

/// Starts logging for a process that serves, and its tracing if there is one: as [`init`], but
/// nothing waits for who reads the logs. Call [`flush`] before the process ends.
///
/// # Errors
/// [`BadFilter`] when `filter` is not a filter.
pub fn init_serving(
    filter: &str,
    format: LogFormat,
    traces: Option<&Traces>,
) -> Result<(), BadFilter> {
    let filter = parse(filter)?;
    let writer = match Lines::start() {
        Ok(lines) => {
            let lines = LINES.get_or_init(|| lines).clone();
            BoxMakeWriter::new(move || lines.clone())
        }
        // No thread more, or no file: then as any other command.
        Err(_) => BoxMakeWriter::new(std::io::stderr),
    };
    match traces {
        Some(traces) => traced(filter, format, writer, traces),
        None => untraced(filter, format, writer),
    }
    Ok(())
}

/// Waits until what was logged is written, for `FLUSH_MS_MAX` at the most.
pub fn flush() {
    if let Some(lines) = LINES.get() {
        lines.flush(Duration::from_millis(FLUSH_MS_MAX));
    }
}

fn parse(filter: &str) -> Result<EnvFilter, BadFilter> {
    EnvFilter::try_new(filter)
        .map_err(|error| BadFilter { filter: filter.to_owned(), reason: error.to_string() })
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
        assert!(init("info", LogFormat::Text).is_ok());
        assert!(init_serving("debug", LogFormat::Json, None).is_ok());
    }

    #[test]
    fn bad_filter_is_refused_with_an_example() {
        let error = init("worldbus=loud", LogFormat::Text).expect_err("not a level").to_string();
        assert!(error.contains("worldbus=loud") && error.contains("info,"), "{error}");
    }
}
