//! What stands between hyper and the router: it knows whose request it is, and when a request
//! begins and its response ends.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::service::TowerToHyperService;

use super::connections::{Caller, Connection, Running};
use super::progress::Cut;

/// The router as hyper wants it, for one connection.
pub(super) fn service(
    router: Router,
    connection: Arc<Connection>,
    cut: Cut,
) -> impl Service<Request<Incoming>, Response = Response<Answer>, Error = Infallible, Future: Send>
{
    let router = TowerToHyperService::new(router);
    service_fn(move |mut request: Request<Incoming>| {
        let running = connection.begin_request();
        request.extensions_mut().insert(connection.id());
        request.extensions_mut().insert(Caller(Arc::clone(&connection)));
        request.extensions_mut().insert(cut.clone());
        let response = router.call(request);
        async move { Ok(response.await?.map(|body| Answer { body, _running: running })) }
    })
}

/// A response's body. It is dropped when it was sent whole, or when its client has gone.
pub(super) struct Answer {
    body: Body,
    _running: Running,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
