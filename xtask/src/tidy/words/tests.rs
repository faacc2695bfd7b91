//! Tests of the words.

use super::{MACHINE_PATHS, UNFINISHED, check, issue_number};
use crate::tidy::tests::{brief, file};

#[test]
fn issue_numbers_are_found_however_written() {
    for (before, number) in [("see issue ", "7"), ("issue #", "12"), ("issues/", "3"), ("(#", "9")]
    {
        let line = format!("// {before}{number}) ends");
        assert!(issue_number(&line).is_some(), "{line}");
    }
}

#[test]
fn hash_signs_that_number_nothing_pass() {
    for line in [
        "# 1. A heading",
        "color: #112233;",
        "r#\"raw\"#",
        "#[derive(Debug)]",
        "let x = r##\"1\"##;",
        "an issue of trust; 2 of them",
        "`fill=\"#123\"`",
    ] {
        assert_eq!(issue_number(line), None, "{line}");
    }
}

#[test]
fn machine_paths_are_found_from_the_root_only() {
    let path = MACHINE_PATHS[0];
    let text = format!("//! ok\n// see {path}main\n// frame{path}x and target{path}x\n");
    let expected = format!("a.rs:2 names a machine's path: `{path}`");
    assert_eq!(brief(&check(&[file("a.rs", &text)])), [expected]);
}

#[test]
fn unfinished_code_is_found_in_rust_only() {
    for word in UNFINISHED {
        assert_eq!(check(&[file("a.rs", word)]).len(), 1, "{word}");
        assert!(check(&[file("a.md", word)]).is_empty(), "{word}");
    }
}
