//! A folder of modules holds at most a dozen of them; beyond that it wants rooms.
//!
//! Counted are the modules that a file declares and that ship, not those for tests.

use super::source::{self, Token};
use crate::repo::TextFile;
use crate::tidy::ratchet::{Finding, place};
use crate::tidy::{Violation, is_shipped};

/// The ratchet's name for it.
pub(in crate::tidy) const NAME: &str = "flat";

const MODULES_MAX: usize = 12;

/// Every module beyond the dozen that a file declares.
pub(in crate::tidy) fn check(files: &[TextFile]) -> Vec<Finding> {
    files.iter().filter(|file| is_shipped(&file.path)).flat_map(check_file).collect()
}

fn check_file(file: &TextFile) -> impl Iterator<Item = Finding> {
    let tokens = source::shipped(&file.text);
    let declared = declared(&tokens);
    let count = declared.len();
    let beyond: Vec<String> =
        declared.into_iter().skip(MODULES_MAX).map(|name| name.to_owned()).collect();
    beyond.into_iter().map(move |name| Finding {
        check: NAME,
        place: place(&file.path),
        violation: Violation {
            file: file.path.clone(),
            line: None,
            what: format!("declares {count} modules, `{name}` beyond {MODULES_MAX}"),
            mend: "group them in folders that are named after what they do".to_owned(),
        },
    })
}

/// The modules in files of their own that a file declares.
pub(super) fn declared<'a>(tokens: &[Token<'a>]) -> Vec<&'a str> {
    let window = tokens.windows(3).filter(|w| w[0].text == "mod" && w[2].text == ";");
    window.map(|window| window[1].text).collect()
}

#[cfg(test)]
mod tests;
