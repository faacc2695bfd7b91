//! Where configuration comes from besides flags: the environment and a file, behind a trait so
//! that tests give their own.

use std::io;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::setting::{ENV_PREFIX, Layer, Setting};
use super::value::Shape;
use crate::file;
use crate::nearest::nearest;

/// Beginnings of `WORLDBUS_*` variables that we do not own and pass over in silence: those that
/// Kubernetes sets in each container beside a Service named `worldbus` (service links), and those
/// of our own build, tests and benches.
pub const ENV_TOLERATED: &[&str] =
    &["WORLDBUS_SERVICE_", "WORLDBUS_PORT", "WORLDBUS_COMMIT", "WORLDBUS_TEST_", "WORLDBUS_BENCH_"];

/// Bytes of a configuration file.
const CONFIG_BYTES_MAX: u64 = 1 << 20;

const CONFIG_VARIABLE: &str = "WORLDBUS_CONFIG";

/// The environment and the file system, as configuration sees them.
pub trait Sources {
    /// All environment variables. One that is not Unicode may be left out or shown with
    /// replacement characters.
    fn variables(&self) -> Vec<(String, String)>;

    /// The text of a file.
    ///
    /// # Errors
    /// That of the operating system.
    fn read(&self, path: &Path) -> io::Result<String>;
}

/// The real environment and file system of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine;

impl Sources for Machine {
    fn variables(&self) -> Vec<(String, String)> {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        file::read_text(path, CONFIG_BYTES_MAX)
    }
}

/// What was found in the environment.
#[derive(Debug, Default)]
pub(super) struct Variables {
    pub(super) values: Layer,
    pub(super) warnings: Vec<String>,
    config: Option<PathBuf>,
}

impl Variables {
    pub(super) fn config_path(&self) -> Option<PathBuf> {
        self.config.clone()
    }
}

pub(super) fn read(
    sources: &dyn Sources,
    declared: &[Setting],
    elsewhere: &[Setting],
) -> Result<Variables, Error> {
    let mut found = Variables::default();
    let mut variables = sources.variables();
    variables.retain(|(name, _)| name.starts_with(ENV_PREFIX));
    variables.sort();
    for (variable, value) in variables {
        // An empty variable means "not set": the only way to unset one in many deployment tools.
        if value.is_empty() {
            continue;
        }
        if variable == CONFIG_VARIABLE {
            found.config = Some(PathBuf::from(value));
        } else if let Some(setting) = by_variable(declared, &variable) {
            found.values.insert(setting.name, texts(setting, value));
        } else if by_variable(elsewhere, &variable).is_none() {
            found.warnings.extend(unknown(&variable, declared, elsewhere)?);
        }
    }
    Ok(found)
}

fn by_variable<'a>(settings: &'a [Setting], variable: &str) -> Option<&'a Setting> {
    settings.iter().find(|setting| setting.variable() == variable)
}

fn texts(setting: &Setting, value: String) -> Vec<String> {
    match setting.shape {
        Shape::List => value.split(',').map(|text| text.trim().to_owned()).collect(),
        _ => vec![value],
    }
}

/// A misspelt setting is refused; a variable of another program gets a warning.
fn unknown(
    variable: &str,
    declared: &[Setting],
    elsewhere: &[Setting],
) -> Result<Option<String>, Error> {
    if ENV_TOLERATED.iter().any(|beginning| variable.starts_with(beginning)) {
        return Ok(None);
    }
    let mut known: Vec<String> = declared.iter().chain(elsewhere).map(Setting::variable).collect();
    known.push(CONFIG_VARIABLE.to_owned());
    let suffixes = known.iter().map(|name| &name[ENV_PREFIX.len()..]);
    match nearest(&variable[ENV_PREFIX.len()..], suffixes) {
        Some(near) => Err(Error::unknown_variable(variable, &format!("{ENV_PREFIX}{near}"))),
        None => Ok(Some(format!("environment variable {variable} is not a setting; ignored"))),
    }
}
