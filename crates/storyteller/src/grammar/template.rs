//! Templates: text with `{field|filter}` slots, `[one|another]` choices and `{@phrase}` for a
//! choice that several templates share. A backslash takes the meaning from the next character.
//! Not here: what filters do (`filter`).

use std::collections::BTreeMap;

use super::chance::Chance;
use super::english::{capitalise, digits, list};
use super::filter::Filter;
use super::value::{Shape, Value};
use worldbus_world::World;

/// Characters of a template, and of a text that is made of one; more are cut.
pub(crate) const TEXT_CHARS_MAX: usize = 600;
/// Choices within choices, and phrases within phrases.
const DEPTH_MAX: usize = 6;
const FILTER_COUNT_MAX: usize = 4;

/// A template, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Slot { field: String, filters: Vec<Filter> },
    Phrase(String),
    Choice(Vec<Template>),
}

/// Choices by name.
pub(crate) type Phrases = BTreeMap<String, Vec<Template>>;

/// What slots are filled from.
pub(crate) trait Scope {
    /// The value of a field.
    fn value(&self, field: &str) -> Option<Value>;
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong, and at which character.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let chars: Vec<char> = text.chars().collect();
        if chars.is_empty() || chars.len() > TEXT_CHARS_MAX {
            let found = chars.len();
            return Err(format!("expected 1 to {TEXT_CHARS_MAX} characters, found {found}"));
        }
        let mut parser = Parser { chars: &chars, at: 0 };
        let template = parser.template(0)?;
        match parser.peek() {
            None => Ok(template),
            Some(found) => Err(parser.error(&format!("a `{found}` that nothing opened"))),
        }
    }

    /// Refuses slots that `shape_of` does not know or whose filters do not fit, and phrases that
    /// are unknown or contain themselves.
    ///
    /// # Errors
    /// What is wrong.
    pub(crate) fn check(
        &self,
        phrases: &Phrases,
        shape_of: &dyn Fn(&str) -> Option<Shape>,
    ) -> Result<(), String> {
        self.check_within(phrases, shape_of, 0)
    }

    fn check_within(
        &self,
        phrases: &Phrases,
        shape_of: &dyn Fn(&str) -> Option<Shape>,
        depth: usize,
    ) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err(format!("phrases go {DEPTH_MAX} deep at most; is one within itself?"));
        }
        for part in &self.parts {
            let within = match part {
                Part::Text(_) => continue,
                Part::Slot { field, filters } => {
                    check_slot(field, filters, shape_of)?;
                    continue;
                }
                Part::Choice(options) => options,
                Part::Phrase(name) => {
                    phrases.get(name).ok_or_else(|| format!("unknown phrase `{{@{name}}}`"))?
                }
            };
            for option in within {
                option.check_within(phrases, shape_of, depth + 1)?;
            }
        }
        Ok(())
    }

    /// The sentence for these values: one line that begins with a capital.
    pub(crate) fn render(
        &self,
        scope: &dyn Scope,
        phrases: &Phrases,
        world: &World,
        chance: &mut Chance,
    ) -> String {
        let mut text = String::new();
        self.write(&mut text, &mut Writing { scope, phrases, world, chance }, 0);
        let mut line = String::new();
        for word in text.split_whitespace() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        capitalise(&line).chars().take(TEXT_CHARS_MAX).collect()
    }

    fn write(&self, text: &mut String, writing: &mut Writing<'_>, depth: usize) {
        if depth > DEPTH_MAX {
            return;
        }
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Slot { field, filters } => {
                    text.push_str(&filled(field, filters, writing.scope, writing.world));
                }
                Part::Choice(options) => writing.choose(text, options, depth),
                Part::Phrase(name) => {
                    if let Some(options) = writing.phrases.get(name) {
                        writing.choose(text, options, depth);
                    }
                }
            }
        }
    }
}

/// What a text is made with.
struct Writing<'a> {
    scope: &'a dyn Scope,
    phrases: &'a Phrases,
    world: &'a World,
    chance: &'a mut Chance,
}

impl Writing<'_> {
    fn choose(&mut self, text: &mut String, options: &[Template], depth: usize) {
        if let Some(option) = options.get(self.chance.below(options.len())) {
            option.write(text, self, depth + 1);
        }
    }
}

fn check_slot(
    field: &str,
    filters: &[Filter],
    shape_of: &dyn Fn(&str) -> Option<Shape>,
) -> Result<(), String> {
    let mut shape = shape_of(field).ok_or_else(|| format!("no field `{field}` here"))?;
    for filter in filters {
        if filter.takes() != shape {
            let (takes, is) = (filter.takes().name(), shape.name());
            return Err(format!("`{field}`: {filter:?} takes {takes}, and this is {is}"));
        }
        shape = Shape::Text;
    }
    match shape {
        Shape::Text | Shape::Number | Shape::List => Ok(()),
        Shape::Game | Shape::Flag => {
            Err(format!("`{field}` is {}: it needs a filter to be words", shape.name()))
        }
    }
}

fn filled(field: &str, filters: &[Filter], scope: &dyn Scope, world: &World) -> String {
    let Some(value) = scope.value(field) else { return String::new() };
    let [first, rest @ ..] = filters else {
        return match &value {
            Value::Text(text) => text.clone(),
            Value::Number(number) | Value::Game(number) => digits(*number),
            Value::Flag(flag) => flag.to_string(),
            Value::List(names) => list(names),
        };
    };
    let text = first.apply(&value, world);
    rest.iter().fold(text, |text, filter| filter.apply(&Value::Text(text), world))
}

struct Parser<'a> {
    chars: &'a [char],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += 1;
        next
    }

    fn error(&self, what: &str) -> String {
        format!("character {}: {what}", self.at + 1)
    }

    /// Up to the end, or to what ends an option of a choice.
    fn template(&mut self, depth: usize) -> Result<Template, String> {
        if depth > DEPTH_MAX {
            return Err(self.error(&format!("choices go {DEPTH_MAX} deep at most")));
        }
        let (mut parts, mut plain) = (Vec::new(), String::new());
        while let Some(c) = self.peek() {
            let part = match c {
                ']' => break,
                '|' if depth > 0 => break,
                '}' => return Err(self.error("a `}` that nothing opened")),
                '{' => self.slot()?,
                '[' => self.choice(depth)?,
                _ => {
                    self.at += 1;
                    let escaped = if c == '\\' { self.next() } else { Some(c) };
                    plain.push(escaped.ok_or_else(|| self.error("a backslash at the end"))?);
                    continue;
                }
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(part);
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Template { parts })
    }

    fn choice(&mut self, depth: usize) -> Result<Part, String> {
        let open = self.at;
        let mut options = Vec::new();
        loop {
            // Behind the bracket, or the stroke before the next option.
            self.at += 1;
            options.push(self.template(depth + 1)?);
            match self.peek() {
                Some('|') => {}
                Some(']') => {
                    self.at += 1;
                    return Ok(Part::Choice(options));
                }
                _ => {
                    self.at = open;
                    return Err(self.error("a `[` that nothing closes"));
                }
            }
        }
    }

    fn slot(&mut self) -> Result<Part, String> {
        let open = self.at;
        let rest = self.chars.get(open + 1..).unwrap_or_default();
        let Some(length) = rest.iter().position(|c| *c == '}') else {
            return Err(self.error("a `{` that nothing closes"));
        };
        let inner: String = rest[..length].iter().collect();
        let part = slot(&inner).map_err(|what| self.error(&what))?;
        self.at = open + length + 2;
        Ok(part)
    }
}

fn slot(inner: &str) -> Result<Part, String> {
    let is_name = |name: &str| {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.".contains(&b);
        !name.is_empty() && name.bytes().all(fits)
    };
    if let Some(name) = inner.strip_prefix('@') {
        return match is_name(name) {
            true => Ok(Part::Phrase(name.to_owned())),
            false => Err(format!("expected the name of a phrase, found `{name:.40}`")),
        };
    }
    let mut pieces = inner.split('|');
    let field = pieces.next().unwrap_or_default();
    if !is_name(field) {
        return Err(format!("expected the name of a field, found `{field:.40}`"));
    }
    let filters = pieces.map(Filter::parse).collect::<Result<Vec<_>, _>>()?;
    if filters.len() > FILTER_COUNT_MAX {
        return Err(format!("expected at most {FILTER_COUNT_MAX} filters of `{field}`"));
    }
    Ok(Part::Slot { field: field.to_owned(), filters })
}
