//! The declared settings as text, for the documents. Not here: the effective ones (`resolved`).

use super::resolved::Settings;
use super::setting::Setting;

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
    let default = match setting.default.as_deref() {
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
