//! What the checks see of the repository: its workspace packages and its text files.
//!
//! Not a general model of cargo: only the fields that a check reads.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The working tree, as cargo and git describe it.
pub(crate) struct Repo {
    pub(crate) root: PathBuf,
    pub(crate) target_dir: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// A package of the workspace.
pub(crate) struct Package {
    pub(crate) name: String,
    /// Its folder, relative to the root, with `/` as separator: `crates/bus`.
    pub(crate) folder: String,
    /// It is a service of a world, by `[package.metadata.worldbus] service = true`.
    pub(crate) is_service: bool,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A line under a package's dependencies.
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// Under which heading a dependency stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `[dependencies]`
    Normal,
    /// `[dev-dependencies]`
    Dev,
    /// `[build-dependencies]`
    Build,
}

/// A text file of the working tree: tracked, or new and not ignored.
pub(crate) struct TextFile {
    /// Relative to the root, with `/` as separator.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Repo {
    /// Asks cargo about the workspace that the current directory is in.
    pub(crate) fn load() -> Result<Self> {
        let json = output(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
        Self::from_metadata(&serde_json::from_str(&json).context("cargo metadata is not JSON")?)
    }

    fn from_metadata(metadata: &Value) -> Result<Self> {
        let root = PathBuf::from(string(metadata, "workspace_root")?);
        let packages = array(metadata, "packages")?;
        let packages = packages.iter().map(|package| Package::from_metadata(package, &root));
        Ok(Self {
            packages: packages.collect::<Result<_>>()?,
            target_dir: PathBuf::from(string(metadata, "target_directory")?),
            root,
        })
    }

    /// All text files that git tracks or would track. Binary files are left out.
    pub(crate) fn text_files(&self) -> Result<Vec<TextFile>> {
        let mut git = Command::new("git");
        git.current_dir(&self.root);
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let mut files = Vec::new();
        for path in output(&mut git)?.split_terminator('\0') {
            // Deleted but not yet committed, or not UTF-8: nothing to read either way.
            if let Ok(text) = fs::read_to_string(self.root.join(path)) {
                files.push(TextFile { path: path.to_owned(), text });
            }
        }
        if files.is_empty() {
            bail!("git lists no file under {}", self.root.display());
        }
        Ok(files)
    }
}

impl Package {
    fn from_metadata(package: &Value, root: &Path) -> Result<Self> {
        let manifest = Path::new(string(package, "manifest_path")?);
        let folder = manifest.parent().and_then(|folder| folder.strip_prefix(root).ok());
        let folder = folder.context("a workspace package lies outside the workspace")?;
        let dependencies = array(package, "dependencies")?;
        let dependencies = dependencies.iter().map(|dependency| {
            let kind = match dependency["kind"].as_str() {
                Some("dev") => Kind::Dev,
                Some("build") => Kind::Build,
                _ => Kind::Normal,
            };
            Ok(Dependency { name: string(dependency, "name")?.to_owned(), kind })
        });
        Ok(Self {
            name: string(package, "name")?.to_owned(),
            folder: folder.to_string_lossy().replace('\\', "/"),
            is_service: package["metadata"]["worldbus"]["service"] == true,
            dependencies: dependencies.collect::<Result<_>>()?,
        })
    }
}

/// The cargo that runs us, or the one on the path.
pub(crate) fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command and returns what it wrote to stdout, as text.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let done = command.output().with_context(|| format!("cannot start {command:?}"))?;
    if !done.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&done.stderr).trim());
    }
    String::from_utf8(done.stdout).with_context(|| format!("{command:?} wrote no UTF-8"))
}

pub(crate) fn string<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key].as_str().with_context(|| format!("cargo metadata: no text under `{key}`"))
}

pub(crate) fn array<'a>(value: &'a Value, key: &str) -> Result<&'a [Value]> {
    let found = value[key].as_array().map(Vec::as_slice);
    found.with_context(|| format!("cargo metadata: no list under `{key}`"))
}
