//! Walks JSON text in place, value by value, without copying.
//!
//! Written here because serde_json makes a double of each number that is no 64-bit integer, which
//! loses what a range check needs, and ends at 128 levels of text where protobuf counts messages.
//! Not for: checking JSON. The text is that of a `RawValue`, which serde_json checked whole.

use std::borrow::Cow;

/// The blanks of JSON.
const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// A place in JSON text.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(json: &'a str) -> Self {
        Self { rest: json }
    }

    /// The first byte of the next value: it shows what kind of value it is. 0 at the end.
    pub(super) fn peek(&mut self) -> u8 {
        self.rest = self.rest.trim_start_matches(BLANKS);
        self.rest.bytes().next().unwrap_or(0)
    }

    /// The text of the next value, whatever it is; moves behind it.
    pub(super) fn take(&mut self) -> &'a str {
        self.peek();
        let (value, rest) = self.rest.split_at(end_of_value(self.rest.as_bytes()));
        self.rest = rest;
        value
    }

    /// Visits the entries of an object. `entry` moves behind the value.
    pub(super) fn object(
        &mut self,
        mut entry: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), String>,
    ) -> Result<(), String> {
        self.expect(b'{', "an object")?;
        while !self.eat(b'}') {
            let name = text(self.take())?;
            self.expect(b':', "a value")?;
            entry(self, name)?;
            self.eat(b',');
        }
        Ok(())
    }

    /// Visits the elements of an array. `element` moves behind the value.
    pub(super) fn array(
        &mut self,
        mut element: impl FnMut(&mut Self, usize) -> Result<(), String>,
    ) -> Result<(), String> {
        self.expect(b'[', "a list")?;
        let mut index = 0;
        while !self.eat(b']') {
            element(self, index)?;
            index += 1;
            self.eat(b',');
        }
        Ok(())
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn expect(&mut self, byte: u8, what: &str) -> Result<(), String> {
        if self.eat(byte) {
            return Ok(());
        }
        Err(format!("{} is not {what}", shown(self.take())))
    }
}

/// The text that a JSON string stands for.
pub(super) fn text(token: &str) -> Result<Cow<'_, str>, String> {
    let Some(inner) = token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Err(format!("{} is not a text", shown(token)));
    };
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    let unescaped = serde_json::from_str::<String>(token);
    unescaped.map(Cow::Owned).map_err(|_| format!("{} is not Unicode", shown(token)))
}

/// A value as errors name it.
pub(super) fn shown(token: &str) -> String {
    match token.bytes().next() {
        Some(b'{') => "an object".to_owned(),
        Some(b'[') => "a list".to_owned(),
        _ => format!("{token:.40}"),
    }
}

/// Where the value that begins here ends. Needs no stack, however deep the value is.
fn end_of_value(bytes: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at += length_of_string(&bytes[at..]),
            b'{' | b'[' => (at, depth) = (at + 1, depth + 1),
            b'}' | b']' if depth > 0 => (at, depth) = (at + 1, depth - 1),
            b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => return at,
            _ => {
                at += 1;
                continue;
            }
        }
        if depth == 0 {
            return at;
        }
    }
    at
}

/// The bytes of the string that begins here, its quotes included.
fn length_of_string(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}
