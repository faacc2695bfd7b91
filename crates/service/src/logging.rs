//! Logs: `tracing` to standard error, as text for people or JSON for collectors. Standard output
//! is for results (`tail`, `publish`), so logs never go there.
//!
//! Nothing depends on a reader of the logs: a line that cannot be written (`worldbus up 2>&1 | tee
//! file`, and `tee` has ended) is lost, without an error and without a panic.

use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::colour;
use crate::config::LogFormat;
use crate::trace::{Traces, WithTraceIds};

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

/// Starts logging for this process, and its tracing if there is one. When logging is set up already
/// (a test, an embedding program) that stays and this does nothing.
///
/// # Errors
/// [`BadFilter`] when `filter` is not a filter.
pub fn init(filter: &str, format: LogFormat, traces: Option<&Traces>) -> Result<(), BadFilter> {
    let parsed = EnvFilter::try_new(filter)
        .map_err(|error| BadFilter { filter: filter.to_owned(), reason: error.to_string() })?;
    if let Some(traces) = traces {
        traced(parsed, format, traces);
        return Ok(());
    }
    let builder = tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_writer(std::io::stderr)
        .with_ansi(colour::wanted(&std::io::stderr()))
        // It would report a line that it cannot write by `eprintln!`, which panics for the same
        // reason.
        .log_internal_errors(false);
    // `try_init` fails only where a subscriber is installed already.
    let _ = match format {
        LogFormat::Text => builder.finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    };
    Ok(())
}

/// Logs and spans side by side: the filter is that of the logs alone.
fn traced(filter: EnvFilter, format: LogFormat, traces: &Traces) {
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
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
        assert!(init("info", LogFormat::Text, None).is_ok());
        assert!(init("debug", LogFormat::Json, None).is_ok());
    }

    #[test]
    fn bad_filter_is_refused_with_an_example() {
        let error =
            init("worldbus=loud", LogFormat::Text, None).expect_err("not a level").to_string();
        assert!(error.contains("worldbus=loud") && error.contains("info,"), "{error}");
    }
}
