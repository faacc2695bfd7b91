//! Tests of the order of imports.

use super::{check, fixed};
use crate::tidy::tests::{brief, file};

const RIGHT: &str = "\
//! A file.

use std::fs;

use anyhow::{
    Context,
    Result,
};

use super::B;
use crate::c::C;
use worldbus_bus::Bus;

fn f() {
    use std::io;
}
";

#[test]
fn imports_in_their_blocks_pass() {
    assert_eq!(fixed(RIGHT), None);
    assert_eq!(fixed("//! No import.\nmod a;\nuse a::A;\n"), None);
}

#[test]
fn mixed_blocks_are_found_and_put_right() {
    let mixed = RIGHT.replace("\n\nuse super::B", "\nuse super::B");
    let found: Vec<_> =
        check(&[file("crates/a/src/b.rs", &mixed)]).into_iter().map(|f| f.violation).collect();
    assert_eq!(
        brief(&found),
        ["crates/a/src/b.rs:9 imports are not std, others, ours, a block each"]
    );
    assert_eq!(fixed(&mixed).as_deref(), Some(RIGHT));
}

#[test]
fn wrong_order_is_put_right_with_what_belongs_to_an_import() {
    let wrong = "mod own;\n\nuse own::Own;\n// Why.\n#[cfg(unix)]\nuse bytes::Bytes;\n\
                 pub use own::X;\n\nuse std::fs;\n\nfn f() {}\n";
    let right = "mod own;\n\nuse std::fs;\n\n// Why.\n#[cfg(unix)]\nuse bytes::Bytes;\n\n\
                 use own::Own;\n\npub use own::X;\n\nfn f() {}\n";
    assert_eq!(fixed(wrong).as_deref(), Some(right));
}

#[test]
fn runs_with_code_between_are_judged_each_alone() {
    assert_eq!(fixed("use crate::a;\n\nmod b;\n\nuse std::fs;\n"), None);
}
