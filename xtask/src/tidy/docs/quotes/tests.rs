//! Tests of the quotes.

use super::check;
use crate::tidy::tests::{brief, file};

fn faults_of(page: &str) -> Vec<String> {
    brief(&check(&[file("docs/a.md", page), file("examples/a.py", "a = 1\n\nprint(a)\n")]))
}

#[test]
fn quote_that_is_its_file_passes() {
    let quote = "# A\n\n<!-- quote: examples/a.py -->\n```python\na = 1\n\nprint(a)\n```\n";
    assert!(faults_of(quote).is_empty());
    assert!(faults_of("```python\na = 2\n```\n").is_empty());
}

#[test]
fn quote_that_is_another_text_or_of_no_file_is_found() {
    let differs = ["docs/a.md:1 quotes `examples/a.py`, which reads otherwise"];
    for block in ["```python\na = 1\n```\n", "\n```python\na = 1\n\nprint(a)\n```\n", "a = 1\n", ""]
    {
        assert_eq!(faults_of(&format!("<!-- quote: examples/a.py -->\n{block}")), differs);
    }
    assert_eq!(
        faults_of("x\n<!-- quote: examples/b.py -->\n```python\n```\n"),
        ["docs/a.md:2 quotes `examples/b.py`, which does not exist"]
    );
}
