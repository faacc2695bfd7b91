//! The README's service is the one in `examples/join`, which the build compiles.

#![allow(clippy::disallowed_methods, reason = "tests touch disk and clock")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

fn file(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

/// The README's only block of a language.
fn block(language: &str) -> String {
    let readme = file("README.md");
    let (_, rest) = readme.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn service_of_the_readme_is_compiled_as_it_stands_there() {
    assert_eq!(block("rust,no_run"), file("examples/join/src/main.rs"));
    let dependencies = |manifest: &str| manifest.split_once("[dependencies]").unwrap().1.to_owned();
    let here = dependencies(&file("examples/join/Cargo.toml"));
    let there = here.replace("../../crates/", "../worldbus/crates/");
    assert_eq!(dependencies(&block("toml")), there);
    assert!(block("toml").contains("edition = \"2024\""));
}
