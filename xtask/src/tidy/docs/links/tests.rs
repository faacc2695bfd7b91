//! Tests of the links.

use super::{anchor, check};
use crate::repo::TextFile;
use crate::tidy::tests::{brief, file};

fn faults_of(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<TextFile> = files.iter().map(|(path, text)| file(path, text)).collect();
    let exists = |path: &str| path == "docs/evidence" || files.iter().any(|f| f.path == path);
    brief(&check(&files, &exists))
}

#[test]
fn links_that_lead_somewhere_pass() {
    let readme = "[a](docs/a.md#the-first-one) [web](https://example.org/docs/gone.md)\n\
                  ```sh\n[x](gone.md)\n```\nas `[x](gone.md)`; [e](docs/evidence)\n";
    let a = "# A\n## The *first* one\n[b](more/b.md) [here](#a)\n";
    assert!(
        faults_of(&[
            ("README.md", readme),
            ("docs/a.md", a),
            ("docs/more/b.md", "[up](../a.md)"),
            ("docs/evidence/README.md", "# Evidence"),
        ])
        .is_empty()
    );
}

#[test]
fn page_and_heading_that_are_gone_are_found() {
    assert_eq!(
        faults_of(&[("README.md", "[a](docs/a.md#b)\n[c](c.md)"), ("docs/a.md", "# A")]),
        [
            "README.md:1 links to `docs/a.md#b`, and `docs/a.md` has no such heading",
            "README.md:2 links to `c.md`, which does not exist",
        ]
    );
}

#[test]
fn page_without_a_way_to_it_is_found() {
    assert_eq!(
        faults_of(&[
            ("README.md", "[a](docs/a.md)"),
            ("docs/SUMMARY.md", "- [B](b.md)"),
            ("docs/a.md", ""),
            ("docs/b.md", ""),
        ]),
        [
            "docs/a.md:0 is not listed in docs/SUMMARY.md",
            "docs/b.md:0 is not reached by links from README.md",
        ]
    );
}

#[test]
fn mention_of_a_page_that_is_gone_is_found_in_any_file() {
    let code = "//! See `docs/a.md`, docs/gone.md. And https://x.org/docs/b.md, docs/c.rs.\n";
    assert_eq!(
        faults_of(&[("README.md", "[a](docs/a.md)"), ("docs/a.md", ""), ("b.rs", code)]),
        ["b.rs:1 mentions `docs/gone.md`, which does not exist"]
    );
}

#[test]
fn anchors_are_those_of_github() {
    assert_eq!(anchor("1. Before the first time"), "1-before-the-first-time");
    assert_eq!(anchor("One event: `GameEvent`"), "one-event-gameevent");
}
