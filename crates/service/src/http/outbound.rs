//! Calls to a server of others: one POST of JSON over plain HTTP/1.1, a connection each, bounded in
//! time and in the bytes of the answer, whatever length that declares. No TLS: a server beyond this
//! machine is reached through a proxy on it. Not for: calls that come often.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::Secret;

/// Of a URL that names none: as of every http URL.
const PORT: u16 = 80;
/// Bytes of the head of an answer.
const HEAD_BYTES_MAX: usize = 64 << 10;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A server that takes JSON and answers.
#[derive(Clone)]
pub struct JsonEndpoint {
    url: Uri,
    bearer: Option<HeaderValue>,
    time_max: Duration,
    answer_bytes_max: usize,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It was not reached, was too slow, or sent what is no HTTP or too long.
    #[error("{0}")]
    Away(String),
    /// It answered with this status.
    #[error("the server answered {0}")]
    Refused(StatusCode),
}

impl fmt::Debug for JsonEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonEndpoint").field("url", &self.url).finish_non_exhaustive()
    }
}

impl JsonEndpoint {
    /// An endpoint at `http://host:port/path`.
    ///
    /// # Errors
    /// What was expected of the URL.
    pub fn new(
        url: &str,
        key: Option<&Secret>,
        time_max: Duration,
        answer_bytes_max: usize,
    ) -> Result<Self, String> {
        let expected = || format!("expected http://host:port/path, found {url:.80?}");
        let url: Uri = url.parse().map_err(|_| expected())?;
        if url.scheme_str() != Some("http") || url.host().is_none_or(str::is_empty) {
            return Err(format!("{}; a server with TLS needs a proxy on this machine", expected()));
        }
        let bearer = key.map(|key| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose()))?;
            value.set_sensitive(true);
            Ok::<_, http::header::InvalidHeaderValue>(value)
        });
        let bearer = bearer.transpose().map_err(|_| "expected a key of printable ASCII")?;
        Ok(Self { url, bearer, time_max, answer_bytes_max })
    }

    /// Sends JSON and returns the body of the answer. Cancel-safe: the connection closes.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn post(&self, body: Bytes) -> Result<Bytes, Failure> {
        let answer = timeout(self.time_max, self.exchange(body)).await;
        let late = |_| Failure::Away(format!("no answer within {:?}", self.time_max));
        let (status, body) =
            answer.map_err(late)?.map_err(|error| Failure::Away(error.to_string()))?;
        if status.is_success() { Ok(body) } else { Err(Failure::Refused(status)) }
    }

    async fn exchange(&self, body: Bytes) -> Result<(StatusCode, Bytes), BoxError> {
        let host = self.url.host().unwrap_or_default();
        let address = (host.trim_matches(['[', ']']), self.url.port_u16().unwrap_or(PORT));
        let stream = TcpStream::connect(address).await?;
        let mut builder = http1::Builder::new();
        builder.max_buf_size(HEAD_BYTES_MAX);
        let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        let path = self.url.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(HOST, self.url.authority().map_or("", |authority| authority.as_str()))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        if let Some(bearer) = &self.bearer {
            request.headers_mut().insert(AUTHORIZATION, bearer.clone());
        }
        let answer = async {
            let answer = sender.send_request(request).await?;
            self.read(answer).await
        };
        tokio::pin!(connection);
        tokio::select! {
            // First: the end of the connection may be that of the answer.
            biased;
            answer = answer => answer,
            closed = &mut connection => match closed {
                Ok(()) => Err("the server closed the connection".into()),
                Err(error) => Err(error.into()),
            },
        }
    }

    async fn read(&self, answer: Response<Incoming>) -> Result<(StatusCode, Bytes), BoxError> {
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, self.answer_bytes_max).collect().await?;
        Ok((head.status, body.to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_is_plain_http_with_a_host() {
        let new = |url| JsonEndpoint::new(url, None, Duration::from_secs(1), 1);
        assert!(new("http://127.0.0.1:9/v1").is_ok());
        for url in ["https://a/b", "ftp://a", "a b", "/v1", ""] {
            assert!(new(url).unwrap_err().contains("expected http://"), "{url}");
        }
    }

    #[test]
    fn key_is_not_shown() {
        let key = Secret::new("s3cret");
        let made = JsonEndpoint::new("http://a", Some(&key), Duration::from_secs(1), 1).unwrap();
        assert!(!format!("{made:?}").contains("s3cret"));
    }
}
