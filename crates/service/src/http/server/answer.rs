//! What stands between hyper and the router: it knows whose request it is, when a request begins
//! and its response ends, and what of it the client has not taken yet.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use http::{HeaderMap, Method, header};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::service::TowerToHyperService;
use metrics::counter;

use super::connections::{Caller, Connection, Running};
use super::message;
use super::progress::Cut;
use super::unread::{Share, Unread};
use crate::Problem;

/// A larger frame of a stream is given in copied pieces: so its memory is free when the last piece
/// is given, and what follows it is not asked for before.
const FRAME_BYTES_MAX: usize = 256 << 10;
const PIECE_BYTES: usize = 16 << 10;

/// The router as hyper wants it, for one connection.
pub(super) fn service(
    router: Router,
    connection: Arc<Connection>,
    unread: Unread,
    cut: Cut,
) -> impl Service<Request<Incoming>, Response = Response<Answer>, Error = Infallible, Future: Send>
{
    let router = TowerToHyperService::new(router);
    service_fn(move |mut request: Request<Incoming>| {
        let running = connection.begin_request();
        request.extensions_mut().insert(connection.id());
        request.extensions_mut().insert(Caller(Arc::clone(&connection)));
        request.extensions_mut().insert(cut.clone());
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let response = router.call(request);
        let (unread, cut) = (unread.clone(), cut.clone());
        async move {
            let (mut response, share) = within(&unread, &cut, is_read, response.await?).await;
            message::cut(response.headers_mut());
            let left = Bytes::new();
            Ok(response.map(|body| Answer { body, left, share, _running: running }))
        }
    })
}

/// The response with its share, or a refusal. A response without a known size has none.
async fn within(
    unread: &Unread,
    cut: &Cut,
    is_read: bool,
    response: Response<Body>,
) -> (Response<Body>, Option<Arc<Share>>) {
    let Some(bytes) = known_size(response.body()) else { return (response, None) };
    if let Some(share) = unread.take(bytes, cut).await {
        return (response, Some(share));
    }
    counter!("worldbus_answers_refused_total").increment(1);
    let refused = refused(is_read, response.headers());
    let bytes = known_size(refused.body()).unwrap_or(0);
    let share = unread.take(bytes, cut).await;
    (refused, share)
}

fn known_size(body: &Body) -> Option<usize> {
    let bytes = body.size_hint().exact().filter(|bytes| *bytes > 0)?;
    Some(usize::try_from(bytes).unwrap_or(usize::MAX))
}

fn is_large(frame: &Frame<Bytes>) -> bool {
    frame.data_ref().is_some_and(|data| data.len() > FRAME_BYTES_MAX)
}

/// Takes a piece off the front; what is left is let go with the last one.
fn copied_piece(left: &mut Bytes) -> Bytes {
    let piece = left.split_to(left.len().min(PIECE_BYTES));
    if left.is_empty() {
        *left = Bytes::new();
    }
    Bytes::copy_from_slice(&piece)
}

/// In place of a response there is no room for. A page of an allowed origin may read this, too.
fn refused(is_read: bool, headers: &HeaderMap) -> Response<Body> {
    let problem = match is_read {
        true => Problem::unavailable(
            "too many large answers are not read yet; ask again in a second, or for less",
        ),
        false => Problem::outcome_unknown(
            "too many large answers are not read yet, so that of this request, which may have \
             been done, is not sent: look first",
        ),
    };
    let mut response = problem.into_response();
    let of_page = |name: &http::HeaderName| {
        name.as_str().starts_with("access-control-") || *name == header::VARY
    };
    for (name, value) in headers.iter().filter(|(name, _)| of_page(name)) {
        response.headers_mut().append(name, value.clone());
    }
    response
}

/// A response's body. It is dropped when it was sent whole, or when its client has gone.
pub(super) struct Answer {
    body: Body,
    /// What of the body's frame was not given to the protocol yet.
    left: Bytes,
    share: Option<Arc<Share>>,
    _running: Running,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.left.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(mut frame)) if frame.is_trailers() => {
                    frame.trailers_mut().into_iter().for_each(message::cut);
                    return Poll::Ready(Some(Ok(frame)));
                }
                Some(Ok(frame)) if self.share.is_some() || is_large(&frame) => {
                    self.left = frame.into_data().unwrap_or_else(|_| Bytes::new());
                }
                frame => return Poll::Ready(frame),
            }
        }
        let Self { left, share, .. } = &mut *self;
        let piece = match share {
            Some(share) => share.piece(left),
            None => copied_piece(left),
        };
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        let left = self.left.len() as u64;
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + left);
        }
        hint.set_lower(hint.lower() + left);
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_frame_is_given_whole_in_pieces_and_its_memory_is_free_with_the_last() {
        let memory: Arc<[u8]> = (0..FRAME_BYTES_MAX + 1).map(|at| at as u8).collect();
        let mut left = Bytes::from_owner(Arc::clone(&memory));
        assert!(is_large(&Frame::data(left.clone())));
        assert!(!is_large(&Frame::data(left.slice(1..))));
        let mut pieces = Vec::new();
        while !left.is_empty() {
            pieces.push(copied_piece(&mut left));
        }
        assert!(pieces.iter().all(|piece| piece.len() <= PIECE_BYTES));
        assert_eq!(pieces.concat(), *memory);
        assert_eq!(Arc::strong_count(&memory), 1, "no piece keeps the frame");
    }
}
