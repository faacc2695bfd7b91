//! A setting as it was declared, and where a value of it may come from. Not here: the merge of the
//! layers (`resolved`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::value::{Shape, Value};

/// What the name of each of our environment variables begins with.
pub const ENV_PREFIX: &str = "WORLDBUS_";

/// One setting as it was declared.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The key in the file: `data_dir`.
    pub name: &'static str,
    /// What it is for, as Markdown.
    pub doc: &'static str,
    /// The default as text; `{data_dir}` stands for that setting's effective value.
    pub default: Option<Cow<'static, str>>,
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
        Self { name, doc, default: default.map(Cow::Borrowed), expected, shape, secret }
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

/// Values by setting name, as texts.
pub(super) type Layer = BTreeMap<&'static str, Vec<String>>;
