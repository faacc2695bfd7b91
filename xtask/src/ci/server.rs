//! The real binary, serving on a port of its own for a step. Not what is asked of it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

use anyhow::{Context, Result, bail};

use super::Lane;

/// Killed when it is dropped.
pub(super) struct Server {
    process: Child,
    pub(super) url: String,
    /// Kept open: the process may go on to write.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Starts `worldbus COMMAND` with its data in a folder of `scratch`.
    pub(super) fn start(lane: &Lane, command: &str, scratch: &Path) -> Result<Self> {
        let mut serve = lane.command(lane.worldbus()?);
        serve.args([command, "--listen", "127.0.0.1:0", "--log", "error", "--data-dir"]);
        let mut process = serve.arg(scratch.join("data")).stdout(Stdio::piped()).spawn()?;
        let mut stdout = BufReader::new(process.stdout.take().context("worldbus has no stdout")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let Some(url) = line.trim().strip_prefix("listening on ") else {
            process.kill()?;
            process.wait()?;
            bail!("worldbus did not start: {line:?}");
        };
        Ok(Self { url: url.to_owned(), process, _stdout: stdout })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already if this fails.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
