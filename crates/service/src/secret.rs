//! A text that must not be shown: an API key, a password. Not encryption: the text is in memory.
//!
//! `Debug` and `Display` print a mask, so a secret inside a logged struct stays a secret. The text
//! itself is reached by [`Secret::expose`], which is easy to find in a review.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use subtle::ConstantTimeEq;

/// A URL that may hold a password, `SCHEME://USER:PASSWORD@…`, which is masked wherever it is
/// printed.
#[derive(Clone)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// Keeps `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The whole text, to hand to what connects; never to a log or an error.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", masked(&self.0))
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&masked(&self.0))
    }
}

/// A text as it may be printed: if it is a URL with a password, without that.
pub fn masked(text: &str) -> Cow<'_, str> {
    let password = text.split_once("://").and_then(|(scheme, rest)| {
        // A password with a `/` or `@` that is not encoded is one all the same.
        let login = &rest[..rest.rfind('@')?];
        let begin = scheme.len() + "://".len() + login.find(':')? + 1;
        Some(begin..scheme.len() + "://".len() + login.len())
    });
    match password {
        Some(at) => Cow::Owned(format!("{}{}{}", &text[..at.start], Secret::MASK, &text[at.end..])),
        None => Cow::Borrowed(text),
    }
}

/// A text that is never printed and is compared in constant time.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// What is printed in place of every secret.
    pub const MASK: &'static str = "********";

    /// Keeps `text` as a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether `candidate` is this secret. The time taken depends on the candidate's length only,
    /// not on how many of its bytes are right.
    pub fn matches(&self, candidate: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(candidate).into()
    }

    /// The text itself, to hand to a client library; never to a log or an error.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::MASK)
    }
}

impl FromStr for Secret {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Err("a secret must not be blank");
        }
        // A key travels in an HTTP header; one that cannot would lock its owner out.
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("a secret must be printable ASCII without spaces");
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_never_printed() {
        let secret = Secret::new("swordfish");
        let shown = format!("{secret} {secret:?} {:?}", Some(&secret));
        assert!(!shown.contains("swordfish"), "{shown}");
        assert_eq!(secret.expose(), "swordfish");
    }

    #[test]
    fn password_of_a_url_is_never_printed() {
        for (url, shown) in [
            ("postgres://w:pa55@db/w", "postgres://w:********@db/w"),
            ("postgres://w:pa/5:5@@db:5432/w", "postgres://w:********@db:5432/w"),
            ("postgres://w@db:5432/w", "postgres://w@db:5432/w"),
            ("sqlite:a:b@c", "sqlite:a:b@c"),
            ("http://127.0.0.1:7070", "http://127.0.0.1:7070"),
        ] {
            let secret = SecretUrl::new(url);
            assert_eq!(
                (secret.to_string(), format!("{secret:?}")),
                (shown.to_owned(), format!("{shown:?}"))
            );
            assert_eq!(secret.expose(), url);
        }
    }

    #[test]
    fn only_the_exact_text_matches() {
        let secret = Secret::new("swordfish");
        assert!(secret.matches(b"swordfish"));
        for wrong in [&b""[..], b"swordfis", b"swordfisH", b"swordfish "] {
            assert!(!secret.matches(wrong));
        }
    }

    #[test]
    fn blank_or_unprintable_secret_is_refused() {
        for wrong in ["", "   ", "a b", "k\u{e9}y", "line\n"] {
            assert!(wrong.parse::<Secret>().is_err(), "{wrong:?}");
        }
    }
}
