//! Tests of the headers.

use super::check;
use crate::tidy::tests::{brief, file};

#[test]
fn file_without_a_header_is_found() {
    let files = [
        file("a.rs", "//! For a.\n"),
        file("b.rs", "use std::fs;\n"),
        file("c.rs", "//!\n//! Late.\n"),
        file("d.rs", ""),
        file("e.md", "no Rust\n"),
    ];
    assert_eq!(
        brief(&check(&files)),
        [
            "b.rs:1 does not begin with `//!`",
            "c.rs:1 does not begin with `//!`",
            "d.rs:1 does not begin with `//!`",
        ]
    );
}
