//! Tests of the page about the REST interface.

use serde_json::{Value, json};

use super::{kind, page};

fn document() -> Value {
    let parameter = json!({ "name": "region", "in": "query", "required": true,
        "description": "A region's\nid.", "schema": { "type": "string" } });
    let reply = json!({ "schema": { "$ref": "#/components/schemas/Now" } });
    json!({
        "tags": [{ "name": "weather", "description": "Weather." }],
        "paths": { "/api/now": {
            "get": { "tags": ["weather"], "summary": "Now.", "parameters": [parameter],
                "responses": {
                    "200": { "description": "It.", "content": { "application/json": reply } },
                    "400": { "$ref": "#/components/responses/Bad" },
                } },
            "post": { "tags": ["other"], "summary": "Left out.", "responses": {} },
        } },
        "components": {
            "responses": { "Bad": { "description": "This | that." } },
            "schemas": { "Now": { "type": "object", "description": "The weather.",
                "required": ["state"],
                "properties": {
                    "rain": { "type": ["number", "null"], "minimum": 0, "maximum": 1 },
                    "state": { "type": "string", "description": "Its name." },
                } } },
        },
    })
}

#[test]
fn page_has_the_operations_of_its_tags_their_responses_and_schemas() {
    let page = page(&document());
    let (_, body) = page.split_once("\n## ").unwrap_or_default();
    assert_eq!(
        body,
        "Paths of `weather`\n\nWeather.\n\n### `GET /api/now`\n\nNow.\n\n\
         | parameter | in | type | |\n| --- | --- | --- | --- |\n\
         | `region` | query | string | A region's id. |\n\n\
         | status | | |\n| --- | --- | --- |\n| 200 | [Now](#now) | It. |\n\
         \n\
         Also [400 Bad](#responses-of-many-paths).\n\n\
         ## Responses of many paths\n\n| | |\n| --- | --- |\n| Bad | This \\| that. |\n\n\
         ## Schemas\n\nA field is required unless its type ends in `?`.\n\n\
         ### `Now`\n\nThe weather.\n\n| field | type | |\n| --- | --- | --- |\n\
         | `rain` | number, 0 to 1 `?` |  |\n| `state` | string | Its name. |\n"
    );
}

#[test]
fn types_have_their_bounds() {
    let of = |schema: Value| kind(&schema);
    assert_eq!(of(json!({ "type": "string", "maxLength": 64 })), "string (at most 64)");
    assert_eq!(of(json!({ "type": "integer", "minimum": 1 })), "integer, 1 or more");
    assert_eq!(of(json!({ "type": "string", "enum": ["a", "b"] })), "`a`, `b`");
    let list = json!({ "type": "array", "minItems": 1, "items": { "$ref": "#/x/Day" } });
    assert_eq!(of(list), "list of [Day](#day) (at least 1)");
    let texts = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    assert_eq!(of(texts), "object of string by name");
    let choice = json!({ "oneOf": [{ "$ref": "#/x/Day" }, { "type": "null" }] });
    assert_eq!(of(choice), "[Day](#day)");
}
