//! The one parameter within a path, whose refusal is a problem document: axum's own is plain text.

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::Problem;

/// The parameter of a route with one, decoded from percent encoding; a 400 if it is not UTF-8.
#[derive(Debug, Clone)]
pub struct Path(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Path {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(text)| Self(text))
            .map_err(|rejection| Problem::bad_request(format!("path: {}", rejection.body_text())))
    }
}
