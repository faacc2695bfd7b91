//! What fills a slot, and of which shape it is. Not here: how it becomes words (`filter`).

use serde::{Deserialize, Serialize};

/// Characters of a name from outside that a text takes over; the rest is cut.
const NAME_CHARS_MAX: usize = 80;
/// Names of a list that a text takes over.
const LIST_COUNT_MAX: usize = 32;

/// What fills a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Value {
    /// A name or a word.
    Text(String),
    /// A count or a measure.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// An instant: game microseconds since the world's epoch.
    Game(i64),
    /// Names.
    List(Vec<String>),
}

/// The shape of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// [`Value::Text`].
    Text,
    /// [`Value::Number`].
    Number,
    /// [`Value::Flag`].
    Flag,
    /// [`Value::Game`].
    Game,
    /// [`Value::List`].
    List,
}

impl Value {
    /// A name from outside, as plain text of one line.
    pub(crate) fn name(text: &str) -> Self {
        Self::Text(plain(text))
    }

    /// Names from outside.
    pub(crate) fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self::List(names.into_iter().take(LIST_COUNT_MAX).map(plain).collect())
    }

    /// Its shape.
    #[cfg(test)]
    pub(crate) fn shape(&self) -> Shape {
        match self {
            Self::Text(_) => Shape::Text,
            Self::Number(_) => Shape::Number,
            Self::Flag(_) => Shape::Flag,
            Self::Game(_) => Shape::Game,
            Self::List(_) => Shape::List,
        }
    }

    /// The number, if it is one.
    pub(crate) fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) | Self::Game(number) => Some(*number),
            Self::Flag(flag) => Some(i64::from(*flag)),
            Self::Text(_) | Self::List(_) => None,
        }
    }
}

impl Shape {
    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Flag => "a flag",
            Self::Game => "a game time",
            Self::List => "a list",
        }
    }
}

/// A text of one line without control and formatting characters, cut at 80 characters. Marks
/// of Markdown and HTML stay: they are escaped where a text becomes one of these.
pub(crate) fn plain(text: &str) -> String {
    line(text, NAME_CHARS_MAX)
}

/// The same with another bound.
pub(crate) fn line(text: &str, chars_max: usize) -> String {
    let (mut line, mut count) = (String::new(), 0);
    for c in text.chars().filter(|c| !is_format(*c)) {
        let c = if c.is_control() || c.is_whitespace() { ' ' } else { c };
        if !(c == ' ' && (line.is_empty() || line.ends_with(' '))) {
            line.push(c);
            count += 1;
        }
        if count >= chars_max {
            break;
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Characters that change how others look and are nothing themselves: directions of writing,
/// joiners, marks of byte order and language.
fn is_format(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{e007f}')
}
