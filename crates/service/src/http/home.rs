//! The page at `/` for people with a browser: what is where on this port. Made of the description
//! of the routes, once, at the start; no scripts. Not the interface for programs: `/openapi.json`.

use std::fmt::Write as _;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{OpenApi, RefOr, Required};

use crate::http::describe::operations;

const HEAD: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Worldbus</title>
<style>body{font:16px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}</style>
</head><body>
"#;

const FOOT: &str = r#"<li>GET <a href="/openapi.json">/openapi.json</a>: all this for programs</li>
</ul>
<p>The documents are in the folder <code>docs</code> of the source; its <code>README.md</code> leads
there.</p>
</body></html>
"#;

/// The page as text.
pub(crate) fn page(document: &OpenApi) -> String {
    let mut page = String::from(HEAD);
    let (title, version) = (escape(&document.info.title), escape(&document.info.version));
    // Writing to a String cannot fail.
    let _ = writeln!(page, "<h1>{title}</h1>\n<p>Version {version}.</p>");
    page.push_str("<ul>\n");
    let mut paths = document.paths.paths.clone();
    for (path, item) in &mut paths {
        for (method, operation) in operations(item) {
            page.push_str(&entry(method, path, operation));
        }
    }
    page.push_str(FOOT);
    page
}

/// The page as a response; it may load and run nothing.
pub(crate) fn respond(page: String) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
    ];
    (headers, page).into_response()
}

fn entry(method: &str, path: &str, operation: &Operation) -> String {
    let (method_name, shown) = (method.to_uppercase(), escape(path));
    let shown = match method == "get" && !needs_input(operation) {
        true => format!("<a href=\"{shown}\">{shown}</a>"),
        false => format!("<code>{shown}</code>"),
    };
    let summary = escape(operation.summary.as_deref().unwrap_or_default());
    format!("<li>{method_name} {shown}: {summary}</li>\n")
}

/// Whether the path alone is not yet a request.
fn needs_input(operation: &Operation) -> bool {
    operation.parameters.iter().flatten().any(|parameter| match parameter {
        RefOr::T(parameter) => parameter.required == Required::True,
        RefOr::Ref(_) => true,
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_description_is_not_markup() {
        let mut operation = Operation::new();
        operation.summary = Some("a <b> & \"c\"".to_owned());
        let entry = entry("post", "/api/x/{id}", &operation);
        let wanted = "<code>/api/x/{id}</code>: a &lt;b&gt; &amp; &quot;c&quot;";
        assert_eq!(entry, format!("<li>POST {wanted}</li>\n"));
    }
}
