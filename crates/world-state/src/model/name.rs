//! Names of entities and of their fields.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use super::limits::{ENTITY_BYTES_MAX, FIELD_BYTES_MAX};

/// Names of one segment that are paths of the REST interface.
const RESERVED: &[&str] = &["changes", "commands", "history", "snapshot"];
/// Of a wrong name so many characters are repeated.
const SHOWN_CHARS_MAX: usize = 40;

/// The name of an entity: segments of `a-z 0-9 - _ . :` with a `/` between, in at most 256 bytes.
/// Names compare as bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityName(String);

/// The name of a field: `a-z 0-9 - _ . :` in at most 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldName(String);

impl EntityName {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FieldName {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EntityName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let right =
            !text.is_empty() && text.len() <= ENTITY_BYTES_MAX && text.split('/').all(is_segment);
        if !right {
            return Err(format!(
                "expected 1 to {ENTITY_BYTES_MAX} bytes of a-z 0-9 - _ . : in segments with a \
                 single / between, such as region/ghent; found {}",
                shown(text)
            ));
        }
        if RESERVED.contains(&text) {
            return Err(format!("{text:?} is a path of the REST interface; choose another name"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for FieldName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if (1..=FIELD_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_plain) {
            return Ok(Self(text.to_owned()));
        }
        let found = shown(text);
        Err(format!("expected 1 to {FIELD_BYTES_MAX} bytes of a-z 0-9 - _ . :, found {found}"))
    }
}

/// Refuses what no name begins with. The empty prefix is that of all.
///
/// # Errors
/// What was expected.
pub fn check_prefix(text: &str) -> Result<(), String> {
    let right = text.len() <= ENTITY_BYTES_MAX
        && text.bytes().all(|byte| is_plain(byte) || byte == b'/')
        && !text.starts_with('/')
        && !text.contains("//");
    if right {
        return Ok(());
    }
    let found = shown(text);
    Err(format!("expected the beginning of an entity's name such as region/, found {found}"))
}

/// Not those that browsers and proxies take out of a path.
fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && text.bytes().all(is_plain)
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b':')
}

fn shown(text: &str) -> String {
    let start: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    match start.len() == text.len() {
        true => format!("{start:?}"),
        false => format!("{start:?}… of {} bytes", text.len()),
    }
}

impl fmt::Display for EntityName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for EntityName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for FieldName {
    fn borrow(&self) -> &str {
        &self.0
    }
}
