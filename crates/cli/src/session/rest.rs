//! A service's REST interface as a command uses it: one request, its answer as JSON, and a refusal
//! that states what to do.
//!
//! Not an HTTP client crate: requests go over the HTTP/2 connection of `worldbus-rpc`, so that TLS,
//! proxies and keys are the same as with gRPC.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use serde_json::Value;
use tonic::body::Body;
use tonic::transport::Channel;
use tower::ServiceExt as _;

use crate::output::failure::WrongUse;
use crate::serve::services::descriptions;
use worldbus_service::Secret;
use worldbus_service::config::{Loaded, Origin};

/// How long a service may take to answer.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Bytes of an answer: the weather of ten thousand regions has about 5 MB.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// A parameter of a query; left out without a value.
pub(crate) type Parameter<'a> = (&'a str, Option<String>);

/// Where a service is, and the key to it.
pub(crate) struct Place {
    /// `time-manager`.
    pub(crate) service: &'static str,
    pub(crate) url: String,
    pub(crate) api_key: Option<Secret>,
}

impl Place {
    /// The URL of `--url`, else of the service's own setting, else of the bus: a bus that serves
    /// everything in one process serves this, too.
    ///
    /// # Errors
    /// Wrong use, if no service can be there.
    pub(crate) fn new<S>(
        service: &'static str,
        loaded: &Loaded<S>,
        url: String,
        own: Option<String>,
        api_key: Option<Secret>,
    ) -> Result<Self, WrongUse> {
        let is_flag = matches!(loaded.resolved.origin("url"), Some(Origin::Flag(_)));
        let url = if is_flag { url } else { own.unwrap_or(url) };
        if let Err(error) = worldbus_rpc::endpoint(&url) {
            return Err(WrongUse(format!("--url: {error}; it must be the {service}'s address")));
        }
        Ok(Self { service, url, api_key })
    }

    /// A connection that is opened by the first request.
    pub(crate) fn channel(&self) -> Result<Channel> {
        let endpoint = worldbus_rpc::endpoint(&self.url)?;
        Ok(endpoint.connect_timeout(ANSWER_MAX).timeout(ANSWER_MAX).connect_lazy())
    }

    /// The value of the header `authorization`.
    pub(crate) fn bearer(&self) -> Result<Option<HeaderValue>, WrongUse> {
        let Some(key) = &self.api_key else { return Ok(None) };
        let value = HeaderValue::from_str(&format!("Bearer {}", key.expose()));
        let mut value =
            value.map_err(|_| WrongUse("api_key: expected printable ASCII".to_owned()))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    /// What to do about a key that is missing or wrong.
    pub(crate) fn unauthorized(&self) -> anyhow::Error {
        anyhow!("{} asks for its API key: set WORLDBUS_API_KEY", self.url)
    }

    /// What to do about a server that has no such interface.
    pub(crate) fn is_another(&self) -> anyhow::Error {
        let Self { service, url, .. } = self;
        let own = descriptions().find(|of| of.name == *service);
        let usual = own.map(|of| format!(", by default http://127.0.0.1:{}", of.port));
        anyhow!(
            "{url} is no {service}, or one that waits for its bus ({url}/readyz has the reason): \
             set --url to the address of one{}",
            usual.unwrap_or_default()
        )
    }

    /// What to do about silence.
    pub(crate) fn silent(&self, why: &str) -> anyhow::Error {
        anyhow!("no answer of {}: {why}; set --url to the {}'s address", self.url, self.service)
    }
}

/// A service that answers in JSON.
pub(crate) struct Rest {
    place: Place,
    channel: Channel,
    bearer: Option<HeaderValue>,
}

impl Rest {
    /// Connects with the first request.
    pub(crate) fn new(place: Place) -> Result<Self> {
        let (channel, bearer) = (place.channel()?, place.bearer()?);
        Ok(Self { place, channel, bearer })
    }

    /// Where it is.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Asks.
    ///
    /// # Errors
    /// Wrong use, if the service refuses a value; else what it reports, or why it does not answer.
    pub(crate) async fn get(&self, path: &str, query: &[Parameter<'_>]) -> Result<Value> {
        self.call(Method::GET, path, query, Bytes::new()).await
    }

    /// Commands.
    ///
    /// # Errors
    /// As of [`get`](Self::get).
    pub(crate) async fn post(
        &self,
        path: &str,
        query: &[Parameter<'_>],
        body: &Value,
    ) -> Result<Value> {
        self.call(Method::POST, path, query, body.to_string().into()).await
    }

    /// Removes.
    ///
    /// # Errors
    /// As of [`get`](Self::get).
    pub(crate) async fn delete(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::DELETE, path, &[], body.to_string().into()).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        query: &[Parameter<'_>],
        body: Bytes,
    ) -> Result<Value> {
        let mut request = Request::builder().method(method).uri(target(path, query));
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(bearer) = &self.bearer {
            request = request.header(AUTHORIZATION, bearer.clone());
        }
        let request = request.body(Body::new(Full::new(body)))?;
        let answer = self.channel.clone().oneshot(request).await;
        let answer = answer.map_err(|error| self.place.silent(&causes(&error)))?;
        let (status, content_type) = (answer.status(), answer.headers().get(CONTENT_TYPE).cloned());
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| self.place.silent(&error.to_string()))?.to_bytes();
        let document = serde_json::from_slice(&body);
        if status.is_success() {
            return document.with_context(|| format!("{} answers no JSON", self.place.url));
        }
        let is_problem =
            content_type.is_some_and(|is| is == worldbus_service::problem::CONTENT_TYPE);
        Err(self.refused(status, document.ok().filter(|_| is_problem)))
    }

    /// A refusal with what to do: a problem's detail states that itself.
    fn refused(&self, status: StatusCode, problem: Option<Value>) -> anyhow::Error {
        let detail = problem.as_ref().and_then(|problem| problem["detail"].as_str());
        let is_of_request = problem.as_ref().is_some_and(|problem| problem["field"].is_string());
        match (status, detail) {
            (StatusCode::UNAUTHORIZED, _) => self.place.unauthorized(),
            // A route that is not there, or a door that is not ours.
            (StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED, _) if !is_of_request => {
                match detail.filter(|detail| !detail.contains("/openapi.json")) {
                    Some(detail) => anyhow!("{detail}"),
                    None => self.place.is_another(),
                }
            }
            (StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY, Some(detail)) => {
                WrongUse(detail.to_owned()).into()
            }
            (_, Some(detail)) => anyhow!("{detail}"),
            (status, None) => anyhow!("{} answers {status}", self.place.url),
        }
    }
}

/// An error and what caused it, without repetitions.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Path and query, encoded.
fn target(path: &str, query: &[Parameter<'_>]) -> String {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    for (name, value) in query {
        if let Some(value) = value {
            encoded.append_pair(name, value);
        }
    }
    match encoded.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// An object without the keys that have no value.
pub(crate) fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let fields = fields.into_iter();
    Value::Object(fields.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_is_encoded_and_what_has_no_value_is_left_out() {
        let query = [("region", Some("a b&c=ä".to_owned())), ("hours", None)];
        assert_eq!(target("/api", &query), "/api?region=a+b%26c%3D%C3%A4");
        assert_eq!(target("/api", &query[1..]), "/api");
    }

    #[test]
    fn object_has_no_key_without_a_value() {
        let object = object([("a", Some(1.into())), ("b", None)]);
        assert_eq!(object.to_string(), r#"{"a":1}"#);
    }
}
