//! Bodies of requests, in one place for every route: how large, and how long they may take. A
//! route that takes no body, or an extractor that knows no limit, is no exception.

use std::error::Error as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::LengthLimitError;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep, timeout};

use super::refusal::{Refusal, is_grpc, refusal, refuse, too_large};
use super::{BODY_BYTES_MAX, BODY_READ_MS_MAX};

const LIMIT: Duration = Duration::from_millis(BODY_READ_MS_MAX);

/// Runs a request whose body is there, or comes in time.
pub(super) async fn run(request: Request, next: Next) -> Response {
    if is_grpc(request.headers()) {
        return run_grpc(request, next).await;
    }
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    match whole(body).await {
        Ok(body) => next.run(Request::from_parts(head, body.into())).await,
        Err(refusal) => refuse(&head.headers, refusal.status, refusal.detail),
    }
}

async fn whole(body: Body) -> Result<Bytes, Refusal> {
    let slow = refusal(
        StatusCode::REQUEST_TIMEOUT,
        "the body did not arrive within 10000 ms; send the request again",
    );
    let read =
        timeout(LIMIT, axum::body::to_bytes(body, BODY_BYTES_MAX)).await.map_err(|_| slow)?;
    read.map_err(|error| match error.source() {
        Some(source) if source.is::<LengthLimitError>() => too_large(),
        _ => refusal(StatusCode::BAD_REQUEST, "the body could not be read; send it again"),
    })
}

/// Messages of gRPC have their limit of size in its server. A stream may be open for days, so the
/// time is limited only until the response begins: that of a single message begins when the body
/// has ended, that of a stream when it is open.
async fn run_grpc(request: Request, next: Next) -> Response {
    let has_begun = Arc::new(AtomicBool::new(false));
    let request = request.map(|body| {
        let deadline = Box::pin(sleep(LIMIT));
        Body::new(Awaited { body, deadline, has_begun: Arc::clone(&has_begun) })
    });
    let response = next.run(request).await;
    has_begun.store(true, Ordering::Relaxed);
    response
}

/// A body that fails when it is still waited for at the deadline.
struct Awaited {
    body: Body,
    deadline: Pin<Box<Sleep>>,
    /// Whether the response has begun: no more deadline.
    has_begun: Arc<AtomicBool>,
}

#[derive(Debug, thiserror::Error)]
#[error("the request did not arrive within {BODY_READ_MS_MAX} ms")]
struct Late;

impl hyper::body::Body for Awaited {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_ready() || self.has_begun.load(Ordering::Relaxed) {
            return frame;
        }
        if self.deadline.as_mut().poll(cx).is_pending() || self.has_begun.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(axum::Error::new(Late))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    #[tokio::test(start_paused = true)]
    async fn limit_in_words_is_the_limit() {
        let body = axum::body::Body::from_stream(futures_util::stream::pending::<
            Result<bytes::Bytes, std::io::Error>,
        >());
        let refusal = super::whole(body).await.unwrap_err();
        assert_eq!(refusal.status, 408);
        let limit = format!("{} ms", super::BODY_READ_MS_MAX);
        assert!(refusal.detail.contains(&limit), "{}", refusal.detail);
    }
}
