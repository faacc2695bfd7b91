//! Tests of the bill: what is linked is in it, with its origin; what is not linked is not.

use super::*;

const LOCK: &str = r#"
[[package]]
name = "http"
version = "1.3.1"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "f4a8"

[[package]]
name = "worldbus-bus"
version = "0.1.0"
dependencies = [
 "http",
]
"#;

fn package(name: &str, version: &str, license: &str) -> Value {
    json!({ "id": name, "name": name, "version": version, "license": license })
}

fn sources() -> Sources {
    let edge = |name: &str, kind: Value| json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
    let metadata = json!({
        "packages": [
            package("worldbus-bus", "0.1.0", "Apache-2.0 OR MIT"),
            package("http", "1.3.1", "MIT/Apache-2.0"),
            package("tempfile", "3.0.0", "MIT"),
        ],
        "resolve": { "nodes": [
            {
                "id": "worldbus-bus",
                "deps": [edge("http", Value::Null), edge("tempfile", json!("dev"))],
            },
            { "id": "http", "deps": [] },
            { "id": "tempfile", "deps": [edge("http", Value::Null)] },
        ] },
    });
    Sources {
        linked: linked("worldbus-bus v0.1.0 (crates/bus)\nhttp v1.3.1\nhttp v1.3.1 (*)\n"),
        metadata,
        checksums: checksums(LOCK),
        rust_version: "1.95.0".to_owned(),
        libc_version: Some("2.36".to_owned()),
    }
}

#[test]
fn what_is_linked_is_listed_with_its_origin_and_nothing_else_is() {
    let document = document(&sources(), Subject::Image).unwrap();
    let components = document["components"].as_array().unwrap();
    let names: Vec<_> = components.iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["worldbus-bus", "http", "rust-std", "glibc"]);
    assert_eq!(
        components[1],
        json!({
            "type": "library", "bom-ref": "http@1.3.1", "name": "http", "version": "1.3.1",
            "licenses": [{ "expression": "MIT OR Apache-2.0" }],
            "purl": "pkg:cargo/http@1.3.1",
            "hashes": [{ "alg": "SHA-256", "content": "f4a8" }],
        })
    );
    assert_eq!(components[0].get("purl"), None, "it is in no registry");
}

#[test]
fn an_edge_is_listed_if_both_ends_are_linked() {
    let document = document(&sources(), Subject::Image).unwrap();
    assert_eq!(
        document["dependencies"],
        json!([
            { "ref": "worldbus-bus@0.1.0", "dependsOn": ["http@1.3.1"] },
            { "ref": "http@1.3.1", "dependsOn": [] },
        ])
    );
}

#[test]
fn a_plus_in_a_version_survives_in_a_purl() {
    let key = ("zstd-sys".to_owned(), "2.0.1+zstd.1.5.2".to_owned());
    let component = component(&json!({}), &key, Some(&"00".to_owned()));
    assert_eq!(component["purl"], "pkg:cargo/zstd-sys@2.0.1%2Bzstd.1.5.2");
    assert_eq!(component["version"], "2.0.1+zstd.1.5.2");
}

#[test]
fn archive_holds_no_c_library_of_its_own() {
    let sources = Sources { libc_version: None, ..sources() };
    let document = document(&sources, Subject::Archive).unwrap();
    let names = document["components"].as_array().unwrap().iter().map(|c| c["name"].clone());
    assert_eq!(names.collect::<Vec<_>>(), ["worldbus-bus", "http", "rust-std"]);
    assert_eq!(document["metadata"]["component"]["type"], "application");
}
