//! Tests of the width.

use super::check;
use crate::tidy::tests::{brief, file};

#[test]
fn wide_line_is_found_and_columns_are_characters() {
    let text = format!("//! ok\n{}\n{}\n", "é".repeat(100), "x".repeat(101));
    assert_eq!(brief(&check(&[file("a.rs", &text)])), ["a.rs:3 has 101 columns"]);
}

#[test]
fn address_in_a_comment_may_be_wide() {
    let text = format!("//! see https://example.org/{}\n", "x".repeat(100));
    assert!(check(&[file("a.rs", &text)]).is_empty());
    let wide = "x".repeat(101);
    assert!(check(&[file("README.md", &wide)]).is_empty());
}
