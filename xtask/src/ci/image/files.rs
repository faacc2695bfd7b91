//! What the image holds, laid out in a folder: the static binary, certificates, names, licences,
//! the SBOM under `root/`, and the folder of durable data under `state/`.
//!
//! Not for owners and modes of what is in the image: the Dockerfile has those.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::ci::archive::host;
use crate::ci::run_command;
use crate::ci::sbom::{self, Subject};
use crate::repo::{Repo, cargo};

/// By this variable a build gets its commit; `/version` and a label show it.
pub(super) const COMMIT: &str = "WORLDBUS_COMMIT";

/// In the image, from its root.
pub(super) const SBOM: &str = "usr/share/worldbus/sbom.cdx.json";
pub(super) const CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";

/// As Debian and everything made of it keeps them (package ca-certificates).
const OUR_CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Programs ask for the name of a number; without these files some warn.
const PASSWD: &str = "root:x:0:0:root:/:/nologin\nworldbus:x:65532:65532:worldbus:/:/nologin\n";
const GROUP: &str = "root:x:0:\nworldbus:x:65532:\n";
/// How the C library finds hosts. Both sources are compiled into a static glibc, others are not.
const NSSWITCH: &str = "hosts: files dns\n";

/// How the binary is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Build {
    /// As it ships.
    Dist,
    /// Quick to make; as large and slow as that is.
    Debug,
}

impl Build {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Dist => "dist",
            Self::Debug => "debug",
        }
    }

    /// The profile of cargo that makes it.
    fn profile(self) -> &'static str {
        match self {
            Self::Dist => "dist",
            Self::Debug => "dev",
        }
    }

    /// What makes an image of it.
    pub(super) fn command(self) -> &'static str {
        match self {
            Self::Dist => "cargo xtask image --evidence",
            Self::Debug => "cargo xtask ci --only image",
        }
    }
}

/// Builds the binary and fills `folder`, which it empties first.
pub(super) fn lay_out(repo: &Repo, build: Build, folder: &Path) -> Result<()> {
    let host = host()?;
    let binary = binary(repo, build)?;
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    let root = folder.join("root");
    fs::create_dir_all(folder.join("state/data"))?;
    put(&root, "worldbus", &fs::read(binary)?)?;
    put(&root, CERTIFICATES, &certificates()?)?;
    put(&root, "etc/passwd", PASSWD.as_bytes())?;
    put(&root, "etc/group", GROUP.as_bytes())?;
    put(&root, "etc/nsswitch.conf", NSSWITCH.as_bytes())?;
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        let text = fs::read(repo.root.join(licence))?;
        put(&root, &format!("usr/share/worldbus/{licence}"), &text)?;
    }
    put(&root, SBOM, sbom::of_binary(repo, &host, Subject::Image)?.as_bytes())?;
    make_executable(&root.join("worldbus"))
}

fn put(root: &Path, path: &str, bytes: &[u8]) -> Result<()> {
    let path = root.join(path);
    fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// A binary that needs no library of the image.
pub(super) fn binary(repo: &Repo, build: Build) -> Result<PathBuf> {
    let folder = repo.target_dir.join("image/binary");
    let mut rustc = cargo();
    rustc.current_dir(&repo.root);
    // What it is made of is shared with other builds, it itself is not: they may be in use.
    rustc.env("CARGO_BUILD_BUILD_DIR", &repo.target_dir).env("CARGO_TARGET_DIR", &folder);
    rustc.args(["rustc", "--package", "worldbus-cli", "--bin", "worldbus", "--locked"]);
    rustc.args(["--profile", build.profile(), "--", "-C", "target-feature=+crt-static"]);
    run_command(&mut rustc)?;
    let stripped = folder.with_file_name("worldbus");
    let mut strip = std::process::Command::new("strip");
    strip.arg("--strip-debug").arg("-o").arg(&stripped);
    run_command(strip.arg(folder.join(build.name()).join("worldbus")))?;
    Ok(stripped)
}

fn certificates() -> Result<Vec<u8>> {
    let bundle = fs::read(OUR_CERTIFICATES).with_context(|| {
        format!("{OUR_CERTIFICATES} cannot be read: install Debian's package ca-certificates")
    })?;
    if !bundle.starts_with(b"-----BEGIN CERTIFICATE-----") {
        bail!("{OUR_CERTIFICATES} does not begin with a certificate");
    }
    Ok(bundle)
}

fn make_executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("cannot make {} executable", path.display()))
}
