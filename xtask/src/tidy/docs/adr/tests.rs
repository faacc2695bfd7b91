//! Tests of the decisions' heads.

use super::check;
use crate::tidy::tests::{brief, file};

#[test]
fn decision_without_status_date_or_place_in_the_index_is_found() {
    let files = [
        file("docs/adr/README.md", "[1](0001-a.md), [2](0002-b.md)"),
        file("docs/adr/0001-a.md", "# 1. A\n\nStatus: accepted\nDate: 2026-11-23\n"),
        file("docs/adr/0002-b.md", "# 2. B\n\nStatus: perhaps\nDate: November\n"),
        file("docs/adr/0003-c.md", "Status: superseded by [1](0001-a.md)\nDate: 2026-11-24\n"),
    ];
    assert_eq!(
        brief(&check(&files)),
        [
            "docs/adr/0002-b.md:0 has no `Status:` line",
            "docs/adr/0002-b.md:0 has no `Date:` line",
            "docs/adr/0003-c.md:0 is not in the index",
        ]
    );
}
