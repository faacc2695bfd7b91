//! A value of a field: JSON without spaces, the keys of objects in order, so that equal values are
//! equal bytes. Parsed once, as it comes in; from then on it is text.

use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Number, Value as Json};

use super::limits::{VALUE_BYTES_MAX, VALUE_DEPTH_MAX};

/// A JSON value within its limits. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value(Arc<str>);

impl Value {
    /// A value of JSON that was parsed.
    ///
    /// # Errors
    /// Too long or too deep; what was expected and found.
    pub fn new(json: &Json) -> Result<Self, String> {
        if depth(json) > VALUE_DEPTH_MAX {
            return Err(format!(
                "expected at most {VALUE_DEPTH_MAX} objects and arrays within one another"
            ));
        }
        let text = json.to_string();
        if text.len() > VALUE_BYTES_MAX {
            let found = text.len();
            return Err(format!("expected at most {VALUE_BYTES_MAX} bytes of JSON, found {found}"));
        }
        Ok(Self(text.into()))
    }

    /// A value of JSON text.
    ///
    /// # Errors
    /// As [`Value::new`]; text that is not JSON.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let json = serde_json::from_slice(text);
        let json: Json = json.map_err(|error| format!("expected JSON: {error}"))?;
        Self::new(&json)
    }

    /// A value as it was kept: text that this type wrote.
    pub(crate) fn kept(text: &str) -> Self {
        Self(text.into())
    }

    /// As JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For an answer, without parsing it again.
    pub fn raw(&self) -> Box<RawValue> {
        RawValue::from_string(self.0.to_string()).unwrap_or_else(|_| RawValue::NULL.to_owned())
    }

    /// This number and another: whole where both are and the sum fits, else as floating point.
    ///
    /// # Errors
    /// What was expected, if one of them is not a number or the sum is not finite.
    pub(crate) fn plus(&self, by: &Self) -> Result<Self, String> {
        let number = |value: &Self| match serde_json::from_str(&value.0) {
            Ok(Json::Number(number)) => Ok(number),
            _ => Err(format!("expected a number, found {:.40}", value.0)),
        };
        let (a, b) = (number(self)?, number(by)?);
        let whole = |number: &Number| {
            number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
        };
        if let Some((a, b)) = whole(&a).zip(whole(&b))
            && (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&(a + b))
        {
            return Ok(Self((a + b).to_string().into()));
        }
        let sum = a.as_f64().unwrap_or(f64::NAN) + b.as_f64().unwrap_or(f64::NAN);
        let sum = Number::from_f64(sum);
        let sum = sum.ok_or_else(|| format!("expected a sum that is finite: {a} and {b}"))?;
        Ok(Self(sum.to_string().into()))
    }

    /// Zero: what a field counts from.
    pub(crate) fn zero() -> Self {
        Self("0".into())
    }
}

/// How many objects and arrays are within one another. The parser has bounded it before.
fn depth(json: &Json) -> usize {
    let deepest = |depths: &mut dyn Iterator<Item = usize>| 1 + depths.max().unwrap_or_default();
    match json {
        Json::Array(values) => deepest(&mut values.iter().map(depth)),
        Json::Object(fields) => deepest(&mut fields.values().map(depth)),
        _ => 0,
    }
}
