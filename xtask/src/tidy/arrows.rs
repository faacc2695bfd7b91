//! Who may depend on whom, from `cargo metadata`.
//!
//! The tables below are the architecture. A new arrow is a line here, a line in ARCHITECTURE.md and
//! a commit of its own. Dependencies on outside crates are the business of `vendors`.

use super::{Violation, short};
use crate::repo::{Dependency, Kind, Package};

/// The program that composes the services.
const PROGRAM: &str = "cli";

/// What a package may depend on, by short names.
struct Arrows<'a> {
    of: &'a str,
    normal: &'static [&'static str],
    build: &'static [&'static str],
}

const fn arrows(of: &'static str, normal: &'static [&'static str]) -> Arrows<'static> {
    Arrows { of, normal, build: &[] }
}

const ALLOWED: &[Arrows<'static>] = &[
    arrows("events-build", &[]),
    Arrows { of: "events", normal: &[], build: &["events-build"] },
    arrows("aws", &[]),
    arrows("deploy", &["aws"]),
    arrows("cost", &["deploy"]),
    arrows("files", &[]),
    arrows("bus", &["events"]),
    arrows("conformance", &["bus", "events"]),
    arrows("rpc", &["bus", "events"]),
    arrows("transport-embedded", &["bus", "events", "files"]),
    arrows("transport-remote", &["bus", "events", "rpc"]),
    arrows("transport-sns-sqs", &["aws", "bus", "events"]),
    arrows("world", &[]),
    arrows("climate", &["world"]),
    arrows("population", &["world"]),
    arrows("service", &["bus", "files"]),
    arrows("simulated", &["bus", "events", "service", "world"]),
    arrows("postgres", &["bus", "service"]),
    arrows("state-dynamodb", &["aws", "bus", "service"]),
    arrows("testkit", &["bus", "events", "service", "transport-embedded", "world"]),
    arrows("event-bus", &["bus", "events", "rpc", "service"]),
    arrows(
        "worldbus",
        &["bus", "events", "transport-embedded", "transport-remote", "transport-sns-sqs"],
    ),
    arrows(
        "cli",
        &[
            "bus",
            "climate",
            "cost",
            "deploy",
            "event-bus",
            "events",
            "population",
            "postgres",
            "rpc",
            "service",
            "simulated",
            "state-dynamodb",
            "transport-embedded",
            "transport-sns-sqs",
            "world",
            "worldbus",
        ],
    ),
    arrows("bench", &["testkit", "world", "worldbus"]),
    arrows("counts", &["events"]),
    arrows("join", &["worldbus"]),
    Arrows { of: "studio", normal: &["worldbus"], build: &["events-build"] },
    Arrows {
        of: "tide",
        normal: &["bus", "events", "service", "simulated", "world"],
        build: &["events-build"],
    },
    arrows("xtask", &[]),
];

/// What a service of a world may depend on; `cli` may depend on every one of these services, and
/// none of them on another.
const OF_SERVICES: &[&str] =
    &["bus", "events", "population", "postgres", "rpc", "service", "simulated", "world"];

/// Packages that exist for tests: under dev-dependencies only, but for those of each other.
const TEST_KITS: &[&str] = &["bench", "conformance", "testkit"];

/// What any package may use in its tests besides its own arrows: the test kits, a real
/// transport to run against, and the build helper to make a studio's catalogue.
const FOR_TESTS: &[&str] = &[
    "bench",
    "conformance",
    "events-build",
    "testkit",
    "transport-embedded",
    "transport-remote",
    "worldbus",
];

/// Every arrow between workspace packages is in the tables, and every arrow of the tables is used.
pub(super) fn check(packages: &[Package]) -> Vec<Violation> {
    let mut violations = forbidden(packages);
    violations.extend(packages.iter().flat_map(unused));
    violations
}

fn forbidden(packages: &[Package]) -> Vec<Violation> {
    packages.iter().flat_map(|package| check_package(package, packages)).collect()
}

/// What a package may depend on and does not.
fn unused(package: &Package) -> Vec<Violation> {
    let of = short(&package.folder);
    let has = |to: &str, kind: Kind| {
        let mut dependencies = package.dependencies.iter();
        dependencies.any(|arrow| arrow.kind == kind && short_name(&arrow.name) == to)
    };
    let Some(allowed) = ALLOWED.iter().find(|allowed| allowed.of == of) else { return Vec::new() };
    let normal = allowed.normal.iter().filter(|to| !has(to, Kind::Normal));
    let build = allowed.build.iter().filter(|to| !has(to, Kind::Build));
    let describe = |to: &&str| Violation {
        file: format!("{}/Cargo.toml", package.folder),
        line: None,
        what: format!("`{of}` may depend on `{to}` and does not"),
        mend: "take the arrow out of xtask/src/tidy/arrows.rs".to_owned(),
    };
    normal.chain(build).map(describe).collect()
}

fn check_package(package: &Package, packages: &[Package]) -> Vec<Violation> {
    let of = short(&package.folder);
    let own = ALLOWED.iter().find(|allowed| allowed.of == of);
    let allowed = match own {
        Some(own) => Arrows { ..*own },
        None if package.is_service => Arrows { of, normal: OF_SERVICES, build: &[] },
        None => return vec![violation(package, format!("`{of}` is not in the table of arrows"))],
    };
    let ours = |dependency: &Dependency| packages.iter().find(|p| p.name == dependency.name);
    let arrows = package
        .dependencies
        .iter()
        .filter(|arrow| ours(arrow).is_some_and(|to| !(of == PROGRAM && to.is_service)));
    let forbidden = arrows.filter(|arrow| !is_allowed(&allowed, arrow));
    let describe = |arrow: &Dependency| {
        let to = short_name(&arrow.name);
        violation(package, format!("`{of}` may not depend on `{to}` ({})", heading(arrow.kind)))
    };
    forbidden.map(describe).collect()
}

fn is_allowed(allowed: &Arrows<'_>, arrow: &Dependency) -> bool {
    let to = short_name(&arrow.name);
    let is_kit = |package| TEST_KITS.contains(&package);
    let normal = allowed.normal.contains(&to) && (!is_kit(to) || is_kit(allowed.of));
    match arrow.kind {
        Kind::Normal => normal,
        Kind::Dev => normal || FOR_TESTS.contains(&to) || allowed.build.contains(&to),
        Kind::Build => allowed.build.contains(&to),
    }
}

fn violation(package: &Package, what: String) -> Violation {
    Violation {
        file: format!("{}/Cargo.toml", package.folder),
        line: None,
        what,
        mend: "turn the arrow round, or meet through events; a wanted new arrow is a line in \
               xtask/src/tidy/arrows.rs and in ARCHITECTURE.md, in a commit of its own"
            .to_owned(),
    }
}

fn short_name(package: &str) -> &str {
    package.strip_prefix("worldbus-").unwrap_or(package)
}

fn heading(kind: Kind) -> &'static str {
    match kind {
        Kind::Normal => "dependencies",
        Kind::Dev => "dev-dependencies",
        Kind::Build => "build-dependencies",
    }
}

#[cfg(test)]
mod tests;
