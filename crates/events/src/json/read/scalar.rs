//! Scalars of proto3 JSON, exactly: each number is the nearest of its type, or is refused.
//!
//! As the JSON mapping of Protocol Buffers states: a number or a text of a number, with exponent or
//! not; `NaN` and the infinities as texts; whatever is no number of the field's type is an error.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use prost_reflect::{EnumDescriptor, Kind, MapKey, Value};

use super::cursor::{shown, text};

/// Digits of an integer beyond which it has no 64 bits.
const DIGITS_MAX: usize = 20;

/// Both alphabets, padded or not.
const BASE64: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, BASE64);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, BASE64);

/// The value of a field that is no message; `token` is its JSON text.
pub(super) fn value(kind: &Kind, token: &str) -> Result<Value, String> {
    match kind {
        Kind::Double => float(token).map(Value::F64),
        Kind::Float => float(token).map(Value::F32),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => integer(token).map(Value::I32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => integer(token).map(Value::I64),
        Kind::Uint32 | Kind::Fixed32 => integer(token).map(Value::U32),
        Kind::Uint64 | Kind::Fixed64 => integer(token).map(Value::U64),
        Kind::Bool => boolean(token).map(Value::Bool),
        Kind::String => text(token).map(|text| Value::String(text.into_owned())),
        Kind::Bytes => bytes(token).map(|bytes| Value::Bytes(bytes.into())),
        Kind::Enum(of) => enumerator(of, token).map(Value::EnumNumber),
        Kind::Message(_) => Err(format!("{} is not a message", shown(token))),
    }
}

/// The key of a map, whose texts are all that JSON has.
pub(super) fn key(kind: &Kind, name: &str) -> Result<MapKey, String> {
    match kind {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => whole(name).map(MapKey::I32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => whole(name).map(MapKey::I64),
        Kind::Uint32 | Kind::Fixed32 => whole(name).map(MapKey::U32),
        Kind::Uint64 | Kind::Fixed64 => whole(name).map(MapKey::U64),
        Kind::Bool => boolean(name).map(MapKey::Bool),
        _ => Ok(MapKey::String(name.to_owned())),
    }
}

fn integer<T: TryFrom<i128>>(token: &str) -> Result<T, String> {
    whole(&number(token)?)
}

/// The integer that a JSON number is, with a fraction of zeros or an exponent, too.
fn whole<T: TryFrom<i128>>(number: &str) -> Result<T, String> {
    let parts = Parts::of(number).ok_or_else(|| format!("{number:.40?} is not a number"))?;
    let whole = parts.whole().map_err(|fault| format!("{number:.40} is {fault}"))?;
    T::try_from(whole).map_err(|_| format!("{number:.40} is out of range"))
}

/// The nearest value of a type of floating-point numbers.
fn float<T: FromStr<Err: Display> + Into<f64> + Copy>(token: &str) -> Result<T, String> {
    let number = number(token)?;
    let special = matches!(&*number, "NaN" | "Infinity" | "-Infinity") && token.starts_with('"');
    if !special && Parts::of(&number).is_none() {
        return Err(format!("{number:.40?} is not a number"));
    }
    let value: T = number.parse().map_err(|error| format!("{number:.40}: {error}"))?;
    if !special && value.into().is_infinite() {
        return Err(format!("{number:.40} is out of range"));
    }
    Ok(value)
}

fn boolean(token: &str) -> Result<bool, String> {
    token.parse().map_err(|_| format!("{} is not a truth value", shown(token)))
}

fn bytes(token: &str) -> Result<Vec<u8>, String> {
    let text = text(token)?;
    let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
    engine.decode(&*text).map_err(|error| error.to_string())
}

fn enumerator(of: &EnumDescriptor, token: &str) -> Result<i32, String> {
    if !token.starts_with('"') {
        return integer(token);
    }
    let name = text(token)?;
    let value = of.get_value_by_name(&name);
    value.map(|value| value.number()).ok_or_else(|| {
        let meant = by_short_name(of, &name);
        let hint = meant.map_or(String::new(), |meant| format!(" (did you mean {meant}?)"));
        format!("{name:.40?} is not one of them{hint}")
    })
}

/// The value that REST and people call by the end of its name, such as `storm`.
fn by_short_name(of: &EnumDescriptor, short: &str) -> Option<String> {
    let end = format!("_{}", short.to_ascii_uppercase());
    let names = of.values().map(|value| value.name().to_owned());
    names.filter(|name| name.ends_with(&end)).min_by_key(String::len)
}

/// What should be a number, out of its quotes if it stands in some.
fn number(token: &str) -> Result<Cow<'_, str>, String> {
    match token.bytes().next() {
        Some(b'"') => text(token),
        Some(b'-' | b'0'..=b'9') => Ok(Cow::Borrowed(token)),
        _ => Err(format!("{} is not a number", shown(token))),
    }
}

/// A number of JSON's grammar: `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`.
struct Parts<'a> {
    negative: bool,
    integer: &'a str,
    fraction: &'a str,
    exponent: &'a str,
}

impl<'a> Parts<'a> {
    fn of(number: &'a str) -> Option<Self> {
        let unsigned = number.strip_prefix('-').unwrap_or(number);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (unsigned, None),
        };
        let (integer, fraction) = match mantissa.split_once('.') {
            Some((integer, fraction)) => (integer, Some(fraction)),
            None => (mantissa, None),
        };
        let exponent_digits = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let valid = digits(integer)
            && (integer == "0" || !integer.starts_with('0'))
            && fraction.is_none_or(digits)
            && exponent_digits.is_none_or(digits);
        valid.then_some(Self {
            negative: unsigned.len() < number.len(),
            integer,
            fraction: fraction.unwrap_or_default(),
            exponent: exponent.unwrap_or("0"),
        })
    }

    /// The number as an integer, or what it is instead.
    fn whole(&self) -> Result<i128, &'static str> {
        let digits = format!("{}{}", self.integer, self.fraction);
        let short = digits.trim_end_matches('0');
        let zeros = (digits.len() - short.len()) as i64 - self.fraction.len() as i64;
        let short = short.trim_start_matches('0');
        if short.is_empty() {
            return Ok(0);
        }
        // An exponent beyond 64 bits is as good as the largest.
        let exponent = self
            .exponent
            .parse::<i64>()
            .unwrap_or_else(|_| if self.exponent.starts_with('-') { i64::MIN } else { i64::MAX });
        let zeros = exponent.saturating_add(zeros);
        if zeros < 0 {
            return Err("not an integer");
        }
        if zeros > DIGITS_MAX as i64 || short.len() + zeros as usize > DIGITS_MAX {
            return Err("out of range");
        }
        let digits = format!("{short}{}", "0".repeat(zeros as usize));
        let whole: i128 = digits.parse().map_err(|_| "out of range")?;
        Ok(if self.negative { -whole } else { whole })
    }
}
