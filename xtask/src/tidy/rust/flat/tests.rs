//! Tests of the number of modules.

use super::{MODULES_MAX, check};
use crate::tidy::tests::file;

fn declaring(count: usize) -> String {
    let modules: String = (0..count).map(|n| format!("mod m{n};\n")).collect();
    format!("//! Holds.\n{modules}#[cfg(test)]\nmod tests;\n// mod not;\n")
}

#[test]
fn modules_beyond_a_dozen_are_found() {
    let files = [
        file("crates/a/src/lib.rs", &declaring(MODULES_MAX)),
        file("crates/b/src/lib.rs", &declaring(MODULES_MAX + 2)),
        file("crates/b/tests/all/main.rs", &declaring(MODULES_MAX + 2)),
    ];
    let found = check(&files);
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|finding| finding.place == "crates/b"));
}
