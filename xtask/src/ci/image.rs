//! The image of all services, built without a daemon, run and checked: `cargo xtask image` for a
//! release, CI's step `image` for a build that is quick to make.
//!
//! What is in it `files` lays out, also for the Dockerfile's own build stage; the Dockerfile's last
//! stage makes the image of it, here as with Docker. Not for pushing it anywhere.

mod checks;
mod container;
mod engine;
mod evidence;
mod files;
mod named_aws;
mod services;

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use super::{Lane, run_command};
use crate::repo::{Repo, output};
use engine::Engine;
use evidence::Figures;
use files::Build;

/// Under this name the image is in its archive.
const NAME: &str = "localhost/worldbus";

/// How often a release is started for its figures.
const RELEASE_RUNS: usize = 5;

/// CI's step before the next, which finds it built: cargo builds one thing at a time, and others
/// that need a binary of their own run at the same time as the image.
pub(super) fn build(lane: &Lane) -> Result<()> {
    files::binary(&lane.repo, Build::Debug)?;
    Ok(())
}

/// CI's step: the debug build, since an optimised one would take CI minutes and prove no more.
pub(super) fn step(lane: &Lane) -> Result<()> {
    let figures = make(lane, Build::Debug, 1)?;
    print!("{}", figures.table());
    Ok(())
}

/// `cargo xtask image`: the release, as an archive that `docker load` and `podman load` take.
pub(crate) fn command(options: &[&str]) -> Result<()> {
    let writes = match options {
        [] => false,
        ["--evidence"] => true,
        unknown => bail!("unknown options: {}; there is --evidence", unknown.join(" ")),
    };
    let lane = Lane::load()?;
    let figures = make(&lane, Build::Dist, RELEASE_RUNS)?;
    print!("{}", figures.table());
    if writes {
        figures.write(&lane.repo.root)?;
    }
    Ok(())
}

/// `cargo xtask image-files DIR`: what the image holds, for the build stage of the Dockerfile.
pub(crate) fn files(folder: &str) -> Result<()> {
    files::lay_out(&Repo::load()?, Build::Dist, Path::new(folder))
}

/// Builds, checks and measures; leaves the image's archive and its SBOM under `target/image`.
fn make(lane: &Lane, build: Build, runs: usize) -> Result<Figures> {
    engine::require_root()?;
    lane.tools.image_builders()?;
    let folder = lane.repo.target_dir.join("image").join(build.name());
    let out = folder.join("out");
    files::lay_out(&lane.repo, build, &out)?;
    let engine = Engine::under(&folder)?;
    let image = bud(lane, &engine, &folder)?;
    checks::labels(&engine, &image, &commit(&lane.repo.root))?;
    checks::contents(&engine, &image, &out)?;
    checks::found_by_name(&engine, &image)?;
    checks::no_shell(&engine, &image)?;
    checks::read_only_root(&engine, &image)?;
    sbom_is_valid(lane, &out.join("root").join(files::SBOM))?;
    named_aws::check(lane, &engine, &image, &folder)?;
    let services = services::all(&out.join("root/worldbus"))?;
    let mut starts = Vec::new();
    for _ in 0..runs {
        starts.push(services::check(&engine, &image, &services)?);
    }
    let bytes = engine.save(&image, &folder)?;
    fs::copy(out.join("root").join(files::SBOM), folder.join("worldbus.cdx.json"))?;
    println!("the image, to be loaded, and its SBOM: {}", folder.display());
    Figures::new(&lane.repo.root, build, bytes, starts)
}

/// Makes the image by the last stage of the Dockerfile, with `out` in place of its build stage.
fn bud(lane: &Lane, engine: &Engine, folder: &Path) -> Result<String> {
    let version = env!("CARGO_PKG_VERSION");
    let image = format!("{NAME}:{version}");
    let mut bud = engine.buildah();
    bud.args(["bud", "--isolation", "chroot", "--quiet", "--format", "docker", "--tag", &image]);
    bud.arg(format!("--build-context=build={}", folder.display()));
    bud.arg(format!("--build-arg=COMMIT={}", commit(&lane.repo.root)));
    bud.arg(format!("--build-arg=VERSION={version}"));
    run_command(bud.arg("--file").arg(lane.repo.root.join("Dockerfile")).arg(&lane.repo.root))?;
    Ok(image)
}

/// CycloneDX's own library finds nothing wrong in the SBOM.
fn sbom_is_valid(lane: &Lane, sbom: &Path) -> Result<()> {
    let mut python = lane.command(lane.linters()?.join("python"));
    run_command(python.arg("deploy/lint/sbom.py").arg(sbom))
}

/// The commit that is built: from the environment, which is all that the Dockerfile has, or
/// from git.
fn commit(root: &Path) -> String {
    if let Ok(commit) = std::env::var(files::COMMIT) {
        return commit;
    }
    let mut git = std::process::Command::new("git");
    let head = output(git.current_dir(root).args(["rev-parse", "HEAD"]));
    head.map_or_else(|_| "unknown".to_owned(), |head| head.trim().to_owned())
}

#[cfg(test)]
mod tests;
