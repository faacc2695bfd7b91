//! The description of the REST interface at `/openapi.json`: what the parts say of their routes,
//! completed with what holds for every route: operation ids, the answers of access and extractors,
//! the media type of problems. Not here: the routes, and the page for people (`home`).
//!
//! A part describes what is special to its routes (the 200, a 404, a 409); whatever the host or an
//! extractor answers is in [`SHARED`], once.

mod process;

use utoipa::PartialSchema as _;
use utoipa::openapi::path::{Operation, Parameter, PathItem};
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ComponentsBuilder, Content, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
    Response, ResponseBuilder, Schema, Server,
};

use crate::Problem;
use crate::http::problem;
use crate::observe::health::Version;

const ABOUT: &str = "The REST interface of a Worldbus process: the event bus, the clock and the \
    weather of a game world, as far as this process runs them. Errors are problem documents \
    (RFC 9457) whose `detail` says what to do. Query parameters and fields that are not described \
    are refused.";
const KEY: &str = "The API key of the server (WORLDBUS_API_KEY). A server on loopback may run \
    without one; it then answers to programs of its own machine only.";
const SCHEME: &str = "bearer";

/// Which operations an answer is documented at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occurs {
    /// All that are behind the access check.
    Always,
    /// Those with parameters or a body.
    WithInput,
    /// Those with a body.
    WithBody,
}

/// The answers that the host and its extractors give: status, name, text.
const SHARED: [(&str, &str, &str, Occurs); 10] = [
    (
        "400",
        "BadRequest",
        "The path, the query or the body could not be read; `field` names the part at fault.",
        Occurs::WithInput,
    ),
    ("401", "Unauthorized", "The API key is missing or wrong.", Occurs::Always),
    (
        "403",
        "Forbidden",
        "A server without an API key refused a request that may come from a web page.",
        Occurs::Always,
    ),
    ("408", "RequestTimeout", "The body did not arrive in time.", Occurs::WithBody),
    ("413", "TooLarge", "The body is larger than 1 MiB.", Occurs::WithBody),
    ("415", "UnsupportedMediaType", "Send the body as `application/json`.", Occurs::WithBody),
    ("422", "Unprocessable", "A value is invalid; `field` names it.", Occurs::WithBody),
    (
        "429",
        "TooManyRequests",
        "Too many wrong keys came from this address; retry after a second.",
        Occurs::Always,
    ),
    ("500", "InternalError", "A fault of the server; its log says more.", Occurs::Always),
    ("503", "Unavailable", "Not possible now; the same request may succeed later.", Occurs::Always),
];

/// The description of one port: that of its parts, completed.
pub(crate) fn document(
    version: &Version,
    key_required: bool,
    parts: impl IntoIterator<Item = OpenApi>,
) -> OpenApi {
    let mut document = frame(version, key_required);
    for part in parts.into_iter().chain([process::openapi()]) {
        let shared = collisions(&document, &part);
        debug_assert!(shared.is_empty(), "schemas of two parts share a name: {shared:?}");
        document.merge(part);
    }
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            complete(method, path, operation);
        }
    }
    document
}

/// The operations of a path, by method.
pub(crate) fn operations(
    item: &mut PathItem,
) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// All but the operations.
fn frame(version: &Version, key_required: bool) -> OpenApi {
    let info = InfoBuilder::new()
        .title(version.name.clone())
        .version(version.version)
        .description(Some(ABOUT))
        .build();
    let key = SecurityRequirement::new(SCHEME, [] as [&str; 0]);
    let security = match key_required {
        true => vec![key],
        false => vec![SecurityRequirement::default(), key],
    };
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new("/")]))
        .security(Some(security))
        .components(Some(components()))
        .build()
}

fn components() -> Components {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(KEY)).build();
    let components = ComponentsBuilder::new()
        .schema("Problem", Problem::schema())
        .security_scheme(SCHEME, SecurityScheme::Http(bearer));
    let responses = SHARED.into_iter().map(|(_, name, text, _)| {
        let response = ResponseBuilder::new().description(text);
        (name.to_owned(), response.content(problem::CONTENT_TYPE, problem_content()).build())
    });
    components.responses_from_iter(responses).build()
}

/// Schemas that both describe, differently: a merge keeps only one of them.
fn collisions(document: &OpenApi, part: &OpenApi) -> Vec<String> {
    let (Some(known), Some(new)) = (&document.components, &part.components) else {
        return Vec::new();
    };
    let differs = |(name, schema): (&String, &RefOr<_>)| {
        known.schemas.get(name).is_some_and(|other| other != schema).then(|| name.clone())
    };
    new.schemas.iter().filter_map(differs).collect()
}

fn complete(method: &str, path: &str, operation: &mut Operation) {
    operation.operation_id = Some(operation_id(method, path));
    let open = operation.security.is_some();
    operation.parameters.iter_mut().flatten().for_each(strip_null);
    let has_body = operation.request_body.is_some();
    let has_input = has_body || operation.parameters.as_ref().is_some_and(|all| !all.is_empty());
    let responses = &mut operation.responses.responses;
    for (status, response) in responses.iter_mut() {
        if let (true, RefOr::T(response)) = (is_error(status), response) {
            declare_problem(response);
        }
    }
    for (status, name, _, occurs) in SHARED {
        let documented = match occurs {
            Occurs::Always => !open,
            Occurs::WithInput => has_input,
            Occurs::WithBody => has_body,
        };
        if documented && !responses.contains_key(status) {
            let reference = RefOr::Ref(Ref::from_response_name(name));
            responses.insert(status.to_owned(), reference);
        }
    }
}

/// `getTimeSchedules` for `GET /api/time/schedules`: unique, as method and path are.
fn operation_id(method: &str, path: &str) -> String {
    let path = path.strip_prefix("/api").unwrap_or(path);
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(method.to_owned(), |mut id, word| {
        let (first, rest) = word.split_at(1);
        id.push_str(&first.to_ascii_uppercase());
        id.push_str(rest);
        id
    })
}

/// A parameter may be left out, but there is no way to send a null in a query.
fn strip_null(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(Parameter { schema: Some(RefOr::T(schema)), .. }) = parameter else { return };
    let schema_type = match schema {
        Schema::Object(object) => &mut object.schema_type,
        Schema::Array(array) => &mut array.schema_type,
        _ => return,
    };
    if let SchemaType::Array(types) = schema_type {
        types.retain(|one| *one != Type::Null);
        if let [one] = types.as_slice() {
            *schema_type = SchemaType::Type(one.clone());
        }
    }
}

fn is_error(status: &str) -> bool {
    status.starts_with(['4', '5'])
}

/// An error is a problem document, unless it is described as another media type than JSON.
fn declare_problem(response: &mut Response) {
    if response.content.keys().all(|media_type| media_type == "application/json") {
        response.content.clear();
        let content = RefOr::T(problem_content());
        response.content.insert(problem::CONTENT_TYPE.to_owned(), content);
    }
}

fn problem_content() -> Content {
    Content::new(Some(Ref::from_schema_name("Problem")))
}

#[cfg(test)]
mod tests;
