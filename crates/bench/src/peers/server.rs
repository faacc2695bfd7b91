//! A server of a peer on a free port, with a folder of its own; killed when dropped.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

const READY_MAX: Duration = Duration::from_secs(20);

pub(super) struct Server {
    child: Child,
    pub(super) port: u16,
    _folder: TempDir,
}

impl Server {
    /// Starts what `command` describes, and waits until it takes connections.
    pub(super) fn start(command: impl Fn(u16, &Path) -> Result<Command>) -> Result<Self> {
        // On the same disk as ours.
        let folder = tempfile::tempdir_in(".")?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = command(port, folder.path())?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let mut server = Self { child, port, _folder: folder };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begun.elapsed() > READY_MAX || server.child.try_wait()?.is_some() {
                bail!("{command:?} did not become ready");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
