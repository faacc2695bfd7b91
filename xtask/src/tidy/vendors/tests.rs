//! Tests of the vendors.

use super::check;
use crate::repo::Kind::{Dev, Normal};
use crate::tidy::tests::{brief, package, service};

#[test]
fn stray_vendor_is_found_with_its_family() {
    let bus = package("crates/bus", &[("rusqlite", Dev), ("tonic-health", Normal)]);
    assert_eq!(
        brief(&check(&[bus])),
        [
            "crates/bus/Cargo.toml:0 `bus` names the vendor crate `rusqlite`",
            "crates/bus/Cargo.toml:0 `bus` names the vendor crate `tonic-health`",
        ]
    );
}

#[test]
fn vendor_is_at_home_where_the_table_says() {
    let embedded = package("crates/transport-embedded", &[("rusqlite", Normal)]);
    let rpc = package("crates/rpc", &[("tonic", Normal), ("tonic-prost", Normal)]);
    assert!(check(&[embedded, rpc]).is_empty());
}

#[test]
fn a_name_that_only_begins_alike_is_no_vendor() {
    assert!(check(&[package("crates/bus", &[("hyperloglog", Normal)])]).is_empty());
}

#[test]
fn services_have_routes_and_no_store() {
    assert!(check(&[service("crates/npc-behavior", &[("axum", Normal)])]).is_empty());
    assert_eq!(check(&[service("crates/npc-behavior", &[("rusqlite", Normal)])]).len(), 1);
}

#[test]
fn blocking_client_is_for_tests_only() {
    assert!(check(&[package("crates/cli", &[("ureq", Dev)])]).is_empty());
    assert_eq!(check(&[package("crates/cli", &[("ureq", Normal)])]).len(), 1);
}
