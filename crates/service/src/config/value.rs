//! What a setting may hold: how a value is read from text and written as TOML.
//!
//! A raw value is a list of texts: one for most types, none for an unset optional one, several for
//! a list. Flags, variables and file keys all become that, so a type is parsed in one place only.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::http::access::Origin;
use crate::observe::logging::{Filter, LogFormat};
use crate::{Secret, SecretUrl};

/// The TOML type that a value of the file must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// An integer.
    Integer,
    /// An integer or a float.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An array of strings.
    List,
}

/// A type that a setting can have.
pub trait Value: Sized {
    /// What was expected, for errors and the reference: `path`, `address such as …`.
    const EXPECTED: &'static str;
    /// Its type in the file.
    const SHAPE: Shape;
    /// Whether it must never be shown and has no flag.
    const SECRET: bool = false;

    /// Reads it from texts; `Err` completes the sentence "`X` is not …".
    ///
    /// # Errors
    /// The reason in words, when there is more to say than [`Value::EXPECTED`].
    fn parse(texts: &[String]) -> Result<Self, String>;
}

fn single(texts: &[String]) -> Result<&str, String> {
    match texts {
        [text] => Ok(text),
        [] => Err("no value is set".to_owned()),
        _ => Err("one value is expected, not a list".to_owned()),
    }
}

macro_rules! by_from_str {
    ($($type:ty, $shape:ident, $expected:literal;)*) => { $(
        impl Value for $type {
            const EXPECTED: &'static str = $expected;
            const SHAPE: Shape = Shape::$shape;

            fn parse(texts: &[String]) -> Result<Self, String> {
                single(texts)?.parse().map_err(|_| String::new())
            }
        }
    )* };
}

by_from_str! {
    u16, Integer, "a whole number from 0 to 65535";
    u32, Integer, "a whole number from 0 to 4294967295";
    u64, Integer, "a whole number, not negative";
    i64, Integer, "a whole number";
    f64, Number, "a number";
    bool, Boolean, "true or false";
    Origin, Text, "the origin of a web page, such as https://game.example or http://localhost:3000";
}

/// `localhost` is the one name that is an address: names are not resolved.
impl Value for SocketAddr {
    const EXPECTED: &'static str =
        "an address and port such as 127.0.0.1:7070, [::1]:7070 or localhost:7070";
    const SHAPE: Shape = Shape::Text;

    fn parse(texts: &[String]) -> Result<Self, String> {
        let text = single(texts)?;
        if let Some(("localhost", port)) = text.rsplit_once(':') {
            let port = port.parse().map_err(|_| String::new())?;
            return Ok(Self::from((Ipv4Addr::LOCALHOST, port)));
        }
        text.parse().map_err(|_| String::new())
    }
}

impl Value for String {
    const EXPECTED: &'static str = "text";
    const SHAPE: Shape = Shape::Text;

    fn parse(texts: &[String]) -> Result<Self, String> {
        single(texts).map(str::to_owned)
    }
}

impl Value for SecretUrl {
    const EXPECTED: &'static str = "a URL";
    const SHAPE: Shape = Shape::Text;

    fn parse(texts: &[String]) -> Result<Self, String> {
        single(texts).map(Self::new)
    }
}

impl Value for Filter {
    const EXPECTED: &'static str = "a level (off, error, warn, info, debug or trace), or a \
         filter such as info,worldbus_bus=debug";
    const SHAPE: Shape = Shape::Text;

    fn parse(texts: &[String]) -> Result<Self, String> {
        single(texts)?.parse()
    }
}

impl Value for PathBuf {
    const EXPECTED: &'static str = "a path";
    const SHAPE: Shape = Shape::Text;

    fn parse(texts: &[String]) -> Result<Self, String> {
        match single(texts)? {
            "" => Err("it is empty".to_owned()),
            text => Ok(Self::from(text)),
        }
    }
}

impl Value for Secret {
    const EXPECTED: &'static str = "a secret of printable ASCII";
    const SHAPE: Shape = Shape::Text;
    const SECRET: bool = true;

    fn parse(texts: &[String]) -> Result<Self, String> {
        single(texts)?.parse().map_err(str::to_owned)
    }
}

impl<T: Value> Value for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const SHAPE: Shape = T::SHAPE;
    const SECRET: bool = T::SECRET;

    fn parse(texts: &[String]) -> Result<Self, String> {
        if texts.is_empty() { Ok(None) } else { T::parse(texts).map(Some) }
    }
}

impl<T: Value> Value for Vec<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const SHAPE: Shape = Shape::List;
    const SECRET: bool = T::SECRET;

    fn parse(texts: &[String]) -> Result<Self, String> {
        texts.iter().map(|text| T::parse(std::slice::from_ref(text))).collect()
    }
}

impl Value for LogFormat {
    const EXPECTED: &'static str = "text or json";
    const SHAPE: Shape = Shape::Text;

    fn parse(texts: &[String]) -> Result<Self, String> {
        match texts {
            [text] if text == "text" => Ok(Self::Text),
            [text] if text == "json" => Ok(Self::Json),
            _ => Err(String::new()),
        }
    }
}
