//! The peers' programs, from packages, under `target/tools`: nothing is installed in the system.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::ci::tools::Tools;
use crate::repo::{Repo, output};

/// Debian's packages of the server, and of the libraries that a system may lack.
const REDIS_PACKAGES: [&str; 4] = ["redis-server", "redis-tools", "liblzf1", "libjemalloc2"];

/// Where the peers are.
pub(super) struct Peers {
    pub(super) redis: PathBuf,
    pub(super) nats: PathBuf,
    /// With orjson and protobuf.
    pub(super) python: PathBuf,
    /// With boto3 and the emulator.
    pub(super) aws_python: PathBuf,
    /// Where libraries of Debian's packages are.
    pub(super) libraries: OsString,
}

impl Peers {
    /// Installs what is missing.
    pub(super) fn install(repo: &Repo) -> Result<Self> {
        let tools = Tools::under(&repo.target_dir);
        let bin = tools.python(&repo.root.join("crates/bench/src/peers/requirements.txt"))?;
        let aws = tools.python(&repo.root.join("emulators/requirements.txt"))?;
        let (redis, libraries) = redis(&repo.target_dir.join("tools/redis"))?;
        Ok(Self {
            redis,
            nats: bin.join("nats-server"),
            python: bin.join("python3"),
            aws_python: aws.join("python3"),
            libraries,
        })
    }
}

/// That of the system, or Debian's packages unpacked in `folder`.
fn redis(folder: &Path) -> Result<(PathBuf, OsString)> {
    let path = env::var_os("PATH").unwrap_or_default();
    let in_system = env::split_paths(&path).map(|folder| folder.join("redis-server"));
    if let Some(found) = in_system.into_iter().find(|program| program.is_file()) {
        return Ok((found, OsString::new()));
    }
    let program = folder.join("usr/bin/redis-server");
    if !program.exists() {
        println!("unpacking Debian's {}", REDIS_PACKAGES.join(", "));
        fs::create_dir_all(folder)?;
        let mut download = Command::new("apt-get");
        download.current_dir(folder).args(["download", "-qq"]).args(REDIS_PACKAGES);
        output(&mut download).context(
            "install redis-server 7 by your system's packages; only Debian's are unpacked here",
        )?;
        for package in fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()? {
            if package.path().extension().is_some_and(|ending| ending == "deb") {
                output(Command::new("dpkg").arg("-x").arg(package.path()).arg(folder))?;
                fs::remove_file(package.path())?;
            }
        }
    }
    let libraries = fs::read_dir(folder.join("usr/lib"))?.collect::<Result<Vec<_>, _>>()?;
    let libraries = libraries.iter().map(fs::DirEntry::path).filter(|path| path.is_dir());
    let Some(program) = program.exists().then_some(program) else {
        bail!("{} has no redis-server", folder.display());
    };
    Ok((program, env::join_paths(libraries)?))
}
