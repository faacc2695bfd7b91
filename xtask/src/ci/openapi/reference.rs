//! `docs/reference/rest.md`: the description of the REST interface as a page for people.
//!
//! A pure function from the OpenAPI document, which the server makes of the code that answers. Not
//! a renderer of any document: it knows the parts of OpenAPI 3.1 that ours uses.

use serde_json::Value;

const HEAD: &str = "# REST

Every path of `worldbus up`. A service that runs alone has those of its part and of the process. For
programs the same is at `/openapi.json`, as OpenAPI 3.1, which generators of clients read.

Bodies are JSON (`content-type: application/json`). A request that fails is answered by a
[problem document](problems.md). Beyond loopback each request carries `authorization: Bearer KEY`:
[Access](access.md). Query parameters and fields that are not described are refused. The items of a
list in a query are separated by commas.

This page is generated: `cargo xtask rest-reference`.
";

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The whole page.
pub(super) fn page(document: &Value) -> String {
    let mut page = HEAD.to_owned();
    for tag in elements(&document["tags"]) {
        page +=
            &format!("\n## Paths of `{}`\n\n{}\n", text(&tag["name"]), line(&tag["description"]));
        page += &operations(document, text(&tag["name"]));
    }
    page += "\n## Responses of many paths\n\n| | |\n| --- | --- |\n";
    for (name, response) in entries(&document["components"]["responses"]) {
        page += &format!("| {name} | {} |\n", cell(&response["description"]));
    }
    page += "\n## Schemas\n\nA field is required unless its type ends in `?`.\n";
    for (name, schema) in entries(&document["components"]["schemas"]) {
        page += &format!("\n### `{name}`\n\n{}", described(schema));
    }
    page
}

fn operations(document: &Value, tag: &str) -> String {
    let mut part = String::new();
    for (path, item) in entries(&document["paths"]) {
        for method in METHODS {
            let operation = &item[method];
            if elements(&operation["tags"]).any(|of| text(of) == tag) {
                part += &format!("\n### `{} {path}`\n\n", method.to_uppercase());
                part += &described_operation(operation);
            }
        }
    }
    part
}

fn described_operation(operation: &Value) -> String {
    let mut part = format!("{}\n", line(&operation["summary"]));
    let mut parameters = elements(&operation["parameters"]).peekable();
    if parameters.peek().is_some() {
        part += "\n| parameter | in | type | |\n| --- | --- | --- | --- |\n";
    }
    for parameter in parameters {
        let optional = mark(parameter["required"] == true);
        part += &format!(
            "| `{}` | {} | {}{optional} | {} |\n",
            text(&parameter["name"]),
            text(&parameter["in"]),
            kind(&parameter["schema"]),
            cell(&parameter["description"]),
        );
    }
    for (_, content) in entries(&operation["requestBody"]["content"]) {
        part += &format!("\nBody: {}\n", kind(&content["schema"]));
    }
    part += "\n| status | | |\n| --- | --- | --- |\n";
    let mut common = Vec::new();
    for (status, response) in entries(&operation["responses"]) {
        match response["$ref"].as_str() {
            Some(reference) => common.push(format!("{status} {}", last(reference))),
            None => part += &format!("| {status} | {} |\n", answer(response)),
        }
    }
    if !common.is_empty() {
        part += &format!("\nAlso [{}](#responses-of-many-paths).\n", common.join(", "));
    }
    part
}

/// The two cells of a response: what it holds and what it means.
fn answer(response: &Value) -> String {
    let contents = entries(&response["content"]).map(|(media, content)| match media {
        "application/json" | "application/problem+json" => kind(&content["schema"]),
        media => format!("{} as `{media}`", kind(&content["schema"])),
    });
    let contents: Vec<String> = contents.collect();
    format!("{} | {}", contents.join(", "), cell(&response["description"]))
}

/// What stands under the heading of a schema.
fn described(schema: &Value) -> String {
    let mut part = format!("{}\n", line(&schema["description"]));
    if schema["oneOf"].is_array() {
        part += "\nOne of:\n";
    }
    for choice in elements(&schema["oneOf"]) {
        let words = line(&choice["description"]);
        part +=
            &format!("\n- {}{}{words}\n", kind(choice), if words.is_empty() { "" } else { ": " });
        part += &fields(choice);
    }
    for included in elements(&schema["allOf"]) {
        match included["$ref"].as_str() {
            Some(_) => part += &format!("\nThe fields of {}, and:\n", kind(included)),
            None => part += &fields(included),
        }
    }
    let fields = fields(schema);
    if fields.is_empty() && schema["oneOf"].is_null() && schema["allOf"].is_null() {
        part += &format!("\nType: {}\n", kind(schema));
    }
    part + &fields
}

/// The table of an object's own fields.
fn fields(schema: &Value) -> String {
    let mut table = String::new();
    for (name, field) in entries(&schema["properties"]) {
        let is_required = elements(&schema["required"]).any(|of| text(of) == name);
        let optional = mark(is_required && !is_nullable(field));
        let words = match cell(&field["description"]) {
            words if words.is_empty() => {
                elements(&field["oneOf"]).map(|of| cell(&of["description"])).collect()
            }
            words => words,
        };
        table += &format!("| `{name}` | {}{optional} | {words} |\n", kind(field));
    }
    if table.is_empty() {
        table
    } else {
        format!("\n| field | type | |\n| --- | --- | --- |\n{table}")
    }
}

/// A type in few words, with its bounds.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().map(last) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    let choices = elements(&schema["oneOf"]).chain(elements(&schema["allOf"]));
    let choices: Vec<String> = choices.filter(|of| of["type"] != "null").map(kind).collect();
    if !choices.is_empty() {
        return choices.join(" or ");
    }
    let values = elements(&schema["enum"]).map(|value| format!("`{}`", text(value)));
    let values: Vec<String> = values.collect();
    if !values.is_empty() {
        return values.join(", ");
    }
    let types = elements(&schema["type"]).chain([&schema["type"]]).filter_map(Value::as_str);
    let types: Vec<&str> = types.filter(|of| *of != "null").collect();
    match types.join(" or ").as_str() {
        "" => "any".to_owned(),
        "array" => format!("list of {}{}", kind(&schema["items"]), bounds(schema, "Items")),
        "object" if schema["additionalProperties"].is_object() => {
            format!("object of {} by name", kind(&schema["additionalProperties"]))
        }
        types => format!("{types}{}{}", bounds(schema, "Length"), range(schema)),
    }
}

/// How many items or characters there may be.
fn bounds(schema: &Value, of: &str) -> String {
    match (&schema[format!("min{of}")], &schema[format!("max{of}")]) {
        (Value::Null, Value::Null) => String::new(),
        (min, Value::Null) => format!(" (at least {min})"),
        (Value::Null, max) => format!(" (at most {max})"),
        (min, max) => format!(" ({min} to {max})"),
    }
}

fn range(schema: &Value) -> String {
    match (&schema["minimum"], &schema["maximum"]) {
        (Value::Null, Value::Null) => String::new(),
        (min, Value::Null) => format!(", {min} or more"),
        (Value::Null, max) => format!(", up to {max}"),
        (min, max) => format!(", {min} to {max}"),
    }
}

fn is_nullable(schema: &Value) -> bool {
    elements(&schema["type"]).any(|of| of == "null")
        || elements(&schema["oneOf"]).any(|of| of["type"] == "null")
}

/// What stands behind the type of what may be left out.
fn mark(is_required: bool) -> &'static str {
    if is_required { "" } else { " `?`" }
}

fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A text on one line.
fn line(value: &Value) -> String {
    text(value).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text in a cell of a table.
fn cell(value: &Value) -> String {
    line(value).replace('|', "\\|")
}

/// The name that a reference leads to.
fn last(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

#[cfg(test)]
mod tests;
