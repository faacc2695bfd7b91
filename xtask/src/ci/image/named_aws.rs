//! From inside the image AWS is found by its name and trusted by its certificate.
//!
//! A static binary resolves names and finds certificates in ways of its own, so both are tried for
//! real: a name server and an emulator behind TLS on loopback, and a command that calls SNS and
//! SQS. With the image's own certificates the emulator's is refused; with its authority added it is
//! not.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::checks::run_once;
use super::engine::Engine;
use super::files::CERTIFICATES;
use crate::ci::Lane;

/// The emulator, its name server and its certificate authority.
struct NamedAws {
    child: Child,
    /// Only the name server resolves the name in it.
    endpoint: String,
    resolv_conf: PathBuf,
    authority: PathBuf,
}

/// Calls AWS by its name, once in vain and once with success.
pub(super) fn check(lane: &Lane, engine: &Engine, image: &str, folder: &Path) -> Result<()> {
    let aws = NamedAws::start(lane, engine.scratch())?;
    let bundle = folder.join("out/root").join(CERTIFICATES);
    let refused = aws.call(engine, image, &bundle)?;
    if refused.status.success() || !output_text(&refused).contains("certificate") {
        bail!("a certificate of an unknown authority was not refused: {}", output_text(&refused));
    }
    let both = engine.scratch().join("both.pem");
    fs::write(&both, [fs::read(&bundle)?, fs::read(&aws.authority)?].concat())?;
    let taken = aws.call(engine, image, &both)?;
    if !taken.status.success() {
        bail!("AWS is not reached by its name over TLS: {}", output_text(&taken));
    }
    Ok(())
}

impl NamedAws {
    fn start(lane: &Lane, folder: &Path) -> Result<Self> {
        let tools = lane.tools.python(&lane.repo.root.join("emulators/requirements.txt"))?;
        let mut script = Command::new(tools.join("python"));
        script.arg(lane.repo.root.join("emulators/named.py")).arg(folder);
        // It ends with its input, so never later than we do.
        script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = script.spawn().context("cannot start the emulator")?;
        let mut endpoint = String::new();
        let stdout = child.stdout.take().context("the emulator has no output")?;
        BufReader::new(stdout).read_line(&mut endpoint)?;
        if endpoint.is_empty() {
            bail!("the emulator does not start; is port 53 of loopback allowed?");
        }
        let endpoint = endpoint.trim().to_owned();
        let [resolv_conf, authority] = ["resolv.conf", "authority.pem"].map(|f| folder.join(f));
        Ok(Self { child, endpoint, resolv_conf, authority })
    }

    fn call(&self, engine: &Engine, image: &str, bundle: &Path) -> Result<std::process::Output> {
        let mut run = run_once(engine);
        let mount = |from: &Path, to: &str| format!("--volume={}:/{to}:ro", from.display());
        run.arg(mount(&self.resolv_conf, "etc/resolv.conf")).arg(mount(bundle, CERTIFICATES));
        run.args(["--env=AWS_ACCESS_KEY_ID=test", "--env=AWS_SECRET_ACCESS_KEY=test"]);
        run.arg("--env=AWS_REGION=us-east-1");
        run.arg(format!("--env=AWS_ENDPOINT_URL={}", self.endpoint));
        run.args([image, "topology", "apply", "--url", "sns-sqs://us-east-1?prefix=image"]);
        run.output().context("cannot start podman")
    }
}

impl Drop for NamedAws {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn output_text(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
