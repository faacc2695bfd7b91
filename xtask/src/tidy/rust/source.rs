//! Rust source as tokens, for the checks that look at declarations and paths.
//!
//! Not a parser: comments, strings and what is for tests alone are left out, and the rest is words
//! and signs. A full parser would be a large dependency for `use` and `mod`, which is all that the
//! checks read.

/// A word (identifier or number), `::`, or a single sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    /// Where it begins, in bytes.
    pub(super) at: usize,
}

/// The tokens of a source without items under `#[cfg(test)]`.
pub(super) fn shipped(text: &str) -> Vec<Token<'_>> {
    without_tests(&tokens(text))
}

/// The tokens of a source, without comments, strings and characters.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = match skipped(rest) {
            Some(length) => length,
            None => {
                let length = token_length(rest, first);
                tokens.push(Token { text: &rest[..length], at });
                length
            }
        };
        at += length;
    }
    tokens
}

/// How many bytes of white space, comment or literal stand here, if any do.
fn skipped(rest: &str) -> Option<usize> {
    let blank = rest.len() - rest.trim_start().len();
    if blank > 0 {
        return Some(blank);
    }
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    if let Some(length) = raw_string(rest) {
        return Some(length);
    }
    let plain = rest.strip_prefix(['b', 'c']).filter(|rest| rest.starts_with('"'));
    let plain = plain.unwrap_or(rest);
    if plain.starts_with('"') {
        return Some(rest.len() - plain.len() + quoted(plain, '"'));
    }
    character(rest)
}

fn token_length(rest: &str, first: char) -> usize {
    if is_word(first) {
        return rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    }
    if rest.starts_with("::") { 2 } else { first.len_utf8() }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn raw_string(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = body.bytes().take_while(|byte| *byte == b'#').count();
    let inner = body[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let inside = inner.find(&end).map_or(inner.len(), |at| at + end.len());
    Some(rest.len() - inner.len() + inside)
}

/// The length of a literal between two quotes, with escapes.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A character, not a lifetime.
fn character(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('\'')?;
    let mut chars = inner.chars();
    let (first, second) = (chars.next()?, chars.next()?);
    (first == '\\' || second == '\'').then(|| quoted(rest, '\''))
}

fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    const CFG_TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut shipped = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let words = tokens[at..].iter().map(|token| token.text);
        if words.take(CFG_TEST.len()).eq(CFG_TEST) {
            at += CFG_TEST.len();
            at += item_length(&tokens[at..]);
        } else {
            shipped.push(tokens[at]);
            at += 1;
        }
    }
    shipped
}

/// The item's tokens up to its `;`, or to the end of its braces.
pub(super) fn item_length(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    let mut head = tokens.iter().take_while(|token| !["{", ";"].contains(&token.text));
    let is_use = head.any(|token| token.text == "use");
    for (index, token) in tokens.iter().enumerate() {
        match token.text {
            ";" if depth == 0 => return index + 1,
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth = depth.saturating_sub(1);
                if depth == 0 && token.text == "}" && !is_use {
                    return index + 1;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests;
