//! Which packages may name which vendor crate.
//!
//! A vendor is a crate that we may want to exchange: a store, an RPC stack, an HTTP server. Crates
//! that are vocabulary (bytes, serde, tracing) are not vendors. `deny.toml` bans the same ones, so
//! that a stray dependency fails twice.

use super::{Violation, short};
use crate::repo::{Kind, Package};

/// A family of vendor crates: the one named, and those whose names go on with `-`.
struct Vendor {
    name: &'static str,
    within: &'static [&'static str],
    /// Services of a world may name it, too: what has routes.
    by_services: bool,
    tests_too: bool,
}

const fn vendor(name: &'static str, within: &'static [&'static str]) -> Vendor {
    Vendor { name, within, by_services: false, tests_too: true }
}

const fn of_routes(name: &'static str, within: &'static [&'static str]) -> Vendor {
    Vendor { by_services: true, ..vendor(name, within) }
}

const fn not_in_tests(name: &'static str, within: &'static [&'static str]) -> Vendor {
    Vendor { tests_too: false, ..vendor(name, within) }
}

const VENDORS: &[Vendor] = &[
    vendor("rusqlite", &["transport-embedded", "service", "storyteller", "world-state"]),
    of_routes("tonic", &["rpc", "transport-remote", "service", "event-bus", "cli"]),
    of_routes("axum", &["service", "event-bus"]),
    of_routes("utoipa", &["service", "event-bus"]),
    vendor("hyper", &["service"]),
    vendor("metrics-exporter-prometheus", &["service"]),
    vendor("opentelemetry_sdk", &["service"]),
    vendor("tracing-opentelemetry", &["service"]),
    // Tests read what was exported.
    not_in_tests("opentelemetry", &["service"]),
    vendor("tracing-subscriber", &["service"]),
    vendor("aws-config", &["aws", "state-dynamodb", "transport-sns-sqs"]),
    vendor("aws-sdk", &["state-dynamodb", "transport-sns-sqs"]),
    vendor("aws-smithy", &["aws"]),
    vendor("aws-runtime", &["aws"]),
    vendor("tokio-postgres", &["postgres"]),
    vendor("zstd", &["events"]),
    // A peer that is measured, and no JSON of ours.
    vendor("sonic-rs", &["bench"]),
    vendor("protox", &["events-build", "events", "rpc"]),
    // Our tests drive servers with a blocking client; no server of ours calls out by it.
    not_in_tests("ureq", &["bench"]),
];

/// Every vendor crate stands only in the manifests of the packages that may name it.
pub(super) fn check(packages: &[Package]) -> Vec<Violation> {
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<Violation> {
    let of = short(&package.folder);
    let mut violations = Vec::new();
    for dependency in &package.dependencies {
        let Some(vendor) = VENDORS.iter().find(|vendor| vendor.owns(&dependency.name)) else {
            continue;
        };
        let applies = vendor.tests_too || dependency.kind != Kind::Dev;
        let may = vendor.within.contains(&of) || (vendor.by_services && package.is_service);
        if applies && !may {
            violations.push(violation(package, &dependency.name, vendor));
        }
    }
    violations
}

impl Vendor {
    fn owns(&self, name: &str) -> bool {
        let rest = name.strip_prefix(self.name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

fn violation(package: &Package, name: &str, vendor: &Vendor) -> Violation {
    let mend = match vendor.within {
        [] => format!("`{name}` is for dev-dependencies only"),
        within => format!("only {} may name it; use what they offer instead", within.join(", ")),
    };
    Violation {
        file: format!("{}/Cargo.toml", package.folder),
        line: None,
        what: format!("`{}` names the vendor crate `{name}`", short(&package.folder)),
        mend,
    }
}

#[cfg(test)]
mod tests;
