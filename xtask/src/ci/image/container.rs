//! A container of the image as it runs in production: no root, no capabilities, nothing to write
//! but its data, the memory and processor of a small task.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};

use super::engine::Engine;
use crate::ci::run_command;
use crate::repo::output;

/// The smallest task of Fargate.
pub(super) const MEMORY_MIB: u64 = 512;
pub(super) const CPUS: &str = "0.25";
/// What the services and we enter by. They listen on loopback only.
const API_KEY: &str = "key-of-the-image-check";

/// How long a debug build on a quarter of a processor may take to do what is waited for.
const WAIT_MAX: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(2);
/// Between SIGTERM and SIGKILL, as on Fargate by default.
const STOP_SECS: &str = "30";
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// A running service, removed when dropped.
pub(super) struct Container<'a> {
    engine: &'a Engine,
    pub(super) service: String,
    log: PathBuf,
    port: u16,
    /// Podman, which returns some time after the service has begun.
    run: Child,
}

impl<'a> Container<'a> {
    /// Starts `service` and waits until its port is open.
    pub(super) fn start(
        engine: &'a Engine,
        image: &str,
        service: &str,
        variables: &[(&str, String)],
    ) -> Result<Self> {
        let log = engine.scratch().join(format!("{service}.log"));
        if log.exists() {
            fs::remove_file(&log)?;
        }
        let mut run = engine.podman();
        run.args(["run", "--detach", "--name", service]).args(hardened());
        run.args(["--memory", &format!("{MEMORY_MIB}m"), "--cpus", CPUS]);
        run.args(["--log-driver", "k8s-file", "--log-opt"]);
        run.arg(format!("path={}", log.display()));
        let common = [
            ("WORLDBUS_LISTEN", "127.0.0.1:0"),
            ("WORLDBUS_API_KEY", API_KEY),
            ("WORLDBUS_LOG_FORMAT", "json"),
        ];
        let more = variables.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in common.into_iter().chain(more) {
            run.arg(format!("--env={name}={value}"));
        }
        // Its monitor lives on, so it gets a file: it must not hold our own output open.
        let errors = File::create(engine.scratch().join(format!("{service}.errors")))?;
        run.args([image, service]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        let run = run.spawn().context("cannot start podman")?;
        let service = service.to_owned();
        let mut container = Self { engine, service, log, port: 0, run };
        container.port = container.wait("an open port", Self::port_of_log)?;
        Ok(container)
    }

    /// Where clients on this machine reach it, by a name that has to be resolved.
    pub(super) fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Status and body of `GET path`, with the key.
    pub(super) fn get(&self, path: &str) -> Result<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(WAIT_MAX))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {API_KEY}\r\n\
             connection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no whole answer")?;
        let status = head.split(' ').nth(1).context("an answer without a status")?;
        Ok((status.parse()?, body.to_owned()))
    }

    /// Waits until `GET path` is answered by 200; when that was.
    pub(super) fn answered(&self, path: &str) -> Result<SystemTime> {
        self.wait(&format!("200 of {path}"), |container| {
            matches!(container.get(path), Ok((200, _))).then(SystemTime::now)
        })
    }

    /// The image's own health check succeeds in it.
    pub(super) fn is_healthy(&self) -> Result<()> {
        let mut check = self.engine.podman();
        let listen = format!("--env=WORLDBUS_LISTEN=127.0.0.1:{}", self.port);
        output(check.args(["exec", &listen, &self.service, "worldbus", "health"]))?;
        Ok(())
    }

    /// When its process began.
    pub(super) fn began(&mut self) -> Result<SystemTime> {
        let status = self.run.wait()?;
        ensure!(status.success(), "{} was not started: {status}", self.service);
        let nanos = self.inspect("{{.State.StartedAt.UnixNano}}")?;
        Ok(UNIX_EPOCH + Duration::from_nanos(nanos.parse()?))
    }

    /// SIGTERM, as an orchestrator ends it; exit code and how long that took.
    pub(super) fn stop(&self) -> Result<(i32, Duration)> {
        let began = Instant::now();
        let mut stop = self.engine.podman();
        run_command(stop.args(["stop", "--time", STOP_SECS, &self.service]).stdout(Stdio::null()))?;
        let took = began.elapsed();
        Ok((self.inspect("{{.State.ExitCode}}")?.parse()?, took))
    }

    /// A file of `/proc` about its process.
    pub(super) fn proc(&self, file: &str) -> Result<String> {
        let pid = self.inspect("{{.State.Pid}}")?;
        let path = format!("/proc/{pid}/{file}");
        fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
    }

    /// What it has written.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn inspect(&self, question: &str) -> Result<String> {
        self.engine.inspect("container", &self.service, question)
    }

    fn port_of_log(&self) -> Option<u16> {
        let log = self.log();
        let line = log.lines().find_map(|line| line.split_once("listening on http://"))?.1;
        line.trim().rsplit(':').next()?.parse().ok()
    }

    fn wait<T>(&self, what: &str, happened: impl Fn(&Self) -> Option<T>) -> Result<T> {
        let began = Instant::now();
        while began.elapsed() < WAIT_MAX {
            if let Some(value) = happened(self) {
                return Ok(value);
            }
            sleep(PAUSE);
        }
        let (service, secs) = (&self.service, WAIT_MAX.as_secs());
        let errors = self.engine.scratch().join(format!("{service}.errors"));
        let errors = fs::read_to_string(errors).unwrap_or_default();
        bail!("{service}: no {what} within {secs} s; its errors:\n{errors}{}", self.log())
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let mut remove = self.engine.podman();
        remove.args(["rm", "--force", "--time", "0", "--volumes", &self.service]);
        if let Err(error) = run_command(remove.stdout(Stdio::null())) {
            eprintln!("xtask: {error:#}");
        }
        // It has ended by now; this only takes notice.
        let _ = self.run.wait();
    }
}

/// Nothing but what the image gives, and loopback of this machine.
pub(super) fn hardened() -> [&'static str; 10] {
    [
        "--network=host",
        "--read-only",
        "--read-only-tmpfs=false",
        "--cap-drop=all",
        "--security-opt=no-new-privileges",
        "--pids-limit=64",
        // The defaults are more than a container in a container is allowed.
        "--ulimit=nofile=1024:1024",
        "--ulimit=nproc=1024:1024",
        "--pull=never",
        // Podman's would need systemd; the checks call it themselves.
        "--no-healthcheck",
    ]
}
