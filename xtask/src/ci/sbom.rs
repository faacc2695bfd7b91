//! The software bill of materials: every crate that is linked into the binary, as CycloneDX JSON.
//!
//! Own code, since the tool that makes one takes minutes to build on a fresh machine and in the
//! build stage of the Dockerfile, lists what is only used while building, and knows neither the
//! C library nor the standard library that a static binary holds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::repo::{Repo, array, cargo, output, string};

/// Name and version.
type Package = (String, String);

/// What the document is made of.
struct Sources {
    /// What `cargo tree` lists as linked, ours included.
    linked: BTreeSet<Package>,
    /// What `cargo metadata` has of all packages.
    metadata: Value,
    /// SHA-256 of the archives that packages came in, from `Cargo.lock`.
    checksums: BTreeMap<Package, String>,
    rust_version: String,
    /// Of a C library that is linked statically, as that of the image.
    libc_version: Option<String>,
}

/// What the document is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// The image, whose binary holds the C library.
    Image,
    /// An archive with the binary, which uses the system's libraries.
    Archive,
}

/// The document for the binary as it is built for `target`.
pub(super) fn of_binary(repo: &Repo, target: &str, subject: Subject) -> Result<String> {
    let mut tree = cargo();
    tree.current_dir(&repo.root).args(["tree", "--package", "worldbus-cli", "--locked"]);
    tree.args(["--edges", "normal,no-proc-macro", "--target", target, "--prefix", "none"]);
    let mut metadata = cargo();
    metadata.current_dir(&repo.root).args(["metadata", "--locked", "--format-version", "1"]);
    metadata.args(["--filter-platform", target]);
    let sources = Sources {
        linked: linked(&output(&mut tree)?),
        metadata: serde_json::from_str(&output(&mut metadata)?)?,
        checksums: checksums(&fs::read_to_string(repo.root.join("Cargo.lock"))?),
        rust_version: second_word(&output(Command::new("rustc").arg("-V"))?)?,
        libc_version: match subject {
            Subject::Image => Some(last_word(&output(Command::new("ldd").arg("--version"))?)?),
            Subject::Archive => None,
        },
    };
    Ok(serde_json::to_string_pretty(&document(&sources, subject)?)? + "\n")
}

fn document(sources: &Sources, subject: Subject) -> Result<Value> {
    let (mut components, mut edges) = (Vec::new(), Vec::new());
    let mut names = BTreeMap::new();
    for package in array(&sources.metadata, "packages")? {
        let key = (string(package, "name")?.to_owned(), string(package, "version")?.to_owned());
        if sources.linked.contains(&key) {
            names.insert(string(package, "id")?, reference(&key));
            components.push(component(package, &key, sources.checksums.get(&key)));
        }
    }
    for node in array(&sources.metadata["resolve"], "nodes")? {
        if let Some(name) = names.get(string(node, "id")?) {
            let on = array(node, "deps")?.iter().filter(|edge| is_normal(edge));
            let on = on.filter_map(|edge| names.get(edge["pkg"].as_str()?));
            edges.push(json!({ "ref": name, "dependsOn": on.collect::<BTreeSet<_>>() }));
        }
    }
    components.push(of_toolchain("rust-std", &sources.rust_version, "MIT OR Apache-2.0"));
    let libc = sources.libc_version.as_ref();
    components.extend(libc.map(|libc| of_toolchain("glibc", libc, "LGPL-2.1-or-later")));
    let (kind, name) = match subject {
        Subject::Image => ("container", "worldbus-image"),
        Subject::Archive => ("application", "worldbus-archive"),
    };
    let version = env!("CARGO_PKG_VERSION");
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": kind, "bom-ref": name, "name": "worldbus",
                "version": version, "licenses": [{ "expression": "Apache-2.0 OR MIT" }],
            },
        },
        "components": components,
        "dependencies": edges,
    }))
}

/// Packages of ours are in no registry, so they have neither a purl nor a checksum.
fn component(package: &Value, key: &Package, checksum: Option<&String>) -> Value {
    let (name, version) = key;
    let mut component = json!({
        "type": "library", "bom-ref": reference(key), "name": name, "version": version,
    });
    if let Some(licence) = package["license"].as_str() {
        // `MIT/Apache-2.0` is how older manifests say "or".
        let expression = licence.replace('/', " OR ");
        component["licenses"] = json!([{ "expression": expression }]);
    }
    if let Some(checksum) = checksum {
        component["purl"] = json!(format!("pkg:cargo/{name}@{}", percent(version)));
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    component
}

fn of_toolchain(name: &str, version: &str, licence: &str) -> Value {
    json!({
        "type": "library", "bom-ref": format!("{name}@{version}"), "name": name,
        "version": version, "purl": format!("pkg:generic/{name}@{version}"),
        "licenses": [{ "expression": licence }],
    })
}

fn reference((name, version): &Package) -> String {
    format!("{name}@{version}")
}

/// A `+` of a version would be read as a space in a purl.
fn percent(version: &str) -> String {
    version.replace('+', "%2B")
}

fn is_normal(edge: &Value) -> bool {
    let kinds = edge["dep_kinds"].as_array();
    kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
}

/// Lines such as `http v1.3.1` and `worldbus-bus v0.1.0 (folder) (*)`.
fn linked(tree: &str) -> BTreeSet<Package> {
    let package = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
    };
    tree.lines().filter_map(package).collect()
}

/// The lock file is written by cargo alone, always in this form.
fn checksums(lock: &str) -> BTreeMap<Package, String> {
    let checksum = |block: &str| {
        let value = |key: &str| {
            let mut lines = block.lines();
            let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))?;
            Some(value.trim_matches('"').to_owned())
        };
        Some(((value("name")?, value("version")?), value("checksum")?))
    };
    lock.split("[[package]]").filter_map(checksum).collect()
}

fn second_word(text: &str) -> Result<String> {
    Ok(text.split_whitespace().nth(1).context("no version was printed")?.to_owned())
}

/// `ldd --version` ends its first line with the version of the C library.
fn last_word(text: &str) -> Result<String> {
    let line = text.lines().next().context("no version was printed")?;
    Ok(line.split_whitespace().next_back().context("no version was printed")?.to_owned())
}

#[cfg(test)]
mod tests;
