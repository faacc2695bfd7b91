//! Logs: `tracing` to standard error, as text for people or JSON for collectors. Standard output
//! is for results (`tail`, `publish`), so logs never go there.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::LogFormat;

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

/// Starts logging for this process. When logging is set up already (a test, an embedding program)
/// that stays and this does nothing.
///
/// # Errors
/// [`BadFilter`] when `filter` is not a filter.
pub fn init(filter: &str, format: LogFormat) -> Result<(), BadFilter> {
    let parsed = EnvFilter::try_new(filter)
        .map_err(|error| BadFilter { filter: filter.to_owned(), reason: error.to_string() })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // `try_init` fails only where a subscriber is installed already.
    let _ = match format {
        LogFormat::Text => builder.finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn init_is_idempotent() {
        assert!(init("info", LogFormat::Text).is_ok());
        assert!(init("debug", LogFormat::Json).is_ok());
    }

    #[test]
    fn bad_filter_is_refused_with_an_example() {
        let error = init("worldbus=loud", LogFormat::Text).expect_err("not a level").to_string();
        assert!(error.contains("worldbus=loud") && error.contains("info,"), "{error}");
    }
}
