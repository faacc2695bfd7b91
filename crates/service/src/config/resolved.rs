//! The layers merged into one value a setting, with its origin, and a struct of settings made of
//! them.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use super::error::Error;
use super::file::Keys;
use super::setting::{Layer, Origin, Setting};
use super::value::{Shape, Value};
use crate::Secret;
use crate::secret::masked;

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
    fn declare_with<D>(defaults: &[(&'static str, D)]) -> Vec<Setting>
    where
        D: Clone + Into<Cow<'static, str>>,
    {
        let mut declared = Self::declare();
        for (name, default) in defaults {
            let known = declared.iter_mut().find(|setting| setting.name == *name);
            debug_assert!(known.is_some(), "default for `{name}`, which is not declared");
            if let Some(setting) = known {
                setting.default = Some(default.clone().into());
            }
        }
        declared
    }
}

/// Of what has no settings of its own.
impl Settings for () {
    const ABOUT: &'static str = "";

    fn declare() -> Vec<Setting> {
        Vec::new()
    }

    fn from_resolved(_: &Resolved) -> Result<Self, Error> {
        Ok(())
    }
}

/// The effective value of each setting, as text, with its origin.
#[derive(Clone)]
pub struct Resolved {
    entries: Vec<(Setting, Vec<String>, Origin)>,
}

impl Resolved {
    /// The typed value of the setting `name`.
    ///
    /// # Errors
    /// [`Kind::Invalid`](super::Kind::Invalid), naming the origin, when the text is not a `T`.
    pub fn value<T: Value>(&self, name: &str) -> Result<T, Error> {
        let Some((setting, texts, origin)) = self.entry(name) else {
            return T::parse(&[]).map_err(|reason| Error::undeclared(name, &reason));
        };
        T::parse(texts).map_err(|reason| Error::invalid(setting, texts, origin, &reason))
    }

    /// Where the value of the setting `name` came from.
    pub fn origin(&self, name: &str) -> Option<&Origin> {
        self.entry(name).map(|(_, _, origin)| origin)
    }

    /// The error of a value of its type that is out of its range, naming the origin.
    pub fn out_of_range(&self, name: &str, expected: &str) -> Error {
        match self.entry(name) {
            Some((setting, texts, origin)) => Error::out_of_range(setting, texts, origin, expected),
            None => Error::undeclared(name, expected),
        }
    }

    fn entry(&self, name: &str) -> Option<&(Setting, Vec<String>, Origin)> {
        self.entries.iter().find(|(setting, ..)| setting.name == name)
    }

    /// A TOML file of the effective values; the comment behind each is its origin.
    pub(super) fn print(&self) -> String {
        let mut page = String::new();
        for (setting, texts, origin) in &self.entries {
            let (name, value) = (setting.name, literal(setting, texts));
            let _ = match origin {
                Origin::Unset => writeln!(page, "# {name} is not set"),
                // A mask is not a value: were it one, feeding the page back would set it as key.
                _ if setting.secret || value.contains(Secret::MASK) => {
                    writeln!(page, "# {name} = {value} # {origin}")
                }
                _ => writeln!(page, "{name} = {value} # {origin}"),
            };
        }
        page
    }
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.print())
    }
}

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
    match &setting.default {
        Some(default) => (vec![default.to_string()], Origin::Default),
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

fn literal(setting: &Setting, texts: &[String]) -> String {
    // A JSON string is a TOML basic string.
    let quote = |text: &String| serde_json::Value::from(masked(text)).to_string();
    match (setting.secret, setting.shape, texts) {
        (true, ..) => format!("\"{}\"", Secret::MASK),
        (_, Shape::List, _) => {
            format!("[{}]", texts.iter().map(quote).collect::<Vec<_>>().join(", "))
        }
        (_, Shape::Text, [text]) => quote(text),
        (_, _, [text]) => text.clone(),
        _ => "\"\"".to_owned(),
    }
}
