//! What is in the image, what it states of itself, and what cannot be done in it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::container::hardened;
use super::engine::Engine;
use crate::repo::output;

/// Who runs in the image, and owns nothing in it but the folder of durable data.
const USER: &str = "65532:65532";
const DATA: &str = "data";
/// What an engine exits with when there is no such program.
const NOT_FOUND: i32 = 127;

/// The labels of the OCI's image specification, and how it runs.
pub(super) fn labels(engine: &Engine, image: &str, commit: &str) -> Result<()> {
    let labels: Value =
        serde_json::from_str(&engine.inspect("image", image, "{{json .Labels}}")?)?;
    for (name, wanted) in [
        ("title", "worldbus"),
        ("licenses", "Apache-2.0 OR MIT"),
        ("version", env!("CARGO_PKG_VERSION")),
        ("revision", commit),
    ] {
        let found = &labels[format!("org.opencontainers.image.{name}")];
        ensure!(found == wanted, "label {name} is {found}, not {wanted}");
    }
    ensure!(labels["org.opencontainers.image.description"].is_string(), "no description");
    for (question, wanted) in [
        ("{{.User}}", USER.to_owned()),
        ("{{json .Config.Entrypoint}}", r#"["/worldbus"]"#.to_owned()),
        ("{{json .Config.Volumes}}", format!(r#"{{"/{DATA}":{{}}}}"#)),
        ("{{json .HealthCheck.Test}}", r#"["CMD","worldbus","health"]"#.to_owned()),
    ] {
        let found = engine.inspect("image", image, question)?;
        ensure!(found == wanted, "{question} is {found}, not {wanted}");
    }
    Ok(())
}

/// The files of the image are those that were laid out, byte by byte; one of them can be executed;
/// all but the durable data belongs to root.
pub(super) fn contents(engine: &Engine, image: &str, out: &Path) -> Result<()> {
    let mounted = output(engine.podman().args(["image", "mount", image]))?;
    let mounted = PathBuf::from(mounted.trim());
    let (found, laid_out) = (files(&mounted)?, files(&out.join("root"))?);
    let paths: Vec<_> = found.keys().collect();
    ensure!(paths == laid_out.keys().collect::<Vec<_>>(), "it holds {paths:?}");
    for path in &paths {
        let (ours, theirs) = (fs::read(&laid_out[*path])?, fs::read(&found[*path])?);
        ensure!(ours == theirs, "{} differs from what was laid out", path.display());
        let metadata = fs::metadata(&found[*path])?;
        ensure!((metadata.uid(), metadata.gid()) == (0, 0), "{} is not root's", path.display());
        let executable = metadata.mode() & 0o7111 != 0;
        ensure!(executable == (path.as_os_str() == "worldbus"), "{} can run", path.display());
        ensure!(metadata.mode() & 0o022 == 0, "{} can be written", path.display());
    }
    let data = fs::metadata(mounted.join(DATA))?;
    ensure!(format!("{}:{}", data.uid(), data.gid()) == USER, "/{DATA} is not {USER}'s");
    ensure!(fs::metadata(&mounted)?.uid() == 0, "/ is not root's");
    output(engine.podman().args(["image", "unmount", image]))?;
    Ok(())
}

/// The binary is found by its name too; an orchestrator's health check calls it so.
pub(super) fn found_by_name(engine: &Engine, image: &str) -> Result<()> {
    let mut run = run_once(engine);
    let version = output(run.args(["--entrypoint=worldbus", image, "--version"]))?;
    let wanted = env!("CARGO_PKG_VERSION");
    ensure!(version.contains(wanted), "`worldbus --version` prints {version}, not {wanted}");
    Ok(())
}

/// There is nothing to step into.
pub(super) fn no_shell(engine: &Engine, image: &str) -> Result<()> {
    for shell in ["/bin/sh", "sh", "/bin/busybox"] {
        let mut run = run_once(engine);
        let done = run.arg(format!("--entrypoint={shell}")).args([image, "-c", ":"]).output()?;
        ensure!(done.status.code() == Some(NOT_FOUND), "{shell}: {}", done.status);
    }
    Ok(())
}

/// A service whose data would be outside of the volume is refused by the kernel.
pub(super) fn read_only_root(engine: &Engine, image: &str) -> Result<()> {
    let mut run = run_once(engine);
    run.args([image, "event-bus", "--listen", "127.0.0.1:0", "--data-dir", "/elsewhere"]);
    let done = run.output()?;
    let stderr = String::from_utf8_lossy(&done.stderr);
    if done.status.success() || !stderr.contains("Read-only file system") {
        bail!("the root could be written ({}): {stderr}", done.status);
    }
    Ok(())
}

/// A run that ends by itself.
pub(super) fn run_once(engine: &Engine) -> Command {
    let mut run = engine.podman();
    run.args(["run", "--rm"]).args(hardened()).stdin(Stdio::null());
    run
}

/// Every file under a folder, by its path from there.
fn files(folder: &Path) -> Result<BTreeMap<PathBuf, PathBuf>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next)? {
            let path = entry?.path();
            if fs::symlink_metadata(&path)?.is_dir() {
                folders.push(path);
            } else {
                let from_root = path.strip_prefix(folder).context("not in its folder")?;
                found.insert(from_root.to_owned(), path);
            }
        }
    }
    Ok(found)
}
