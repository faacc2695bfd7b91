//! `worldbus tail`: the events of a bus on standard output, past and as they come.

mod arguments;
mod notice;
mod output;
mod select;
mod text;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures_util::FutureExt as _;
use tokio::time::{Instant, sleep_until};

use crate::session::Session;
use output::Output;
use worldbus_bus::Reader;
use worldbus_service::{CancellationToken, shutdown};

pub(crate) use arguments::TailArguments;

/// After so long without an event a person may wonder whether anything is wrong.
const QUIET: Duration = Duration::from_secs(10);

/// Writes the events that are asked for until there are enough, or a signal.
pub(crate) async fn run(arguments: TailArguments) -> Result<ExitCode> {
    let shutdown = shutdown::on_signal().context("cannot listen for signals")?;
    let Some(session) = Session::open(&arguments.flags).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let Session { bus, catalogue, .. } = &session;
    let types = select::types(&arguments, catalogue)?;
    select::check_past(bus)?;
    let wanted = select::wanted(&arguments, types, catalogue, bus).await?;
    let spec = select::spec(&arguments, &wanted)?;
    let mut output = Output::new(arguments.format, Arc::clone(catalogue), wanted);
    let explain = |error| session.explain(error);
    let reader = bus.transport().read(spec).await.map_err(explain)?;
    copy(reader, &mut output, arguments.count, &shutdown, &explain).await?;
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Flushes whenever it has to wait, so that nothing is held back and a long past goes fast.
async fn copy(
    mut reader: Box<dyn Reader>,
    output: &mut Output,
    count: Option<u64>,
    shutdown: &CancellationToken,
    explain: &dyn Fn(worldbus_bus::Error) -> anyhow::Error,
) -> Result<()> {
    let mut left = count.unwrap_or(u64::MAX);
    let quiet = Instant::now() + QUIET;
    let mut is_quiet = true;
    while left > 0 && !shutdown.is_cancelled() {
        if is_quiet && Instant::now() >= quiet {
            is_quiet = false;
            crate::output::failure::complain(notice::QUIET);
        }
        let next = match reader.next().now_or_never() {
            Some(next) => next,
            None => {
                output.flush()?;
                tokio::select! {
                    () = shutdown.cancelled() => break,
                    () = sleep_until(quiet), if is_quiet => continue,
                    next = reader.next() => next,
                }
            }
        };
        let next = next.map_err(explain)?;
        while let Some(notice) = reader.notice() {
            output.flush()?;
            crate::output::failure::complain(&notice::describe(&notice));
        }
        let Some(stored) = next else { break };
        let written = output.write(&stored, left)?;
        is_quiet &= written == 0;
        left -= written;
    }
    Ok(())
}
