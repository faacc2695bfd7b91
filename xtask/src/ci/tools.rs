//! The tools that CI needs beyond cargo, installed under `target/tools` and found there again.
//!
//! Versions are pinned here and in `proto/check/`. On Debian, as root, what the system lacks is
//! installed by apt-get; elsewhere an error names the package.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::run_command;
use crate::repo::{cargo, output};

const NEXTEST_VERSION: &str = "0.9.143";
/// Where Debian has it, a folder a version; `crates/testkit` looks there.
const POSTGRES: &str = "/usr/lib/postgresql";
const DENY_VERSION: &str = "0.20.2";

/// Where the tools are.
pub(crate) struct Tools {
    folder: PathBuf,
}

impl Tools {
    pub(crate) fn under(target_dir: &Path) -> Self {
        Self { folder: target_dir.join("tools") }
    }

    /// Any cargo-nextest that is installed, else ours.
    pub(super) fn cargo_nextest(&self) -> Result<PathBuf> {
        if let Some(found) = find("cargo-nextest") {
            return Ok(found);
        }
        let lean = ["--no-default-features", "--features", "default-no-update"];
        self.cargo_install("cargo-nextest", NEXTEST_VERSION, &lean)
    }

    /// Ours: another version might judge `deny.toml` differently.
    pub(super) fn cargo_deny(&self) -> Result<PathBuf> {
        self.cargo_install("cargo-deny", DENY_VERSION, &["--no-default-features"])
    }

    /// What builds and runs images without a daemon, and what takes a binary's debug form out.
    pub(super) fn image_builders(&self) -> Result<()> {
        let _lock = self.lock()?;
        for program in ["buildah", "podman", "runc"] {
            require(program, program)?;
        }
        require("strip", "binutils")
    }

    /// What counts instructions.
    pub(super) fn valgrind(&self) -> Result<()> {
        let _lock = self.lock()?;
        require("valgrind", "valgrind")
    }

    /// A PostgreSQL server, whose programs are on no PATH.
    pub(super) fn postgres(&self) -> Result<()> {
        let _lock = self.lock()?;
        let versions = fs::read_dir(POSTGRES).into_iter().flatten().flatten();
        let is_there = |version: fs::DirEntry| version.path().join("bin/postgres").exists();
        if env::var_os("WORLDBUS_POSTGRES").is_some() || versions.into_iter().any(is_there) {
            return Ok(());
        }
        install_system_package("postgresql")
    }

    /// What compiles the C code of dependencies for Windows.
    pub(super) fn windows_compiler(&self) -> Result<()> {
        let _lock = self.lock()?;
        require("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64")
    }

    /// Held while something is installed: steps that run at once want the same tools.
    fn lock(&self) -> Result<File> {
        fs::create_dir_all(&self.folder)?;
        let lock = File::create(self.folder.join("lock"))?;
        lock.lock().context("cannot lock target/tools")?;
        Ok(lock)
    }

    fn cargo_install(&self, name: &str, version: &str, options: &[&str]) -> Result<PathBuf> {
        let _lock = self.lock()?;
        let binary = self.folder.join("bin").join(name);
        let has_version = |text: String| text.contains(version);
        let mut ask = Command::new(&binary);
        if binary.exists() && output(ask.arg("--version")).is_ok_and(has_version) {
            return Ok(binary);
        }
        require("cc", "build-essential")?;
        println!("installing {name} {version} (some minutes, once)");
        let mut install = cargo();
        install.args(["install", name, "--version", version, "--locked", "--force", "--quiet"]);
        install.arg("--root").arg(&self.folder).args(options);
        // A build that is quick to make, in a folder that does not disturb ours.
        install.arg("--debug").env("CARGO_PROFILE_DEV_DEBUG", "0");
        install.env("CARGO_TARGET_DIR", self.folder.join("build"));
        run_command(&mut install)?;
        fs::remove_dir_all(self.folder.join("build")).context("cannot tidy up target/tools")?;
        Ok(binary)
    }

    /// The `bin` folder of a Python environment that holds the packages of `requirements`.
    pub(crate) fn python(&self, requirements: &Path) -> Result<PathBuf> {
        let _lock = self.lock()?;
        let of = requirements.parent().and_then(Path::file_name).context("not in a folder")?;
        let venv = self.folder.join("venv").join(of);
        let wanted = fs::read_to_string(requirements)?;
        let (bin, stamp) = (venv.join("bin"), venv.join("installed.txt"));
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(bin);
        }
        require("python3", "python3")?;
        if !succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"])) {
            install_system_package("python3-venv")?;
        }
        run_command(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        let mut pip = Command::new(bin.join("pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        run_command(pip.arg(requirements))?;
        fs::write(stamp, wanted)?;
        Ok(bin)
    }

    /// A folder whose `node_modules` holds the packages of `package_json`.
    pub(super) fn node(&self, package_json: &Path) -> Result<PathBuf> {
        let _lock = self.lock()?;
        let of = package_json.parent().and_then(Path::file_name).context("not in a folder")?;
        let folder = self.folder.join("node").join(of);
        let wanted = fs::read_to_string(package_json)?;
        let stamp = folder.join("node_modules").join("installed.json");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(folder);
        }
        require("node", "nodejs")?;
        require("npm", "npm")?;
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("package.json"), &wanted)?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]);
        run_command(npm.current_dir(&folder))?;
        fs::write(stamp, wanted)?;
        Ok(folder)
    }
}

fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn require(program: &str, package: &str) -> Result<()> {
    match find(program) {
        Some(_) => Ok(()),
        None => install_system_package(package),
    }
}

fn install_system_package(package: &str) -> Result<()> {
    let is_root = || output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if find("apt-get").is_none() || !is_root() {
        bail!("please install the system's package for `{package}` (its name on Debian) first");
    }
    println!("installing the system's package {package}");
    run_command(apt_get().args(["update", "-qq"]))?;
    run_command(apt_get().args(["install", "-qq", "-y", "--no-install-recommends", package]))
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn succeeds(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
