//! Bodies of requests, in one place for every route: how large, how long they may take, and how
//! many bytes of them are held at once until they are answered. A route that takes no body, or an
//! extractor that knows no limit, is no exception.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep, timeout};

use super::BODY_READ_MS_MAX;
use super::refusal::{Refusal, refusal, refuse, too_large};
use crate::http::content::{BODY_BYTES_MAX, is_grpc};

/// Bytes of the bodies of REST requests that are held at once, of all connections together.
pub const BODIES_BYTES_MAX: usize = 32 << 20;
/// How long a body waits for room before its request is refused; meanwhile none of it is read.
pub const BODY_WAIT_MS_MAX: u64 = 1_000;

const LIMIT: Duration = Duration::from_millis(BODY_READ_MS_MAX);
const WAIT_MAX: Duration = Duration::from_millis(BODY_WAIT_MS_MAX);

/// Room for the bodies of all requests; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Room(Arc<Semaphore>);

/// A whole body, with the room that it takes.
type Held = (Bytes, Option<OwnedSemaphorePermit>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BODIES_BYTES_MAX)))
    }
}

impl Room {
    /// Room for some bytes more of a body.
    async fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let permit = timeout(WAIT_MAX, Arc::clone(&self.0).acquire_many_owned(bytes)).await;
        permit.ok().and_then(Result::ok).ok_or(refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many bodies are being sent at once; send the request again in a second",
        ))
    }

    /// Bytes that are free.
    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.0.available_permits()
    }
}

/// Runs a request whose body is there, or comes in time.
pub(super) async fn run(room: &Room, request: Request, next: Next) -> Response {
    if is_grpc(request.headers()) {
        return run_grpc(request, next).await;
    }
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    match whole(room, body).await {
        Ok((body, _held)) => next.run(Request::from_parts(head, body.into())).await,
        Err(refusal) => refuse(&head.headers, refusal.status, refusal.detail),
    }
}

async fn whole(room: &Room, body: Body) -> Result<Held, Refusal> {
    let slow = refusal(
        StatusCode::REQUEST_TIMEOUT,
        "the body did not arrive within 10000 ms; send the request again",
    );
    timeout(LIMIT, read(room, body)).await.unwrap_or(Err(slow))
}

async fn read(room: &Room, mut body: Body) -> Result<Held, Refusal> {
    let (mut whole, mut held) = (BytesMut::new(), None::<OwnedSemaphorePermit>);
    while let Some(frame) = body.frame().await {
        let broken = "the body could not be read; send it again";
        let frame = frame.map_err(|_| refusal(StatusCode::BAD_REQUEST, broken))?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > BODY_BYTES_MAX {
            return Err(too_large());
        }
        let more = room.take(data.len()).await?;
        match &mut held {
            Some(held) => held.merge(more),
            None => held = Some(more),
        }
        whole.extend_from_slice(&data);
    }
    Ok((whole.freeze(), held))
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
        let refusal = super::whole(&super::Room::default(), body).await.unwrap_err();
        assert_eq!(refusal.status, 408);
        let limit = format!("{} ms", super::BODY_READ_MS_MAX);
        assert!(refusal.detail.contains(&limit), "{}", refusal.detail);
    }
}
