//! Tests of the matrix.

use super::*;

fn report(verdict: impl Fn(usize) -> Verdict) -> Report {
    let verdicts = checks().into_iter().enumerate();
    Report { verdicts: verdicts.map(|(n, check)| (check.name, verdict(n))).collect() }
}

#[test]
fn a_new_skip_is_a_difference_and_the_columns_of_others_stay() {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("conformance.md");
    let (ours, others) = (vec!["pass".to_owned(); 99], vec!["skip: slow".to_owned(); 99]);
    let both = Page::parse("").with("ours", &ours).with("others", &others);
    std::fs::write(&page, both.to_string()).unwrap();
    report(|_| Verdict::Pass).compare(&page, "ours", false);
    assert_eq!(std::fs::read_to_string(&page).unwrap(), both.to_string());
    let skips = |n| if n == 3 { Verdict::Skip("no ladder".to_owned()) } else { Verdict::Pass };
    let message = std::panic::catch_unwind(|| report(skips).compare(&page, "ours", false));
    let message = *message.unwrap_err().downcast::<String>().unwrap();
    let name = checks()[3].name;
    assert!(
        message.contains(&format!("+ | `{name}` | skip: no ladder | skip: slow |")),
        "{message}"
    );
    assert!(message.contains("WORLDBUS_BLESS=1"), "{message}");
    report(skips).compare(&page, "ours", true);
    report(skips).compare(&page, "ours", false);
}

#[test]
fn a_failed_check_is_no_matter_of_the_matrix() {
    let message = std::panic::catch_unwind(|| {
        let fails = |n| if n == 2 { Verdict::Fail("lost".to_owned()) } else { Verdict::Pass };
        report(fails).assert_matrix(Path::new("nowhere"), "ours");
    });
    let message = *message.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains(checks()[2].name) && message.contains("lost"), "{message}");
}
