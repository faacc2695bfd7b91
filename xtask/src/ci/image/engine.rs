//! Buildah and Podman with storage of their own under `target`, so that neither a person's images
//! nor a daemon is touched.
//!
//! The options are those that also work where there is no systemd and no overlay file system, as
//! in CI.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::ci::run_command;
use crate::repo::output;

/// Both, over one storage, which is emptied at the begin and at the end.
pub(super) struct Engine {
    folder: PathBuf,
}

/// An image's bytes.
pub(super) struct Bytes {
    /// As files.
    pub(super) unpacked: u64,
    /// As a registry keeps and sends it: gzip.
    pub(super) packed: u64,
}

impl Engine {
    pub(super) fn under(folder: &Path) -> Result<Self> {
        let engine = Self { folder: folder.join("engine") };
        engine.clear()?;
        fs::create_dir_all(&engine.folder)?;
        Ok(engine)
    }

    pub(super) fn buildah(&self) -> Command {
        self.storage_of(Command::new("buildah"))
    }

    pub(super) fn podman(&self) -> Command {
        let mut podman = self.storage_of(Command::new("podman"));
        podman.arg("--tmpdir").arg(self.folder.join("tmp"));
        // crun and systemd's cgroups are not to be had everywhere.
        podman.args(["--runtime", "runc", "--cgroup-manager", "cgroupfs"]);
        podman.args(["--events-backend", "none"]);
        podman
    }

    /// What an image or a container answers to a question in Go's template language.
    pub(super) fn inspect(&self, kind: &str, name: &str, question: &str) -> Result<String> {
        let answer = output(self.podman().args([kind, "inspect", "--format", question, name]))?;
        Ok(answer.trim().to_owned())
    }

    /// A folder for files of a check.
    pub(super) fn scratch(&self) -> &Path {
        &self.folder
    }

    /// Writes the image's archive into `folder`, and weighs it.
    pub(super) fn save(&self, image: &str, folder: &Path) -> Result<Bytes> {
        let archive = folder.join("worldbus.tar");
        if archive.exists() {
            fs::remove_file(&archive)?;
        }
        let mut save = self.podman();
        save.args(["save", "--quiet", "--format", "docker-archive", "--output"]);
        output(save.arg(&archive).arg(image))?;
        let pushed = self.folder.join("pushed");
        let mut push = self.buildah();
        push.args(["push", "--quiet", "--compression-format", "gzip", image]);
        output(push.arg(format!("oci:{}:worldbus", pushed.display())))?;
        let unpacked = self.inspect("image", image, "{{.Size}}")?;
        Ok(Bytes { unpacked: unpacked.parse()?, packed: bytes_under(&pushed)? })
    }

    fn storage_of(&self, mut command: Command) -> Command {
        command.arg("--root").arg(self.folder.join("storage"));
        command.arg("--runroot").arg(self.folder.join("run"));
        command.args(["--storage-driver", "vfs"]);
        command
    }

    fn clear(&self) -> Result<()> {
        if !self.folder.exists() {
            return Ok(());
        }
        // What an aborted run left behind may still run, or be mounted.
        run_command(self.podman().args(["rm", "--all", "--force", "--time", "0", "--volumes"]))?;
        run_command(self.podman().args(["image", "unmount", "--all", "--force"]))?;
        let folder = &self.folder;
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Err(error) = self.clear() {
            eprintln!("xtask: {error:#}");
        }
    }
}

/// An error unless we are root, as whom alone the engines work everywhere in the same way.
pub(super) fn require_root() -> Result<()> {
    let id = output(Command::new("id").arg("-u"))?;
    if id.trim() != "0" {
        bail!(
            "the image is built and run by root: sudo -E env \"PATH=$PATH\" cargo xtask ci \
             --only image; with Docker: docker build ."
        );
    }
    Ok(())
}

fn bytes_under(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { bytes_under(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
