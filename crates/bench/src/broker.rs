//! The other process: the real `worldbus` binary, started for a measurement and ended after it.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

const READY_MAX: Duration = Duration::from_secs(20);

/// A running `worldbus`, killed when dropped.
pub(crate) struct Broker {
    child: Child,
    port: u16,
    _data: TempDir,
    /// From the start of the process to the first 200 of /readyz.
    pub(crate) start: Duration,
}

impl Broker {
    /// Starts `worldbus COMMAND` in a fresh data folder and waits until it is ready.
    pub(crate) fn start(worldbus: &Path, command: &str) -> Result<Self> {
        Self::start_by(Command::new(worldbus).arg(command))
            .with_context(|| format!("{}: build it first", worldbus.display()))
    }

    /// Starts the same by a command line that lacks only where to listen and to keep data.
    pub(crate) fn start_by(command: &mut Command) -> Result<Self> {
        let data = tempfile::tempdir_in(".")?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let begun = Instant::now();
        let child = command
            .args(["--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
            .arg(data.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut broker = Self { child, port, _data: data, start: Duration::ZERO };
        while ureq::get(format!("{}/readyz", broker.url())).call().is_err() {
            if begun.elapsed() > READY_MAX || broker.child.try_wait()?.is_some() {
                bail!("{command:?} did not become ready");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        broker.start = begun.elapsed();
        Ok(broker)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Ending a measurement: nothing is to be saved.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
