//! What a client receives when a request fails: an RFC 9457 problem document. Not an error type for
//! use inside a service; a service turns its own errors into a [`Problem`] at its REST border.
//!
//! The status states whose fault it was: 4xx for what the caller did wrong (do not repeat the same
//! request), 503 for what will pass (repeat it later), 500 for a fault of ours.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::state::{self, Fate};

/// The media type of a problem document (RFC 9457 section 3).
pub const CONTENT_TYPE: &str = "application/problem+json";

/// What the type of a problem begins with; its kind follows. Names, not places: nothing is there.
const TYPE_PREFIX: &str = "urn:worldbus:problem:";

/// Every kind by status, name and title. `docs/reference/problems.md` has what a caller does about
/// each; a name never changes its meaning.
const KINDS: &[(u16, &str, &str)] = &[
    (400, "bad-request", "The request cannot be read"),
    (401, "unauthorized", "The API key is missing or wrong"),
    (403, "forbidden", "The caller may not do this"),
    (404, "not-found", "What the request names does not exist"),
    (405, "method-not-allowed", "The path does not take this method"),
    (408, "request-timeout", "The request took too long to arrive"),
    (409, "conflict", "The state does not allow it"),
    (413, "too-large", "The request is larger than a limit"),
    (415, "unsupported-media-type", "The body is not of a type that is read here"),
    (422, "invalid-value", "A value is not possible"),
    (429, "too-many-requests", "Requests come faster than they are answered"),
    (500, "internal", "A fault of the server"),
    (501, "not-supported", "This installation cannot do this"),
    (503, "unavailable", "It cannot be done now"),
];
/// 409 as well.
const LIMIT_REACHED: (&str, &str) = ("limit-reached", "There are as many as there may be");
/// 503 as well: what comes behind it is another request.
const NO_SPACE: (&str, &str) = ("no-space", "The disk is full");
const OUTCOME_UNKNOWN: (&str, &str) = ("outcome-unknown", "It may or may not have been done");

/// Bytes of a detail. Of a longer one the middle is left out, since it names what was sent, and
/// states at its end what to do.
pub const DETAIL_BYTES_MAX: usize = 1024;
/// Bytes of the name of a field; a longer one is cut.
pub const FIELD_BYTES_MAX: usize = 200;
/// Of a detail that is too long, so many bytes are of its end.
const DETAIL_END_BYTES: usize = 400;
/// In place of what is left out.
const ELLIPSIS: &str = "\u{2026}";

/// A problem document. Its `detail` is one sentence for people: what was wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// A URI that names the kind of problem: `urn:worldbus:problem:` and one of `bad-request`,
    /// `unauthorized`, `forbidden`, `not-found`, `method-not-allowed`, `request-timeout`,
    /// `conflict`, `limit-reached`, `too-large`, `unsupported-media-type`, `invalid-value`,
    /// `too-many-requests`, `internal`, `not-supported`, `unavailable`, `no-space`,
    /// `outcome-unknown`.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The kind of problem in words, the same at each occurrence.
    pub title: Cow<'static, str>,
    /// The HTTP status of the response that carries this document.
    pub status: u16,
    /// What went wrong this time, and what to do.
    pub detail: String,
    /// A URI reference of this occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub instance: Option<Box<str>>,
    /// The field of the request that was wrong, as a path: `payload.minute`, `regions[2].id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub field: Option<Box<str>>,
}

impl Problem {
    /// A problem of the kind that belongs to `status`; `about:blank` if none does.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let known = KINDS.iter().find(|(of, ..)| *of == status.as_u16());
        let (kind, title) = known.map_or_else(
            || ("about:blank".into(), status.canonical_reason().unwrap_or("Error")),
            |(_, name, title)| (format!("{TYPE_PREFIX}{name}").into(), *title),
        );
        Self {
            kind,
            title: title.into(),
            status: status.as_u16(),
            detail: shortened(detail.into()),
            instance: None,
            field: None,
        }
    }

    /// 400: the request could not be understood.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 404: what the request names does not exist.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 409: as things are it cannot be done; read the state, then decide.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// 409: a bound on how many there are is reached; the detail states how to make room.
    pub fn limit_reached(detail: impl Into<String>) -> Self {
        Self::conflict(detail).of(LIMIT_REACHED)
    }

    /// 413: the request is larger than a named limit.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    /// 422: understood, but a value is not possible (hour 25, a scale of 0).
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// 503: cannot be done now; the same request may succeed later.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// 503: the disk is full; nothing was changed. Retry once there is space.
    pub fn no_space(detail: impl Into<String>) -> Self {
        Self::unavailable(detail).of(NO_SPACE)
    }

    /// 503: it may have been done or not. Look first, or repeat only what may be done twice.
    pub fn outcome_unknown(detail: impl Into<String>) -> Self {
        Self::unavailable(detail).of(OUTCOME_UNKNOWN)
    }

    /// 500: a fault of ours. `detail` goes to the caller: put causes into the log instead.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    /// The same problem, naming the field that was wrong.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<Box<str>>) -> Self {
        let field = field.into();
        self.field = Some(match field.len() > FIELD_BYTES_MAX {
            true => format!("{}{ELLIPSIS}", start(&field, FIELD_BYTES_MAX)).into(),
            false => field,
        });
        self
    }

    fn of(mut self, (name, title): (&str, &'static str)) -> Self {
        self.kind = format!("{TYPE_PREFIX}{name}").into();
        self.title = title.into();
        self
    }

    /// The same problem, naming this occurrence.
    #[must_use]
    pub fn with_instance(mut self, instance: impl Into<Box<str>>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// The status as a type; 500 when the number is not a status.
    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

fn shortened(detail: String) -> String {
    if detail.len() <= DETAIL_BYTES_MAX {
        return detail;
    }
    let first = start(&detail, DETAIL_BYTES_MAX - DETAIL_END_BYTES - ELLIPSIS.len());
    let end = detail.ceil_char_boundary(detail.len() - DETAIL_END_BYTES);
    format!("{first}{ELLIPSIS}{}", &detail[end..])
}

fn start(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.status, self.title, self.detail)
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status_code();
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let content_type = (header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        let mut response = (status, [content_type], body).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// What a caller receives when the state store fails under its request: 503 when the same request
/// may succeed later (a full disk, another writer), else 500. The cause is for the log.
impl From<state::Error> for Problem {
    fn from(error: state::Error) -> Self {
        tracing::warn!(%error, kind = ?error.kind(), "the state store failed");
        match (error.kind(), error.fate()) {
            (state::Kind::Full, _) => Self::no_space("the disk is full; nothing was changed"),
            (_, Fate::Retry) => Self::unavailable(
                "the state's database is busy or away; nothing was changed; try again",
            ),
            (_, Fate::Unknown) => Self::outcome_unknown(
                "the state store failed; the change may or may not have been made: look first",
            ),
            (_, Fate::Refused) => Self::internal("the state store refused; see the log"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn failing_state_is_reported_by_its_fate() {
        let status = |kind| Problem::from(state::Error::new(kind, "state.db: secret path")).status;
        assert_eq!(status(state::Kind::Full), 503);
        assert_eq!(status(state::Kind::Busy), 503);
        assert_eq!(status(state::Kind::Io), 503);
        assert_eq!(status(state::Kind::Damaged), 500);
        let kind = |kind| Problem::from(state::Error::new(kind, "state.db")).kind;
        assert_eq!(kind(state::Kind::Full), "urn:worldbus:problem:no-space");
        assert_eq!(kind(state::Kind::Io), "urn:worldbus:problem:outcome-unknown");
    }

    #[test]
    fn every_kind_has_one_name_a_title_and_a_line_in_the_documents() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/problems.md");
        let page = std::fs::read_to_string(page).unwrap();
        let more = [(409, LIMIT_REACHED), (503, NO_SPACE), (503, OUTCOME_UNKNOWN)];
        let more = more.map(|(status, (name, title))| (status, name, title));
        let (mut names, mut titles) = (BTreeSet::new(), BTreeSet::new());
        for (status, name, title) in KINDS.iter().copied().chain(more) {
            assert!(names.insert(name) && titles.insert(title), "{name} is there twice");
            let line = format!("| `{name}` | {status} | {title}");
            assert!(page.contains(&line), "`{line}` is not in docs/reference/problems.md");
        }
        let described = page.lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(described, names.len(), "docs/reference/problems.md has others, too");
    }

    #[test]
    fn long_text_from_outside_is_cut_and_what_to_do_is_kept() {
        for letter in ["f", "\u{e9}", "\u{1f600}"] {
            let sent = letter.repeat(900_000);
            let detail = format!("unknown field `{sent}`; expected `hour`");
            let problem = Problem::unprocessable(detail).with_field(sent);
            let Problem { detail, field, .. } = problem;
            assert!(detail.len() <= DETAIL_BYTES_MAX, "{} bytes", detail.len());
            assert!(detail.len() > DETAIL_BYTES_MAX - 8, "{} bytes", detail.len());
            assert!(detail.starts_with("unknown field `") && detail.ends_with("expected `hour`"));
            assert!(field.unwrap().len() <= FIELD_BYTES_MAX + ELLIPSIS.len());
        }
        let fits = "x".repeat(DETAIL_BYTES_MAX);
        assert_eq!(Problem::conflict(fits.clone()).detail, fits);
    }

    #[test]
    fn unavailable_asks_to_come_again_and_members_that_are_not_set_are_left_out() {
        let response = Problem::unavailable("later").into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        let plain = serde_json::to_value(Problem::conflict("changed")).unwrap();
        assert_eq!(plain.as_object().unwrap().len(), 4);
        let full = Problem::conflict("changed").with_field("hour").with_instance("/api/time/set");
        let full = serde_json::to_value(full).unwrap();
        assert_eq!((&full["field"], &full["instance"]), (&"hour".into(), &"/api/time/set".into()));
        assert_eq!(full["type"], "urn:worldbus:problem:conflict");
    }
}
