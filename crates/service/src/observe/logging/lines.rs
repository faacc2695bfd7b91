//! Standard error on a thread of its own. A write to a pipe whose reader has stopped (`Ctrl-S` in a
//! terminal, a collector that hangs) waits for ever; in a process that serves it would hold up one
//! task after the other.
//!
//! Not the `tracing-appender` crate: it counts what it drops nowhere that we could show.

use std::fs::File;
use std::io::{self, Write};
#[cfg(unix)]
use std::os::fd::AsFd as _;
#[cfg(windows)]
use std::os::windows::io::AsHandle as _;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use metrics::counter;

/// Lines that wait for standard error; those that come then are dropped and counted.
const LINES_MAX: usize = 1024;

enum Job {
    Line(Vec<u8>),
    /// Reports when all lines before it are written.
    Flush(SyncSender<()>),
}

/// Writes whole lines, each in one call, without ever waiting.
#[derive(Clone)]
pub(super) struct Lines(SyncSender<Job>);

impl Lines {
    /// Starts the thread; it ends with the process.
    pub(super) fn start() -> io::Result<Self> {
        // Not `io::stderr()`: its lock would be held while a write waits.
        #[cfg(unix)]
        let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        #[cfg(windows)]
        let stderr = File::from(io::stderr().as_handle().try_clone_to_owned()?);
        let (sender, jobs) = sync_channel(LINES_MAX);
        let thread = std::thread::Builder::new().name("worldbus-stderr".to_owned());
        thread.spawn(move || run(&jobs, &stderr))?;
        Ok(Self(sender))
    }

    /// Waits until what was logged is written, at most so long.
    pub(super) fn flush(&self, at_most: Duration) {
        let (written, wait) = sync_channel(1);
        if self.0.try_send(Job::Flush(written)).is_ok() {
            let _ = wait.recv_timeout(at_most);
        }
    }
}

fn run(jobs: &Receiver<Job>, mut stderr: &File) {
    for job in jobs {
        match job {
            // No one reads it any more: that is no reason to fail.
            Job::Line(line) => drop(stderr.write_all(&line)),
            Job::Flush(written) => drop(written.try_send(())),
        }
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.0.try_send(Job::Line(line.to_vec())).is_err() {
            counter!("worldbus_log_lines_dropped_total").increment(1);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
