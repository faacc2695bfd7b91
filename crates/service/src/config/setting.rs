//! A declared setting, and the layers merged into one value with its origin.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::environment::ENV_PREFIX;
use super::error::Error;
use super::file::Keys;
use super::value::{Shape, Value};

/// A struct of settings; made by [`settings!`](crate::settings).
pub trait Settings: Sized {
    /// What the settings are for, in words.
    const ABOUT: &'static str;

    /// Each setting, in the order of the reference page.
    fn declare() -> Vec<Setting>;

    /// The struct from the effective values.
    ///
    /// # Errors
    /// [`Kind::Invalid`](super::Kind::Invalid) for a value that its setting cannot take.
    fn from_resolved(resolved: &Resolved) -> Result<Self, Error>;

    /// Each setting, some with other defaults.
    fn declare_with(defaults: &[(&'static str, &'static str)]) -> Vec<Setting> {
        let mut declared = Self::declare();
        for (name, default) in defaults {
            let known = declared.iter_mut().find(|setting| setting.name == *name);
            debug_assert!(known.is_some(), "default for `{name}`, which is not declared");
            if let Some(setting) = known {
                setting.default = Some(default);
            }
        }
        declared
    }
}

/// One setting as it was declared.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The key in the file: `data_dir`.
    pub name: &'static str,
    /// What it is for, as Markdown.
    pub doc: &'static str,
    /// The default as text; `{data_dir}` stands for that setting's effective value.
    pub default: Option<&'static str>,
    /// What a value looks like.
    pub expected: &'static str,
    /// The type in the file.
    pub shape: Shape,
    /// Whether it is masked and has no flag.
    pub secret: bool,
}

impl Setting {
    /// A setting that holds a `T`.
    pub fn new<T: Value>(
        name: &'static str,
        doc: &'static str,
        default: Option<&'static str>,
    ) -> Self {
        let (expected, shape, secret) = (T::EXPECTED, T::SHAPE, T::SECRET);
        Self { name, doc, default, expected, shape, secret }
    }

    /// The flag without its dashes: `data-dir`. `None` for secrets.
    pub fn flag(&self) -> Option<String> {
        (!self.secret).then(|| self.name.replace('_', "-"))
    }

    /// The environment variable: `WORLDBUS_DATA_DIR`.
    pub fn variable(&self) -> String {
        format!("{ENV_PREFIX}{}", self.name.to_uppercase())
    }
}

/// Where an effective value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag on the command line.
    Flag(String),
    /// An environment variable.
    Variable(String),
    /// A line of the configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The declared default.
    Default,
    /// Nothing set it and it has no default.
    Unset,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "flag --{flag}"),
            Self::Variable(variable) => write!(f, "env {variable}"),
            Self::File { path, line } => write!(f, "file {}:{line}", path.display()),
            Self::Default => f.write_str("default"),
            Self::Unset => f.write_str("not set"),
        }
    }
}

/// The effective value of each setting, as text, with its origin.
#[derive(Clone)]
pub struct Resolved {
    pub(super) entries: Vec<(Setting, Vec<String>, Origin)>,
}

impl Resolved {
    /// The typed value of the setting `name`.
    ///
    /// # Errors
    /// [`Kind::Invalid`](super::Kind::Invalid), naming the origin, when the text is not a `T`.
    pub fn value<T: Value>(&self, name: &str) -> Result<T, Error> {
        let entry = self.entries.iter().find(|(setting, ..)| setting.name == name);
        let Some((setting, texts, origin)) = entry else {
            return T::parse(&[]).map_err(|reason| Error::undeclared(name, &reason));
        };
        T::parse(texts).map_err(|reason| Error::invalid(setting, texts, origin, &reason))
    }

    /// Where the value of the setting `name` came from.
    pub fn origin(&self, name: &str) -> Option<&Origin> {
        let entry = self.entries.iter().find(|(setting, ..)| setting.name == name);
        entry.map(|(_, _, origin)| origin)
    }
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::print::effective(self))
    }
}

/// Values by setting name, as texts.
pub(super) type Layer = BTreeMap<&'static str, Vec<String>>;

/// Flags over environment over file over defaults.
pub(super) fn resolve(
    declared: Vec<Setting>,
    flags: &Layer,
    variables: &Layer,
    file: &Keys,
) -> Resolved {
    let mut entries: Vec<(Setting, Vec<String>, Origin)> = declared
        .into_iter()
        .map(|setting| {
            let (texts, origin) = highest(&setting, flags, variables, file);
            (setting, texts, origin)
        })
        .collect();
    expand_data_dir(&mut entries);
    Resolved { entries }
}

fn highest(
    setting: &Setting,
    flags: &Layer,
    variables: &Layer,
    file: &Keys,
) -> (Vec<String>, Origin) {
    if let Some(texts) = flags.get(setting.name) {
        return (texts.clone(), Origin::Flag(setting.flag().unwrap_or_default()));
    }
    if let Some(texts) = variables.get(setting.name) {
        return (texts.clone(), Origin::Variable(setting.variable()));
    }
    if let Some((texts, line)) = file.values.get(setting.name) {
        return (texts.clone(), Origin::File { path: file.path.clone(), line: *line });
    }
    match setting.default {
        Some(default) => (vec![default.to_owned()], Origin::Default),
        None => (Vec::new(), Origin::Unset),
    }
}

fn expand_data_dir(entries: &mut [(Setting, Vec<String>, Origin)]) {
    let data_dir = entries
        .iter()
        .find(|(setting, ..)| setting.name == "data_dir")
        .and_then(|(_, texts, _)| texts.first().cloned());
    let Some(data_dir) = data_dir else { return };
    for (_, texts, _) in entries.iter_mut().filter(|(.., origin)| *origin == Origin::Default) {
        for text in texts {
            *text = text.replace("{data_dir}", data_dir.trim_end_matches('/'));
        }
    }
}
