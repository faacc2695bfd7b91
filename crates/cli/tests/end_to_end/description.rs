//! What a process states of itself: `/openapi.json` of all services on one port, whole and
//! unambiguous over their parts, and the commit. What outside tools make of the former is a step of
//! CI of its own.

use std::collections::HashSet;

use serde_json::Value;

use crate::support::{Service, get, run};

fn described(service: &Service) -> Value {
    get(&format!("{}/openapi.json", service.url)).unwrap().json()
}

/// Each value under a key, at any depth.
fn under<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == key {
                    found.push(member);
                }
                under(member, key, found);
            }
        }
        Value::Array(members) => members.iter().for_each(|member| under(member, key, found)),
        _ => {}
    }
}

fn operations(document: &Value) -> Vec<(&str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let mut all = Vec::new();
    for (path, item) in paths {
        all.extend(item.as_object().unwrap().values().map(|operation| (path.as_str(), operation)));
    }
    all
}

#[test]
fn commit_is_that_of_the_command_line_in_the_version_and_in_the_metrics() {
    let dir = tempfile::tempdir().unwrap();
    let bus = Service::start("event-bus", &["--data-dir", dir.path().to_str().unwrap()]);
    let ask = |path: &str| get(&format!("{}{path}", bus.url)).unwrap();
    let version = ask("/version").json();
    let commit = version["commit"].as_str().unwrap();
    let start: String = commit.chars().take(12).collect();
    assert!(run(&["--version"]).lines()[0].ends_with(&format!("({start})")), "{version}");
    assert!(ask("/metrics").text.contains(&format!("commit=\"{commit}\"")), "{version}");
}

#[test]
fn description_of_all_services_is_whole_and_unambiguous() {
    let dir = tempfile::tempdir().unwrap();
    let up = Service::start("up", &["--data-dir", dir.path().to_str().unwrap()]);
    let document = described(&up);

    let mut references = Vec::new();
    under(&document, "$ref", &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }

    let operations = operations(&document);
    let ids: HashSet<_> = operations.iter().map(|(_, one)| one["operationId"].as_str()).collect();
    assert_eq!(ids.len(), operations.len(), "operation ids are unique");
    for (path, operation) in operations {
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses.iter().filter(|(_, r)| r.get("$ref").is_none()) {
            let description = response["description"].as_str().unwrap_or_default();
            assert!(!description.is_empty(), "{path}: {status} has no description");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let in_path = path.contains(&format!("{{{}}}", parameter["name"].as_str().unwrap()));
            assert_eq!(parameter["in"] == "path", in_path, "{path}: {parameter}");
        }
    }
    up.terminate();
}

/// A balancer leads to a service what it states as its own, and all else to the event-bus.
#[test]
fn each_path_is_of_a_part_that_a_service_states() {
    let listed = run(&["services", "--format", "json"]).lines().join("\n");
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let parts = listed["services"].as_array().unwrap().iter().flat_map(|service| {
        service["api"].as_array().unwrap().iter().map(|part| part.as_str().unwrap())
    });
    // Every process gives tickets for its own streams.
    let stated: HashSet<&str> = parts.chain(["tickets"]).collect();
    let dir = tempfile::tempdir().unwrap();
    let up = Service::start("up", &["--data-dir", dir.path().to_str().unwrap()]);
    let document = described(&up);
    let paths = document["paths"].as_object().unwrap().keys();
    let served = paths.filter_map(|path| path.strip_prefix("/api/")?.split('/').next());
    assert_eq!(served.collect::<HashSet<_>>(), stated);
    up.terminate();
}

#[test]
fn browser_finds_at_the_root_what_is_where() {
    let dir = tempfile::tempdir().unwrap();
    let up = Service::start("up", &["--data-dir", dir.path().to_str().unwrap()]);
    let page = get(&format!("{}/", up.url)).unwrap();
    assert_eq!(page.status, 200);
    for path in ["/openapi.json", "/api/time/current", "/api/weather/regions", "/api/events/stats"]
    {
        assert!(page.text.contains(&format!("href=\"{path}\"")), "{path} is not in {}", page.text);
    }
    up.terminate();
}
