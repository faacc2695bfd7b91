//! Tests of the ratchet.

use super::{Counts, Finding, beyond, count, parse, place, print, rise, slack};
use crate::tidy::Violation;
use crate::tidy::tests::brief;

fn finding(check: &'static str, place: &str, line: usize) -> Finding {
    let (file, what) = (format!("{place}/a.rs"), "is wrong".to_owned());
    let violation = Violation { file, line: Some(line), what, mend: "set it right".to_owned() };
    Finding { check, place: place.to_owned(), violation }
}

fn counts(text: &str) -> Counts {
    parse(text).unwrap()
}

#[test]
fn only_places_with_more_than_allowed_are_named() {
    let findings = || {
        vec![finding("w", "a", 1), finding("w", "a", 2), finding("w", "b", 3), finding("v", "b", 4)]
    };
    assert!(beyond(findings(), &counts("w a 2\nw b 1\nv b 1\n")).is_empty());
    assert_eq!(
        brief(&beyond(findings(), &counts("w a 1\nw b 1\nv b 1\n"))),
        ["a/a.rs:1 is wrong", "a/a.rs:2 is wrong"]
    );
    assert_eq!(beyond(findings(), &counts("w a 9\n")).len(), 2);
}

#[test]
fn figures_are_read_as_written_and_an_invalid_line_is_named() {
    let found = count(&[finding("w", "a", 1), finding("w", "a", 2), finding("v", "b", 3)]);
    assert_eq!(parse(&print(&found)).unwrap(), found);
    assert!(parse("w a few\n").unwrap_err().to_string().contains("`w a few`"));
}

#[test]
fn a_move_is_no_rise_and_one_more_is() {
    let before = counts("w a 2\nw b 1\n");
    assert_eq!(rise(&counts("w a 1\nw c 2\n"), &before), None);
    let one_more = rise(&counts("w a 1\nw c 3\n"), &before);
    assert_eq!(one_more.unwrap(), "w: 4 where 3 were allowed");
    assert!(rise(&counts("v a 1\n"), &before).is_some(), "a check without figures");
    assert_eq!(slack("w", &[finding("w", "a", 1)], &before), 2);
}

#[test]
fn a_place_is_a_crate_or_a_folder_of_the_root() {
    assert_eq!(place("crates/bus/src/lib.rs"), "crates/bus");
    assert_eq!(place("docs/time.md"), "docs");
    assert_eq!(place("README.md"), "root");
}
