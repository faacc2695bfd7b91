//! Who may enter. One layer over the whole port, REST and gRPC alike; not authorization: a request
//! that enters may do everything.
//!
//! - With an API key, each request presents it (`authorization: Bearer KEY`), wherever it is from;
//!   a browser's `EventSource` presents a ticket instead (`tickets`). Wrong keys are slowed
//!   (`guesses`).
//! - Without one, the port must be on loopback, and a request must not come from a web page of
//!   another site or port: page scripts reach loopback ports, so a foreign `Host` (DNS rebinding),
//!   a foreign `Origin` and what `Sec-Fetch-Site` calls foreign is refused, and a command that has
//!   a body or a content type must have one that browsers ask permission for.
//! - Pages of the origins that are allowed by setting enter like other clients, and their browsers
//!   get what they need (`cors`).
//! - `/livez`, `/readyz` and `/healthz` are always open, for orchestrators; they answer without
//!   detail.
//!
//! A request that is let in establishes its connection (`server`), which then keeps its place.

mod body;
mod cors;
mod guesses;
mod origin;
mod refusal;
pub(crate) mod tickets;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::HttpBody as _;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode, header};
use tokio::time::Instant;

use crate::Secret;
use crate::http::content::{is_grpc, is_json};
use crate::http::server::Caller;
use guesses::{Guesses, Turn};
use refusal::{Refusal, refusal, too_large, turn_away};
use tickets::{Spent, Tickets};

pub use crate::http::content::BODY_BYTES_MAX;
pub use body::{BODIES_BYTES_MAX, BODY_WAIT_MS_MAX};
pub use guesses::{
    GUESS_COUNT_MAX, GUESS_FORGOTTEN_MS, KEY_WAIT_MS, PEER_COUNT_MAX, WAIT_COUNT_MAX,
};
pub use origin::Origin;
pub(crate) use refusal::refuse;
pub use tickets::{TICKET_COUNT_MAX, TICKET_MS_MAX};

/// How long a client may take to send the whole body of a REST request, or the message of a gRPC
/// call that is not a stream.
pub const BODY_READ_MS_MAX: u64 = 10_000;

/// Paths that need no key and no loopback name.
const OPEN_PATHS: [&str; 3] = ["/livez", "/readyz", "/healthz"];

/// The rule of one port; clones share what they remember.
#[derive(Debug, Clone)]
pub struct Access {
    key: Option<Secret>,
    origins: Vec<Origin>,
    ticket_paths: Vec<&'static str>,
    tickets: Tickets,
    guesses: Guesses,
    bodies: body::Room,
}

/// The address asks for a key and no key is set: refused before the port opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "refusing to listen on {listen}, which other machines can reach, without an API key: \
     set WORLDBUS_API_KEY to a long random text (clients send `authorization: Bearer KEY`), \
     or listen on loopback with --listen 127.0.0.1:{port}",
    port = listen.port()
)]
pub struct KeyRequired {
    /// The address that was asked for.
    pub listen: SocketAddr,
}

impl Access {
    /// The rule for a port at `listen`.
    ///
    /// # Errors
    /// [`KeyRequired`] when `listen` is beyond loopback and there is no key.
    pub fn new(listen: SocketAddr, key: Option<Secret>) -> Result<Self, KeyRequired> {
        if key.is_none() && !listen.ip().to_canonical().is_loopback() {
            return Err(KeyRequired { listen });
        }
        let (origins, ticket_paths) = (Vec::new(), Vec::new());
        let (tickets, guesses) = (Tickets::default(), Guesses::default());
        let bodies = body::Room::default();
        Ok(Self { key, origins, ticket_paths, tickets, guesses, bodies })
    }

    /// The same rule, where web pages of these origins may enter.
    #[must_use]
    pub fn with_origins(mut self, origins: Vec<Origin>) -> Self {
        self.origins = origins;
        self
    }

    /// The same rule, where a ticket is as good as the key for a GET of these paths.
    #[must_use]
    pub(crate) fn with_ticket_paths(mut self, paths: Vec<&'static str>) -> Self {
        self.ticket_paths = paths;
        self
    }

    pub(crate) fn tickets(&self) -> Tickets {
        self.tickets.clone()
    }

    /// Whether a key is needed to enter.
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Puts the check before every route and fallback of `router`, with the limits of bodies.
    pub fn guard(&self, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(Arc::new(self.clone()), pass))
    }

    /// The ticket that the request is let in by, if it is by one.
    async fn check(&self, request: &mut Request) -> Result<Option<Spent>, Refusal> {
        let ticket = self.take_ticket(request);
        if OPEN_PATHS.contains(&request.uri().path()) {
            return Ok(None);
        }
        let spent = match (&self.key, ticket) {
            (Some(_), Some(ticket)) => Some(self.check_ticket(ticket, request)?),
            (Some(key), None) => {
                let caller = request.extensions().get::<Caller>();
                self.check_key(key, request.headers(), caller).await?;
                None
            }
            (None, _) => {
                self.check_loopback(request)?;
                None
            }
        };
        if let Err(refusal) = establish(request) {
            self.give_back(spent);
            return Err(refusal);
        }
        Ok(spent)
    }

    fn give_back(&self, spent: Option<Spent>) {
        if let Some(spent) = spent {
            self.tickets.give_back(spent);
        }
    }

    /// Only of a path that takes one, and never seen by the routes.
    fn take_ticket(&self, request: &mut Request) -> Option<String> {
        if !self.ticket_paths.contains(&request.uri().path()) {
            return None;
        }
        let ticket = tickets::take(request.uri_mut())?;
        let has_key = request.headers().contains_key(header::AUTHORIZATION);
        (request.method() == Method::GET && !has_key).then_some(ticket)
    }

    fn check_ticket(&self, ticket: String, request: &Request) -> Result<Spent, Refusal> {
        let now = Instant::now();
        if let Some(spent) = self.tickets.spend(ticket, now) {
            return Ok(spent);
        }
        if let Some(caller) = request.extensions().get::<Caller>() {
            self.guesses.wrong(caller.peer(), now);
        }
        Err(refusal(
            StatusCode::UNAUTHORIZED,
            "the ticket is spent, expired or unknown: get another with POST /api/tickets",
        ))
    }

    async fn check_key(
        &self,
        key: &Secret,
        headers: &HeaderMap,
        caller: Option<&Caller>,
    ) -> Result<(), Refusal> {
        let candidate = presented(headers).ok_or(refusal(
            StatusCode::UNAUTHORIZED,
            "this server needs its API key: send `authorization: Bearer KEY`",
        ))?;
        if let Some(caller) = caller.filter(|caller| !caller.has_key()) {
            self.wait_for_turn(caller).await?;
        }
        let is_right = key.matches(candidate);
        if let Some(caller) = caller {
            caller.set_has_key(is_right);
            if !is_right {
                self.guesses.wrong(caller.peer(), Instant::now());
            }
        }
        if is_right {
            return Ok(());
        }
        Err(refusal(StatusCode::UNAUTHORIZED, "the API key is not the one of this server"))
    }

    async fn wait_for_turn(&self, caller: &Caller) -> Result<(), Refusal> {
        match self.guesses.turn(caller.peer(), Instant::now()) {
            Turn::Now => Ok(()),
            Turn::Later(_place) => {
                tokio::time::sleep(Duration::from_millis(KEY_WAIT_MS)).await;
                Ok(())
            }
            Turn::Never => Err(refusal(
                StatusCode::TOO_MANY_REQUESTS,
                "too many wrong keys came from this address; retry in a second",
            )),
        }
    }

    fn check_loopback(&self, request: &Request) -> Result<(), Refusal> {
        if !origin::host_is_loopback(request) {
            return Err(refusal(
                StatusCode::FORBIDDEN,
                "without an API key this server answers to loopback names only: \
                 address it as localhost or 127.0.0.1, or set WORLDBUS_API_KEY",
            ));
        }
        let is_allowed = origin::allowed(request.headers(), &self.origins).is_some();
        if !is_allowed && origin::is_foreign_page(request) {
            return Err(refusal(
                StatusCode::FORBIDDEN,
                "without an API key this server refuses requests from web pages of other sites \
                 and ports: allow a page's origin with --allow-origin",
            ));
        }
        let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        let headers = request.headers();
        if reads || is_bare(request) || is_json(headers) || is_grpc(headers) {
            return Ok(());
        }
        Err(refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send the body as JSON, with `content-type: application/json`",
        ))
    }
}

async fn pass(State(access): State<Arc<Access>>, mut request: Request, next: Next) -> Response {
    let origin = origin::allowed(request.headers(), &access.origins).cloned();
    let mut response = if origin.is_some() && cors::is_preflight(&request) {
        cors::allow()
    } else {
        match access.check(&mut request).await {
            Ok(spent) => {
                let response = body::run(&access.bodies, request, next).await;
                // It opened no stream.
                if !response.status().is_success() {
                    access.give_back(spent);
                }
                response
            }
            Err(refusal) => turn_away(request, &refusal).await,
        }
    };
    if let Some(origin) = origin {
        cors::expose(&mut response, origin);
    }
    response
}

/// Lets the connection keep its place, unless the request is one that is refused for its length.
fn establish(request: &Request) -> Result<(), Refusal> {
    check_length(request)?;
    match request.extensions().get::<Caller>() {
        Some(caller) if !caller.establish() => Err(refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many connections are busy; retry in a second",
        )),
        _ => Ok(()),
    }
}

/// The key that a request presents.
fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    // More than one would leave it to chance which of them a proxy has checked.
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    bearer(value.as_bytes())
}

/// The credentials of the Bearer scheme, whose name is case-insensitive (RFC 9110 section 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"bearer ";
    let scheme = value.get(..SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then(|| value[SCHEME.len()..].trim_ascii())
}

/// A command without a body and without a content type, as `curl -X POST` sends it. A page of
/// another origin may send such a one unasked, but its browser then marks it as foreign.
fn is_bare(request: &Request) -> bool {
    !request.headers().contains_key(header::CONTENT_TYPE) && request.body().is_end_stream()
}

/// Refuses by the declared length, before a byte is read.
fn check_length(request: &Request) -> Result<(), Refusal> {
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let length = declared.and_then(|value| value.to_str().ok()?.parse::<u64>().ok()).unwrap_or(0);
    if length <= BODY_BYTES_MAX as u64 || is_grpc(request.headers()) {
        return Ok(());
    }
    Err(too_large())
}

#[cfg(test)]
mod tests;
