//! What became of each check.

use std::fmt;

/// What became of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The promise is kept.
    Pass,
    /// It was not run, and why.
    Skip(String),
    /// The promise is broken, and how.
    Fail(String),
}

/// What became of the checks, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub(crate) verdicts: Vec<(&'static str, Verdict)>,
}

impl Report {
    /// Each check by name, and its verdict.
    pub fn verdicts(&self) -> impl Iterator<Item = (&'static str, &Verdict)> {
        self.verdicts.iter().map(|(name, verdict)| (*name, verdict))
    }

    /// The names of the checks that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        let failed = self.verdicts().filter(|(_, verdict)| matches!(verdict, Verdict::Fail(_)));
        failed.map(|(name, _)| name).collect()
    }

    /// Fails the test if a check failed.
    ///
    /// # Panics
    /// When one did, naming each and what it found.
    pub fn assert_kept(&self) {
        let failed = self.failed();
        assert!(failed.is_empty(), "{} broken: {failed:?}\n{self}", failed.len());
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, verdict) in self.verdicts() {
            match verdict {
                Verdict::Pass => writeln!(f, "pass {name}")?,
                Verdict::Skip(reason) => writeln!(f, "skip {name}: {reason}")?,
                Verdict::Fail(found) => writeln!(f, "FAIL {name}: {found}")?,
            }
        }
        Ok(())
    }
}
