//! Strict reading of the tables of a TOML file: an unknown key is refused before anything is
//! read, what is left over after that, and every error knows its line. For every file that describes
//! a part of a world. Not `serde`: its errors lose the key's path. Not here: reading the file.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

const ID_CHARS_MAX: usize = 64;
/// Characters of a wrong key that are compared with the known ones.
const SLIP_CHARS_MAX: usize = 64;

type Key<'a> = std::borrow::Cow<'a, str>;

/// A mistake in a world file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{file}:{line}: {}{message}",
    if key.is_empty() { String::new() } else { format!("{key}: ") }
)]
pub struct WorldFileError {
    /// The file's name as given.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The path of the key, such as `regions[3].latitude`; empty for the file as a whole.
    pub key: String,
    /// What was expected and what was found.
    pub message: String,
}

/// The text of a file.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The file's name, for errors.
    pub file: &'a str,
    /// What it holds.
    pub text: &'a str,
}

/// The keys that a table may have.
pub type Keys = &'static [&'static str];

/// A table, its path, and which of its keys have been asked for.
#[derive(Debug)]
pub struct Table<'a> {
    source: &'a Source<'a>,
    path: String,
    start: usize,
    table: &'a DeTable<'a>,
    keys: Keys,
    asked: Vec<&'static str>,
}

impl<'a> Source<'a> {
    /// The file's tables.
    ///
    /// # Errors
    /// It is no TOML.
    pub fn parse(&self) -> Result<Spanned<DeTable<'a>>, WorldFileError> {
        DeTable::parse(self.text).map_err(|e| {
            let start = e.span().map_or(0, |s| s.start);
            self.error(start, "", format!("expected TOML, found a mistake: {}", e.message()))
        })
    }

    fn error(&self, offset: usize, key: &str, message: String) -> WorldFileError {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        let line = 1 + before.iter().filter(|b| **b == b'\n').count();
        WorldFileError { file: self.file.to_owned(), line, key: key.to_owned(), message }
    }
}

impl<'a> Table<'a> {
    /// The file as a table with these keys.
    ///
    /// # Errors
    /// It has another key.
    pub fn root(
        source: &'a Source<'a>,
        root: &'a Spanned<DeTable<'a>>,
        keys: Keys,
    ) -> Result<Self, WorldFileError> {
        Self::new(source, String::new(), 0, root.get_ref(), keys)
    }

    fn new(
        source: &'a Source<'a>,
        path: String,
        start: usize,
        table: &'a DeTable<'a>,
        keys: Keys,
    ) -> Result<Self, WorldFileError> {
        let table = Self { source, path, start, table, keys, asked: Vec::new() };
        let Some(key) = table.first_but(keys) else { return Ok(table) };
        let name: &str = key.get_ref();
        let hint = match near(name, keys) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known keys: {}", keys.join(", ")),
        };
        Err(table.error_at(key.span().start, name, format!("unknown key; {hint}")))
    }

    /// The first key of the text that is not one of these.
    fn first_but(&self, keys: &[&str]) -> Option<&'a Spanned<Key<'a>>> {
        let others = self.table.keys().filter(|key| !keys.contains(&AsRef::as_ref(key.get_ref())));
        others.min_by_key(|key| key.span().start)
    }

    fn ask(&mut self, key: &'static str) {
        debug_assert!(self.keys.contains(&key), "{key} is not one of {:?}", self.keys);
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
    }

    /// An error about a key of this table, at its value if it has one.
    pub fn error(&self, key: &str, message: String) -> WorldFileError {
        let offset = self.table.get(key).map_or(self.start, |v| v.span().start);
        self.source.error(offset, &format!("{}{key}", self.path), message)
    }

    /// A value that must be there, made into something by `read`.
    ///
    /// # Errors
    /// The key is missing; what `read` states.
    pub fn with<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Result<T, WorldFileError> {
        self.ask(key);
        let Some(value) = self.table.get(key) else {
            return Err(self.error(key, "expected this key, found none".to_owned()));
        };
        read(value.get_ref()).map_err(|message| self.error(key, message))
    }

    /// A name that must be there: 1 to 64 lower case letters, digits, - or _.
    ///
    /// # Errors
    /// It is missing, or another value.
    pub fn id(&mut self, key: &'static str) -> Result<String, WorldFileError> {
        let fits = |s: &&str| {
            let plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
            (1..=ID_CHARS_MAX).contains(&s.len()) && s.bytes().all(plain)
        };
        let wanted = format!("1 to {ID_CHARS_MAX} lower case letters, digits, - or _");
        self.with(key, |v| {
            v.as_str().filter(fits).map(str::to_owned).ok_or_else(|| expected(&wanted, v))
        })
    }

    /// A text, or what stands for one that is left out.
    ///
    /// # Errors
    /// It is empty or too long, or no text.
    pub fn text_or(
        &mut self,
        key: &'static str,
        default: &str,
        chars_max: usize,
    ) -> Result<String, WorldFileError> {
        if self.table.get(key).is_none() {
            self.ask(key);
            return Ok(default.to_owned());
        }
        let wanted = format!("a text of 1 to {chars_max} characters");
        let fits = |s: &&str| (1..=chars_max).contains(&s.chars().count());
        self.with(key, |v| {
            v.as_str().filter(fits).map(str::to_owned).ok_or_else(|| expected(&wanted, v))
        })
    }

    /// A whole number that must be there.
    ///
    /// # Errors
    /// It is missing or out of the range, or no whole number.
    pub fn integer(
        &mut self,
        key: &'static str,
        min: i64,
        max: i64,
    ) -> Result<i64, WorldFileError> {
        self.with(key, |v| {
            let found =
                v.as_integer().and_then(|i| i64::from_str_radix(i.as_str(), i.radix()).ok());
            let found = found.filter(|n| (min..=max).contains(n));
            found.ok_or_else(|| expected(&format!("a whole number from {min} to {max}"), v))
        })
    }

    /// A number of a unit that must be there.
    ///
    /// # Errors
    /// It is missing or out of the range, or no number.
    pub fn number(
        &mut self,
        key: &'static str,
        unit: &str,
        min: f64,
        max: f64,
    ) -> Result<f64, WorldFileError> {
        self.with(key, |v| {
            let found = number_text(v).and_then(|text| text.parse::<f64>().ok());
            let found = found.filter(|n| (min..=max).contains(n));
            found.ok_or_else(|| expected(&format!("a number of {unit} from {min} to {max}"), v))
        })
    }

    /// Whether there is such a key; from now on it is known.
    pub fn has(&mut self, key: &'static str) -> bool {
        self.ask(key);
        self.table.contains_key(key)
    }

    /// A value that must be there, with its place in the text.
    ///
    /// # Errors
    /// It is missing.
    pub fn spanned(
        &mut self,
        key: &'static str,
    ) -> Result<&'a Spanned<DeValue<'a>>, WorldFileError> {
        self.ask(key);
        let missing = || self.error(key, "expected this key, found none".to_owned());
        self.table.get(key).ok_or_else(missing)
    }

    /// An error about a part of a key's value, at its own place.
    pub fn error_at(&self, offset: usize, key: &str, message: String) -> WorldFileError {
        self.source.error(offset, &format!("{}{key}", self.path), message)
    }

    /// A table within this one.
    ///
    /// # Errors
    /// It is missing, no table, or has other keys than these.
    pub fn table(&mut self, key: &'static str, keys: Keys) -> Result<Self, WorldFileError> {
        let value = self.spanned(key)?;
        let found = value.get_ref().as_table();
        let table = found.ok_or_else(|| self.error(key, expected("a table", value.get_ref())))?;
        let path = format!("{}{key}.", self.path);
        Self::new(self.source, path, value.span().start, table, keys)
    }

    /// The tables of an array of tables, at least one.
    ///
    /// # Errors
    /// There is none, more than `count_max`, or one has other keys than these.
    pub fn tables(
        &mut self,
        key: &'static str,
        keys: Keys,
        count_max: usize,
    ) -> Result<Vec<Table<'a>>, WorldFileError> {
        self.ask(key);
        let wanted = format!("1 to {count_max} tables [[{key}]]");
        let Some(value) = self.table.get(key) else {
            return Err(self.error(key, format!("expected {wanted}, found none")));
        };
        let found = value.get_ref().as_array().filter(|a| (1..=count_max).contains(&a.len()));
        let array = found.ok_or_else(|| self.error(key, expected(&wanted, value.get_ref())))?;
        let table = |(i, item): (usize, &'a Spanned<DeValue<'a>>)| {
            let path = format!("{}{key}[{i}].", self.path);
            let (source, start) = (self.source, item.span().start);
            match item.get_ref().as_table() {
                Some(table) => Self::new(source, path, start, table, keys),
                None => Err(self.source.error(start, &path, expected("a table", item.get_ref()))),
            }
        };
        array.iter().enumerate().map(table).collect()
    }

    /// Refuses the first key that was not asked for: one that does not go with the others.
    ///
    /// # Errors
    /// There is such a key.
    pub fn finish(self) -> Result<(), WorldFileError> {
        let Some(key) = self.first_but(&self.asked) else { return Ok(()) };
        let message = format!("expected one of the keys {}, found this", self.asked.join(", "));
        Err(self.error_at(key.span().start, key.get_ref(), message))
    }
}

/// The key that `text` is most likely a misspelling of.
fn near(text: &str, keys: Keys) -> Option<&'static str> {
    let text: String = text.chars().take(SLIP_CHARS_MAX).collect();
    let slips = |key: &str| strsim::damerau_levenshtein(&text, key);
    let most = |key: &str| if key.len() < 6 { 1 } else { 2 };
    let near = keys.iter().copied().filter(|key| slips(key) <= most(key));
    near.min_by_key(|key| slips(key))
}

/// A number's text, with a sign and without underscores.
pub fn number_text<'v>(value: &'v DeValue<'_>) -> Option<&'v str> {
    match value {
        DeValue::Integer(i) if i.radix() == 10 => Some(i.as_str()),
        DeValue::Float(f) => Some(f.as_str()),
        _ => None,
    }
}

/// "expected ..., found ..." for a value.
pub fn expected(wanted: &str, found: &DeValue<'_>) -> String {
    let found = match found {
        DeValue::String(s) => format!("\"{}\"", s.chars().take(80).collect::<String>()),
        DeValue::Integer(i) => i.as_str().to_owned(),
        DeValue::Float(f) => f.as_str().to_owned(),
        DeValue::Boolean(b) => b.to_string(),
        DeValue::Datetime(d) => d.to_string(),
        DeValue::Array(a) => format!("an array of {}", a.len()),
        DeValue::Table(_) => "a table".to_owned(),
    };
    format!("expected {wanted}, found {found}")
}
