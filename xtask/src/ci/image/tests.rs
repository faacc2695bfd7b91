//! Tests of what needs no engine: the Dockerfile agrees with the manifests.

use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap()
}

fn default_of(argument: &str) -> String {
    let file = read("Dockerfile");
    let default = file.lines().find_map(|line| line.strip_prefix(&format!("ARG {argument}=")));
    default.unwrap().to_owned()
}

#[test]
fn dockerfile_builds_with_the_toolchain_of_the_repository() {
    let toolchain = read("rust-toolchain.toml");
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap();
    let wanted = format!("docker.io/library/rust:{}-", channel.trim_matches('"'));
    assert!(default_of("RUST_IMAGE").starts_with(&wanted), "{}", default_of("RUST_IMAGE"));
}

#[test]
fn dockerfile_labels_the_image_with_the_version_that_is_built() {
    assert_eq!(default_of("VERSION"), env!("CARGO_PKG_VERSION"));
}

/// Docker builds from what `.dockerignore` leaves; no step of CI runs Docker.
#[test]
fn what_is_compiled_in_is_not_kept_from_docker() {
    let ignored = read(".dockerignore");
    let ignored: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('/')).collect();
    assert!(ignored.contains(&"target"));
    let repo = crate::repo::Repo::load().unwrap();
    for file in repo.text_files().unwrap() {
        if !file.path.starts_with("crates/") || !file.path.ends_with(".rs") {
            continue;
        }
        let included = file.text.split("include_").skip(1).filter_map(|rest| {
            let path = rest.split_once("!(\"")?.1.split_once('"')?.0;
            path.contains("../").then(|| path.trim_start_matches("../"))
        });
        for path in included {
            let hidden = ignored.iter().find(|folder| path.starts_with(**folder));
            assert_eq!(hidden, None, "{} needs {path}", file.path);
        }
    }
}
