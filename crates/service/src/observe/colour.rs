//! Whether output may have colours: on a terminal, unless its user or the terminal itself refuses.
//! One rule for logs and for results.

use std::ffi::OsStr;
use std::io::IsTerminal;
use std::sync::OnceLock;

/// What the user of this process decided, if anything.
static DECIDED: OnceLock<bool> = OnceLock::new();

/// Decides for all streams of this process, whatever they are: `--color` of a command line. Once,
/// before anything is written; a later decision is ignored.
pub fn decide(wanted: bool) {
    let _ = DECIDED.set(wanted);
}

/// Whether what goes to `stream` may have colours: as was decided; else it is a terminal,
/// `NO_COLOR` is not set or empty (<https://no-color.org>), and `TERM` is not `dumb`.
#[allow(clippy::disallowed_methods, reason = "no setting of ours: every program heeds them")]
pub fn wanted(stream: &impl IsTerminal) -> bool {
    if let Some(decided) = DECIDED.get() {
        return *decided;
    }
    let (no_color, term) = (std::env::var_os("NO_COLOR"), std::env::var_os("TERM"));
    stream.is_terminal() && allowed(no_color.as_deref(), term.as_deref())
}

fn allowed(no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    no_color.is_none_or(OsStr::is_empty) && term.is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_and_a_dumb_terminal_turn_colours_off() {
        let is_allowed = |no_color: Option<&str>, term: Option<&str>| {
            allowed(no_color.map(OsStr::new), term.map(OsStr::new))
        };
        assert!(is_allowed(None, None) && is_allowed(None, Some("xterm-256color")));
        assert!(is_allowed(Some(""), Some("xterm")), "an empty NO_COLOR is not set");
        assert!(!is_allowed(Some("1"), Some("xterm")) && !is_allowed(Some("0"), None));
        assert!(!is_allowed(None, Some("dumb")));
    }
}
