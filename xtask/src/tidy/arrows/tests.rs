//! Tests of the arrows.

use super::{check, forbidden, unused};
use crate::repo::Kind;
use crate::tidy::tests::{brief, package, service};

#[test]
fn upward_arrow_is_found() {
    let bus = package("crates/bus", &[]);
    let world = package("crates/world", &[("worldbus-bus", Kind::Normal), ("libm", Kind::Normal)]);
    assert_eq!(
        brief(&forbidden(&[bus, world])),
        ["crates/world/Cargo.toml:0 `world` may not depend on `bus` (dependencies)"]
    );
}

#[test]
fn services_do_not_know_each_other_even_in_tests() {
    let time = service("crates/time-manager", &[("worldbus-weather-manager", Kind::Dev)]);
    let weather = service("crates/weather-manager", &[]);
    assert_eq!(forbidden(&[time, weather]).len(), 1);
}

#[test]
fn service_that_states_its_kind_needs_no_line() {
    let npc = service("crates/npc-behavior", &[("worldbus-world", Kind::Normal)]);
    let cli = package("crates/cli", &[("worldbus-npc-behavior", Kind::Normal)]);
    let world = package("crates/world", &[]);
    assert!(forbidden(&[npc, cli, world]).is_empty());
    let npc = || service("crates/npc-behavior", &[("worldbus-deploy", Kind::Normal)]);
    let deploy = package("crates/deploy", &[]);
    assert_eq!(forbidden(&[npc(), deploy]).len(), 1);
    let bus = package("crates/bus", &[("worldbus-npc-behavior", Kind::Normal)]);
    assert_eq!(forbidden(&[bus, npc()]).len(), 1);
}

#[test]
fn a_real_transport_is_for_tests_only() {
    let embedded = || package("crates/transport-embedded", &[]);
    let dev = service("crates/time-manager", &[("worldbus-transport-embedded", Kind::Dev)]);
    assert!(forbidden(&[dev, embedded()]).is_empty());
    let normal = service("crates/time-manager", &[("worldbus-transport-embedded", Kind::Normal)]);
    assert_eq!(forbidden(&[normal, embedded()]).len(), 1);
}

#[test]
fn the_build_helper_is_for_builds_only() {
    let helper = || package("crates/events-build", &[]);
    let build = package("crates/events", &[("worldbus-events-build", Kind::Build)]);
    assert!(forbidden(&[build, helper()]).is_empty());
    let normal = package("crates/events", &[("worldbus-events-build", Kind::Normal)]);
    assert_eq!(forbidden(&[normal, helper()]).len(), 1);
}

#[test]
fn test_kit_is_no_normal_dependency() {
    let bench = || package("crates/bench", &[]);
    let normal = package("crates/cli", &[("worldbus-bench", Kind::Normal)]);
    assert_eq!(forbidden(&[normal, bench()]).len(), 1);
}

#[test]
fn test_kit_may_build_on_another() {
    let testkit = || package("crates/testkit", &[]);
    let bench = package("crates/bench", &[("worldbus-testkit", Kind::Normal)]);
    assert!(forbidden(&[bench, testkit()]).is_empty());
    let cli = package("crates/cli", &[("worldbus-testkit", Kind::Normal)]);
    assert_eq!(forbidden(&[cli, testkit()]).len(), 1);
}

#[test]
fn unknown_package_asks_for_its_line() {
    let found = forbidden(&[package("crates/novelty", &[])]);
    assert_eq!(
        brief(&found),
        ["crates/novelty/Cargo.toml:0 `novelty` is not in the table of arrows"]
    );
}

#[test]
fn allowed_arrow_without_use_is_found() {
    let aws = package("crates/aws", &[]);
    let deploy = |kind| package("crates/deploy", &[("worldbus-aws", kind)]);
    assert!(check(&[deploy(Kind::Normal), aws]).is_empty());
    let what = "crates/deploy/Cargo.toml:0 `deploy` may depend on `aws` and does not";
    assert_eq!(brief(&unused(&deploy(Kind::Dev))), [what]);
    assert_eq!(brief(&check(&[package("crates/deploy", &[])])), [what]);
    let build = "crates/events/Cargo.toml:0 `events` may depend on `events-build` and does not";
    assert_eq!(brief(&unused(&package("crates/events", &[]))), [build]);
}
