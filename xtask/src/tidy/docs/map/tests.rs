//! Tests of the map.

use super::check;
use crate::tidy::tests::{brief, file, package};

fn faults_of(map: &str) -> Vec<String> {
    let files = [
        file("ARCHITECTURE.md", map),
        file("crates/bus/src/lib.rs", "//! Bus.\n#[test]\nfn holds() {}\n"),
    ];
    let exists = |path: &str| ["crates/bus", "crates/bus/src/lib.rs", "deny.toml"].contains(&path);
    brief(&check(&[package("crates/bus", &[])], &files, &exists))
}

#[test]
fn truthful_map_passes() {
    let map = "`crates/bus` is held by `crates/bus/src/lib.rs::holds`; see `deny.toml`,\n\
               `POST /api/time/set`, `application/json`, `kind + source`, `embedded:DIR`.\n";
    assert!(faults_of(map).is_empty());
}

#[test]
fn unnamed_package_is_found() {
    assert_eq!(
        faults_of("Nothing about bus.\n"),
        ["ARCHITECTURE.md:0 does not name the package `crates/bus`"]
    );
}

#[test]
fn path_that_is_gone_is_found() {
    assert_eq!(
        faults_of("`crates/bus`\n\n`docs/gone.md` and `GONE.md`\n"),
        [
            "ARCHITECTURE.md:3 names `docs/gone.md`, which does not exist",
            "ARCHITECTURE.md:3 names `GONE.md`, which does not exist",
        ]
    );
}

#[test]
fn invariant_whose_test_is_gone_is_found() {
    assert_eq!(
        faults_of("`crates/bus`: `crates/bus/src/lib.rs::was_renamed`\n"),
        ["ARCHITECTURE.md:1 names the function `was_renamed`, which `crates/bus/src/lib.rs` \
          does not have"]
    );
}

#[test]
fn missing_map_is_found() {
    assert_eq!(brief(&check(&[], &[], &|_| true)), ["ARCHITECTURE.md:0 does not exist"]);
}
