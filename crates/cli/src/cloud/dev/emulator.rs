//! The emulator as a child process: installed into a folder, started, waited for, stopped.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// What is installed: the line of the emulator in the requirements of our own tests.
const REQUIREMENTS: &str = include_str!("../../../../../emulators/requirements.txt");
/// How it is started.
const SCRIPT: &str = include_str!("../../../../../emulators/ministack.py");
/// What it plays of AWS: all that an installation has.
const SERVICES: &str = "cloudformation,dynamodb,ec2,ecs,elasticloadbalancing,events,iam,logs,\
                        monitoring,secretsmanager,servicediscovery,sns,sqs,sts";
/// How long it may take to answer.
const START_MAX: Duration = Duration::from_secs(30);
/// Bytes of what a failed installation said that are shown.
const OUTPUT_BYTES_MAX: usize = 2000;

/// A running emulator; killed when dropped.
pub(super) struct Emulator {
    child: Child,
}

impl Emulator {
    /// Installs it into `folder` if it is not there, and starts it on a port of loopback.
    pub(super) async fn start(folder: &Path, port: u16) -> Result<Self> {
        // Somebody else who listens there would seem to be it.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        drop(free.with_context(|| format!("port {port} is in use; choose another by --port"))?);
        let python = install(folder).await?;
        let script = folder.join("start.py");
        std::fs::write(&script, SCRIPT)
            .with_context(|| format!("cannot write {}", script.display()))?;
        progress("starting the emulator");
        let mut command = Command::new(python);
        command.arg(script).env("GATEWAY_PORT", port.to_string());
        command.env("BIND_HOST", "127.0.0.1").env("MINISTACK_HOST", "127.0.0.1");
        command.env("SERVICES", SERVICES).env("IOT_MTLS_ENABLED", "0");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.kill_on_drop(true).spawn().context("cannot start the emulator")?;
        let mut emulator = Self { child };
        emulator.answers(port).await?;
        Ok(emulator)
    }

    async fn answers(&mut self, port: u16) -> Result<()> {
        let answer = async {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            error = self.ended() => Err(error),
            answered = tokio::time::timeout(START_MAX, answer) => answered.with_context(|| {
                format!("the emulator does not answer within {} s", START_MAX.as_secs())
            }),
        }
    }

    /// Waits for its end, which is always an error.
    pub(super) async fn ended(&mut self) -> anyhow::Error {
        match self.child.wait().await {
            Ok(status) => anyhow::anyhow!("the emulator ended by itself ({status})"),
            Err(error) => anyhow::Error::new(error).context("cannot wait for the emulator"),
        }
    }

    /// Stops it.
    pub(super) async fn stop(mut self) -> Result<()> {
        self.child.kill().await.context("cannot stop the emulator")
    }
}

/// The python of an environment that has the emulator.
async fn install(folder: &Path) -> Result<PathBuf> {
    let environment = folder.join("venv");
    let python = environment.join("bin").join("python3");
    let (wanted, stamp) = (requirement()?, folder.join("installed.txt"));
    if std::fs::metadata(&stamp).is_ok_and(|stamp| stamp.len() == wanted.len() as u64)
        && std::fs::read(&stamp).is_ok_and(|installed| installed == wanted.as_bytes())
    {
        return Ok(python);
    }
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}; choose another by --dir", folder.display()))?;
    progress(&format!("installing {wanted} into {} (once, some seconds)", folder.display()));
    let mut venv = Command::new("python3");
    run(venv.args(["-m", "venv", "--clear"]).arg(&environment)).await.context(
        "a Python environment cannot be made: install Python 3 with venv (Debian: \
         python3-venv)",
    )?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", wanted]);
    run(&mut pip).await.with_context(|| format!("{wanted} cannot be installed"))?;
    std::fs::write(&stamp, wanted).context("cannot note what is installed")?;
    Ok(python)
}

fn requirement() -> Result<&'static str> {
    let mut lines = REQUIREMENTS.lines();
    lines.find(|line| line.starts_with("ministack==")).context("no emulator is named")
}

/// Runs a command; its last words if it fails.
async fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let last = &said[said.len().saturating_sub(OUTPUT_BYTES_MAX)..];
    bail!("{}: {}", output.status, String::from_utf8_lossy(last).trim())
}

/// A line for who waits.
fn progress(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text} …");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emulator_is_pinned() {
        assert!(requirement().unwrap().len() > "ministack==".len());
    }
}
