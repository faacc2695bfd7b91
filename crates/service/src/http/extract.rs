//! Extractors whose refusals are problem documents that name the field at fault. They are here
//! because axum's own answer with plain text, which clients of a JSON API cannot read.

mod path;
mod words;

use axum::body::HttpBody as _;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize, forward_to_deserialize_any};
use serde_path_to_error::Segment;

use crate::Problem;
use crate::http::content::{BODY_BYTES_MAX, is_json};

pub use path::Path;

/// A JSON body, in and out. As a request it asks for a JSON content type (415), at most
/// [`BODY_BYTES_MAX`] bytes (413), well-formed JSON (400), with a byte order mark in front or not,
/// and the right shape (422, with `field`). A `RawValue` is the text as it was sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

/// Like [`Json`], for commands that need no body: an empty one is the default, and so is `null`.
#[derive(Debug, Clone, Copy, Default)]
pub struct OptionalJson<T>(pub T);

/// The byte order mark of UTF-8, which some clients send in front of a body.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The query string; a value of the wrong shape is a 400 that names the parameter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<T>(pub T);

/// The query of a route without parameters, which refuses all of them: a client that sends one
/// expects something of it.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoQuery {}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        parse(&json_body(request, state).await?).map(Self)
    }
}

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if request.body().is_end_stream() {
            return Ok(Self::default());
        }
        let body = json_body(request, state).await?;
        if body.trim_ascii() == b"null" {
            return Ok(Self::default());
        }
        parse(&body).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(mut body) => {
                // What an answer holds until it is read is what it counts.
                body.shrink_to_fit();
                let content_type = HeaderValue::from_static("application/json");
                ([(header::CONTENT_TYPE, content_type)], body).into_response()
            }
            Err(error) => {
                tracing::error!(%error, "failed to encode an answer");
                Problem::internal("the answer could not be encoded; see the log").into_response()
            }
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = serde_urlencoded::Deserializer::new(form_pairs(query));
        serde_path_to_error::deserialize(pairs).map(Self).map_err(|error| {
            let message = error.inner().to_string();
            let field = named_field(error.path(), &message);
            let wrong = words::plain(&message, field.as_deref());
            let problem = Problem::bad_request(match &field {
                Some(field) => format!("query parameter `{field}`: {wrong}"),
                None => format!("query: {wrong}"),
            });
            with_field(problem, field)
        })
    }
}

fn form_pairs(query: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(query.as_bytes())
}

async fn json_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    if !is_json(request.headers()) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send the body as JSON, with `content-type: application/json`",
        ));
    }
    let body = Bytes::from_request(request, state).await;
    body.map_err(|rejection| unread_body(&rejection.into_response()))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = T::deserialize(Named(&mut json)).map_err(|error| {
        let field = field_at_fault::<T>(body, &error);
        let wrong = || words::plain(&error.to_string(), field.as_deref());
        let problem = match (error.classify(), &field) {
            (serde_json::error::Category::Data, Some(field)) => {
                Problem::unprocessable(format!("field `{field}`: {}", wrong()))
            }
            (serde_json::error::Category::Data, None) => Problem::unprocessable(wrong()),
            _ => Problem::bad_request(format!("the body is not JSON: {error}")),
        };
        with_field(problem, field)
    })?;
    json.end().map_err(|error| {
        Problem::bad_request(format!("the body has more than one JSON value: {error}"))
    })?;
    Ok(value)
}

/// Where the error was met. Found by a second look that keeps the path, which reads no `RawValue`:
/// what it meets there instead is no answer.
fn field_at_fault<T: DeserializeOwned>(body: &[u8], error: &serde_json::Error) -> Option<String> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let again = serde_path_to_error::deserialize::<_, T>(Named(&mut json)).err()?;
    let same = again.inner().to_string() == error.to_string();
    same.then(|| named_field(again.path(), &error.to_string())).flatten()
}

/// Reads a struct by the names of its fields alone. Serde would take `["paris", "storm"]`, too, by
/// their order, which no document of ours promises.
struct Named<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Named<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    /// By its name serde_json knows a `RawValue`.
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The field that an error is about, as far as it is known. One that is missing or there twice is
/// no part of the path to where it should be: serde names it in the message alone.
fn named_field(path: &serde_path_to_error::Path, message: &str) -> Option<String> {
    let mut field = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => field.push_str(&format!("[{index}]")),
            Segment::Map { key } => push_name(&mut field, key),
            Segment::Enum { variant } => push_name(&mut field, variant),
            Segment::Unknown => break,
        }
    }
    let in_message = ["missing field `", "duplicate field `"];
    let rest = in_message.iter().find_map(|prefix| message.strip_prefix(prefix));
    if let Some(name) = rest.and_then(|rest| rest.split('`').next()) {
        push_name(&mut field, name);
    }
    (!field.is_empty()).then_some(field)
}

fn push_name(field: &mut String, name: &str) {
    if !field.is_empty() {
        field.push('.');
    }
    field.push_str(name);
}

fn with_field(problem: Problem, field: Option<String>) -> Problem {
    match field {
        Some(field) => problem.with_field(field),
        None => problem,
    }
}

fn unread_body(rejection: &Response) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(format!(
            "the body is larger than {BODY_BYTES_MAX} bytes; send less in one request"
        )),
        status => Problem::new(status, "the body could not be read; send it again"),
    }
}

#[cfg(test)]
mod tests;
