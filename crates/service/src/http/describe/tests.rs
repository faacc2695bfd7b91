//! Tests of the description: complete for each operation, and unambiguous over parts.
#![allow(dead_code, reason = "routes and shapes of the tests are only described")]

use serde_json::{Value, json};
use utoipa::OpenApi as _;

use super::*;

#[derive(utoipa::ToSchema)]
struct Body {
    text: String,
}

#[utoipa::path(get, path = "/api/one",
    params(("limit" = Option<u32>, Query, description = "How many.")),
    responses((status = 200, description = "One.")))]
fn one() {}

#[utoipa::path(post, path = "/api/one/{id}", request_body = Body,
    params(("id" = String, Path, description = "Which.")),
    responses((status = 200, description = "Done."), (status = 404, description = "Unknown."),
        (status = 409, description = "Not now.", body = Problem)))]
fn two() {}

#[derive(utoipa::OpenApi)]
#[openapi(paths(one, two))]
struct Part;

mod other {
    #[derive(utoipa::ToSchema)]
    pub(super) struct Body {
        number: i64,
    }

    #[utoipa::path(post, path = "/api/other", request_body = Body,
        responses((status = 200, description = "Done.")))]
    pub(super) fn other() {}
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(other::other))]
struct Other;

fn described(key_required: bool) -> Value {
    let document = document(&Version::of("test"), key_required, [Part::openapi()]);
    serde_json::to_value(document).unwrap()
}

fn statuses(operation: &Value) -> Vec<&str> {
    operation["responses"].as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn each_operation_lists_what_access_and_extractors_answer() {
    let document = described(false);
    let get = &document["paths"]["/api/one"]["get"];
    assert_eq!(statuses(get), ["200", "400", "401", "403", "429", "500", "503"]);
    let post = &document["paths"]["/api/one/{id}"]["post"];
    let wanted =
        ["200", "400", "401", "403", "404", "408", "409", "413", "415", "422", "429", "500", "503"];
    assert_eq!(statuses(post), wanted);
    assert_eq!(post["responses"]["413"]["$ref"], "#/components/responses/TooLarge");
    for (_, name, _, _) in SHARED {
        let response = &document["components"]["responses"][name];
        assert!(response["content"]["application/problem+json"].is_object(), "{name}");
    }
}

#[test]
fn error_of_a_route_is_a_problem_document() {
    let document = described(false);
    let responses = &document["paths"]["/api/one/{id}"]["post"]["responses"];
    let schema = json!({"schema": {"$ref": "#/components/schemas/Problem"}});
    for (status, description) in [("404", "Unknown."), ("409", "Not now.")] {
        let content = json!({ "application/problem+json": schema });
        let wanted = json!({"description": description, "content": content});
        assert_eq!(responses[status], wanted);
    }
}

#[test]
fn operation_ids_follow_method_and_path() {
    let document = described(false);
    assert_eq!(document["paths"]["/api/one"]["get"]["operationId"], "getOne");
    assert_eq!(document["paths"]["/api/one/{id}"]["post"]["operationId"], "postOneId");
    assert_eq!(operation_id("get", "/openapi.json"), "getOpenapiJson");
}

#[test]
fn key_is_required_or_optional_as_on_the_port() {
    assert_eq!(described(true)["security"], json!([{"bearer": []}]));
    assert_eq!(described(false)["security"], json!([{}, {"bearer": []}]));
    assert_eq!(described(true)["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
}

#[test]
fn schemas_of_two_parts_with_one_name_and_two_shapes_are_found() {
    let first = document(&Version::of("test"), false, [Part::openapi()]);
    assert_eq!(collisions(&first, &Part::openapi()), [] as [String; 0]);
    assert_eq!(collisions(&first, &Other::openapi()), ["Body"]);
}

#[test]
fn parameter_of_a_query_is_never_null() {
    let document = described(false);
    let limit = &document["paths"]["/api/one"]["get"]["parameters"][0];
    assert_eq!((&limit["required"], &limit["schema"]["type"]), (&json!(false), &json!("integer")));
}
