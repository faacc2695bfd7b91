//! Tests of the arrows.

use super::check;
use crate::repo::Kind;
use crate::tidy::tests::{brief, package};

#[test]
fn upward_arrow_is_found() {
    let bus = package("crates/bus", &[]);
    let world = package("crates/world", &[("worldbus-bus", Kind::Normal), ("libm", Kind::Normal)]);
    assert_eq!(
        brief(&check(&[bus, world])),
        ["crates/world/Cargo.toml:0 `world` may not depend on `bus` (dependencies)"]
    );
}

#[test]
fn services_do_not_know_each_other_even_in_tests() {
    let time = package("crates/time-manager", &[("worldbus-weather-manager", Kind::Dev)]);
    let weather = package("crates/weather-manager", &[]);
    assert_eq!(check(&[time, weather]).len(), 1);
}

#[test]
fn a_real_transport_is_for_tests_only() {
    let embedded = || package("crates/transport-embedded", &[]);
    let dev = package("crates/time-manager", &[("worldbus-transport-embedded", Kind::Dev)]);
    assert!(check(&[dev, embedded()]).is_empty());
    let normal = package("crates/time-manager", &[("worldbus-transport-embedded", Kind::Normal)]);
    assert_eq!(check(&[normal, embedded()]).len(), 1);
}

#[test]
fn the_build_helper_is_for_builds_only() {
    let helper = || package("crates/events-build", &[]);
    let build = package("crates/events", &[("worldbus-events-build", Kind::Build)]);
    assert!(check(&[build, helper()]).is_empty());
    let normal = package("crates/events", &[("worldbus-events-build", Kind::Normal)]);
    assert_eq!(check(&[normal, helper()]).len(), 1);
}

#[test]
fn test_kit_is_no_normal_dependency() {
    let bench = || package("crates/bench", &[]);
    let normal = package("crates/cli", &[("worldbus-bench", Kind::Normal)]);
    assert_eq!(check(&[normal, bench()]).len(), 1);
}

#[test]
fn test_kit_may_build_on_another() {
    let testkit = || package("crates/testkit", &[]);
    let bench = package("crates/bench", &[("worldbus-testkit", Kind::Normal)]);
    assert!(check(&[bench, testkit()]).is_empty());
    let cli = package("crates/cli", &[("worldbus-testkit", Kind::Normal)]);
    assert_eq!(check(&[cli, testkit()]).len(), 1);
}

#[test]
fn unknown_package_asks_for_its_line() {
    let found = check(&[package("crates/novelty", &[])]);
    assert_eq!(
        brief(&found),
        ["crates/novelty/Cargo.toml:0 `novelty` is not in the table of arrows"]
    );
}
