//! Tickets: what a browser's `EventSource` presents in place of the key, since it cannot send
//! headers. The key's holder gets one with `POST /api/tickets`; it opens one stream once, as the
//! query parameter `ticket`, and soon expires. The access rules take it out of the request, so
//! that nothing behind them can log it. A request that is refused gives it back.
//!
//! Once, not a few times: an URL ends up in histories and in logs of proxies. A page whose stream
//! broke off gets another ticket and goes on by `cursor`.
//!
//! Not signed tokens: those could be spent again at each instance of a service. A ticket holds at
//! the instance that gave it.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{StatusCode, Uri, header};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::OpenApi as _;

use crate::{Json, NoQuery, Query};

/// How long a ticket is good.
pub const TICKET_MS_MAX: u64 = 30_000;
/// Tickets that are good at once.
pub const TICKET_COUNT_MAX: usize = 1024;
/// Random bytes of a ticket.
const TICKET_BYTES: usize = 32;
/// The query parameter.
const PARAMETER: &str = "ticket";

/// The tickets that are good, each with its end; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Tickets(Arc<Mutex<HashMap<String, Instant>>>);

/// A ticket on its way to its stream: no other request can spend it meanwhile.
pub(super) struct Spent {
    text: String,
    end: Instant,
}

/// In place of the key, for one stream of server-sent events.
#[derive(Serialize, utoipa::ToSchema)]
struct Ticket {
    /// The query parameter `ticket` of the stream.
    ticket: String,
    /// How long it is good, in milliseconds.
    expires_in_ms: u64,
}

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(issue),
    tags((name = "access", description = "Tickets in place of the key, for event streams."))
)]
struct Description;

impl Tickets {
    /// A ticket; `None` when there are as many as may be, or no chance to be had.
    fn issue(&self, now: Instant) -> Option<String> {
        let mut bytes = [0; TICKET_BYTES];
        getrandom::fill(&mut bytes).ok()?;
        let mut text = String::with_capacity(2 * TICKET_BYTES);
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        let mut good = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if good.len() >= TICKET_COUNT_MAX {
            good.retain(|_, end| *end > now);
        }
        if good.len() >= TICKET_COUNT_MAX {
            return None;
        }
        good.insert(text.clone(), now + Duration::from_millis(TICKET_MS_MAX));
        Some(text)
    }

    /// The ticket, if it is good; from now on it is not.
    pub(super) fn spend(&self, text: String, now: Instant) -> Option<Spent> {
        let mut good = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let end = good.remove(&text).filter(|end| *end > now)?;
        Some(Spent { text, end })
    }

    /// Makes a ticket good again that opened no stream, as long as it would have been.
    pub(super) fn give_back(&self, spent: Spent) {
        let mut good = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if good.len() < TICKET_COUNT_MAX {
            good.insert(spent.text, spent.end);
        }
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tickets(********)")
    }
}

/// The route that gives tickets, and its description.
pub(crate) fn routes(tickets: Tickets) -> (Router, utoipa::openapi::OpenApi) {
    let router = Router::new().route("/api/tickets", post(issue)).with_state(tickets);
    (router, Description::openapi())
}

/// Gives a ticket: in place of the key it opens one stream, for a browser's EventSource.
#[utoipa::path(post, path = "/api/tickets", tag = "access",
    responses((status = 200, description = "The ticket.", body = Ticket)))]
async fn issue(State(tickets): State<Tickets>, Query(NoQuery {}): Query<NoQuery>) -> Response {
    match tickets.issue(Instant::now()) {
        Some(ticket) => {
            let ticket = Json(Ticket { ticket, expires_in_ms: TICKET_MS_MAX });
            ([(header::CACHE_CONTROL, "no-store")], ticket).into_response()
        }
        None => {
            let detail = "too many tickets are unspent; retry when some have expired";
            super::refuse(&http::HeaderMap::new(), StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }
}

/// Takes the ticket out of a URI's query. `None` if it has none, or several.
pub(super) fn take(uri: &mut Uri) -> Option<String> {
    let query = uri.query()?;
    let value = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        (name == PARAMETER).then(|| value.to_owned())
    };
    let mut tickets = query.split('&').filter_map(value);
    let ticket = tickets.next()?;
    let is_only = tickets.next().is_none();
    let others: Vec<&str> = query.split('&').filter(|pair| value(pair).is_none()).collect();
    let mut rest = uri.path().to_owned();
    if !others.is_empty() {
        rest = format!("{rest}?{}", others.join("&"));
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(rest.parse().ok()?);
    *uri = Uri::from_parts(parts).ok()?;
    is_only.then_some(ticket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticket_is_good_once_and_until_its_end() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        let end = now + Duration::from_millis(TICKET_MS_MAX);
        let (first, second) = (tickets.issue(now).unwrap(), tickets.issue(now).unwrap());
        assert_ne!(first, second);
        let is_good = |text: &str, now| tickets.spend(text.to_owned(), now).is_some();
        assert!(is_good(&first, now) && !is_good(&first, now) && !is_good("", now));
        assert!(!format!("{tickets:?}").contains(&second));
        let spent = tickets.spend(second.clone(), now).unwrap();
        assert!(!is_good(&second, now));
        tickets.give_back(spent);
        assert!(!is_good(&second, end));
    }

    #[test]
    fn unspent_tickets_are_bounded_until_they_expire() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        assert!((0..TICKET_COUNT_MAX).all(|_| tickets.issue(now).is_some()));
        assert!(tickets.issue(now).is_none());
        assert!(tickets.issue(now + Duration::from_millis(TICKET_MS_MAX)).is_some());
    }

    #[test]
    fn ticket_is_taken_out_of_the_query() {
        let cases = [
            ("/s?ticket=a&topic=time", Some("a"), "/s?topic=time"),
            ("http://h:1/s?topic=a%26b&ticket=x", Some("x"), "http://h:1/s?topic=a%26b"),
            ("/s?ticket=a", Some("a"), "/s"),
            ("/s?ticket=a&ticket=b", None, "/s"),
            ("/s?topic=ticket", None, "/s?topic=ticket"),
            ("/s", None, "/s"),
        ];
        for (text, ticket, rest) in cases {
            let mut uri: Uri = text.parse().unwrap();
            assert_eq!(take(&mut uri).as_deref(), ticket, "{text}");
            assert_eq!(uri.to_string(), rest);
        }
    }
}
