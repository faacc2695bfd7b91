//! Tests of the drifted words.

use super::check;
use crate::tidy::tests::file;

fn found(line: &str) -> Vec<String> {
    let found = check(&[file("docs/a.md", line)]);
    found.into_iter().map(|finding| finding.violation.what).collect()
}

#[test]
fn words_are_found_in_text_and_in_names() {
    assert_eq!(found("Nobody is told."), ["`nobody`", "`told`"]);
    assert_eq!(found("fn alarm_is_told() -> ToldOnce"), ["`told`", "`told`"]);
    assert_eq!(found("the limit is none"), ["`is none`"]);
}

#[test]
fn other_words_and_methods_pass() {
    assert!(found("value.is_none()").is_empty());
    assert!(found("besides; foretold; essays").is_empty());
}

#[test]
fn decisions_of_the_past_stay_as_they_are() {
    assert!(check(&[file("docs/adr/0001-a.md", "told")]).is_empty());
}
