//! Settings as text: the effective ones for `--print-config`, the declared ones for the docs.

use std::fmt::Write as _;

use super::setting::{Origin, Resolved, Setting, Settings};
use super::value::Shape;
use crate::Secret;

/// A TOML file of the effective values; the comment behind each tells its origin.
pub(super) fn effective(resolved: &Resolved) -> String {
    let mut page = String::new();
    for (setting, texts, origin) in &resolved.entries {
        let (name, value) = (setting.name, literal(setting, texts));
        let _ = match origin {
            Origin::Unset => writeln!(page, "# {name} is not set"),
            // A mask is not a value: were it one, feeding the page back would set the mask as key.
            _ if setting.secret => writeln!(page, "# {name} = {value} # {origin}"),
            _ => writeln!(page, "{name} = {value} # {origin}"),
        };
    }
    page
}

fn literal(setting: &Setting, texts: &[String]) -> String {
    // A JSON string is a TOML basic string.
    let quote = |text: &String| serde_json::Value::from(text.as_str()).to_string();
    match (setting.secret, setting.shape, texts) {
        (true, ..) => format!("\"{}\"", Secret::MASK),
        (_, Shape::List, _) => {
            format!("[{}]", texts.iter().map(quote).collect::<Vec<_>>().join(", "))
        }
        (_, Shape::Text, [text]) => quote(text),
        (_, _, [text]) => text.clone(),
        _ => "\"\"".to_owned(),
    }
}

/// A Markdown section that documents the settings of `S`: the source of `docs/reference/config.md`.
pub fn reference<S: Settings>(title: &str) -> String {
    let mut page = format!("## {title}\n\n{}\n\n", paragraph(S::ABOUT));
    page.push_str("| key | flag | variable | default | meaning |\n");
    page.push_str("| --- | --- | --- | --- | --- |\n");
    for setting in S::declare() {
        page.push_str(&row(&setting));
    }
    page
}

fn row(setting: &Setting) -> String {
    let flag = match setting.flag() {
        Some(flag) => format!("`--{flag}`"),
        None => "none: a secret".to_owned(),
    };
    let default = match setting.default {
        Some("") => "empty".to_owned(),
        Some(default) => format!("`{default}`"),
        None => "not set".to_owned(),
    };
    let meaning = format!("{} ({})", paragraph(setting.doc), setting.expected);
    format!(
        "| `{}` | {flag} | `{}` | {default} | {} |\n",
        setting.name,
        setting.variable(),
        meaning.replace('|', "\\|")
    )
}

fn paragraph(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}
