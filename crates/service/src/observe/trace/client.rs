//! One POST to the collector: plain HTTP/1.1, a connection each, since there is one a second at the
//! most. No TLS: the collector is on this machine, and forwards as configured.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::settings::Settings;

/// Of an endpoint that names none: as of every http URL.
const PORT: u16 = 80;

pub(super) struct Client {
    endpoint: Uri,
    headers: HeaderMap,
    timeout: Duration,
}

/// Why the collector did not take a request.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was not reached, or did not answer.
    Away(String),
    /// It answered so.
    Refused(StatusCode),
}

impl Failure {
    /// As OTLP has it, section "OTLP/HTTP Response".
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Away(_) => true,
            Self::Refused(status) => matches!(status.as_u16(), 429 | 502 | 503 | 504),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(reason) => f.write_str(reason),
            Self::Refused(status) => write!(f, "the collector answered {status}"),
        }
    }
}

impl Client {
    pub(super) fn new(settings: &Settings) -> Self {
        let Settings { endpoint, headers, timeout, .. } = settings;
        Self { endpoint: endpoint.clone(), headers: headers.clone(), timeout: *timeout }
    }

    pub(super) fn endpoint(&self) -> &Uri {
        &self.endpoint
    }

    /// Sends the body; its answer is read no further than its status.
    pub(super) async fn post(&self, body: Bytes) -> Result<(), Failure> {
        let answer = timeout(self.timeout, self.exchange(body)).await;
        let late = |_| Failure::Away(format!("no answer within {:?}", self.timeout));
        let status = answer.map_err(late)?.map_err(|error| Failure::Away(error.to_string()))?;
        if status.is_success() { Ok(()) } else { Err(Failure::Refused(status)) }
    }

    async fn exchange(
        &self,
        body: Bytes,
    ) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>> {
        let host = self.endpoint.host().unwrap_or_default();
        let address = (host.trim_matches(['[', ']']), self.endpoint.port_u16().unwrap_or(PORT));
        let stream = TcpStream::connect(address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let path = self.endpoint.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(HOST, self.endpoint.authority().map_or("", |authority| authority.as_str()))
            .header(CONTENT_TYPE, "application/x-protobuf")
            .body(Full::new(body))?;
        request.headers_mut().extend(self.headers.clone());
        tokio::select! {
            answer = sender.send_request(request) => Ok(answer?.status()),
            closed = connection => match closed {
                Ok(()) => Err("the collector closed the connection".into()),
                Err(error) => Err(error.into()),
            },
        }
    }
}
