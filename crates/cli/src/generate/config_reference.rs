//! `docs/reference/config.md`, from the declared settings. A test compares; the hidden command
//! `worldbus config-reference` writes it.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::session::configuration::commands;

const HEAD: &str = "# Configuration

A setting is taken from the first of: its flag, its environment variable, its key in the TOML file
that `--config FILE` or `WORLDBUS_CONFIG` names, its default. `--print-config` prints the effective
values with the origin of each. One file may serve all commands: each takes what is its own, and a
key that none has is refused. `listen` and `url` do not belong into such a file: they differ from
service to service. In a default, `{data_dir}` stands for the effective value of that setting. In an
environment variable, the items of a list are separated by commas. Traces are set by the standard
variables `OTEL_*`: `docs/how-to/tracing.md`.

This page is generated: `cargo run -- config-reference > docs/reference/config.md`.

";

/// Prints the page.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    io::stdout().write_all(page().as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn page() -> String {
    let sections: Vec<String> = commands().map(|command| (command.reference)()).collect();
    HEAD.to_owned() + &sections.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_page_is_what_the_settings_say() {
        let committed = include_str!("../../../../docs/reference/config.md");
        let hint = "write it: cargo run -- config-reference > docs/reference/config.md";
        assert_eq!(page(), committed, "{hint}");
    }
}
