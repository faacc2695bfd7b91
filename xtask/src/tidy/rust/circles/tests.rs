//! Tests of the circles.

use super::check;
use crate::repo::TextFile;
use crate::tidy::tests::{file, package};

fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<TextFile> =
        files.iter().map(|(path, text)| file(&format!("crates/bus/src/{path}"), text)).collect();
    let found = check(&[package("crates/bus", &[])], &files);
    found.into_iter().map(|finding| finding.violation.what).collect()
}

#[test]
fn siblings_that_name_each_other_are_found_however_they_do() {
    let circle = ["is in a circle: a -> b -> a", "is in a circle: b -> a -> b"];
    for (in_a, in_b) in [
        ("use crate::b::B;", "use super::a::A;"),
        ("use super::{b::{self, C}, x};", "fn f() { crate::a::g() }"),
        ("use crate::b::*;", "use super::a; fn f() { a::g() }"),
        ("use crate::B;", "use crate::A;"),
        ("use super::B as C;", "use super::{A as D};"),
        ("fn f(b: crate::B) {}", "fn g() -> super::a::A {}"),
    ] {
        let root = "mod a; mod b; pub use a::A; pub use b::B;";
        let found = circles_of(&[("lib.rs", root), ("a.rs", in_a), ("b.rs", in_b)]);
        assert_eq!(found, circle, "{in_a} and {in_b}");
    }
}

#[test]
fn parent_and_child_may_name_each_other() {
    let files = [
        ("lib.rs", "mod a; pub use a::A;"),
        ("a.rs", "mod c; use c::C; use crate::X;"),
        ("a/c.rs", "use super::A; use crate::X;"),
    ];
    assert!(circles_of(&files).is_empty());
}

#[test]
fn circle_of_three_is_found_and_a_line_is_none() {
    let line = [("lib.rs", ""), ("a.rs", "use crate::b;"), ("b.rs", "use crate::c;"), ("c.rs", "")];
    assert!(circles_of(&line).is_empty());
    let mut round = line;
    round[3].1 = "use crate::a::A;";
    assert_eq!(circles_of(&round).len(), 3);
}

#[test]
fn tests_comments_and_other_crates_make_no_circle() {
    let files = [
        ("lib.rs", ""),
        ("a.rs", "use crate::b;"),
        ("b.rs", "// use crate::a;\nuse a::b;\n#[cfg(test)]\nmod tests { use crate::a; }"),
        ("b/tests.rs", "use crate::a;"),
    ];
    assert!(circles_of(&files).is_empty());
}
