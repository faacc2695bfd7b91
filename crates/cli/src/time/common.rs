//! What every verb of time takes: which clock, where, and who asks.

use clap::Args;

use crate::output::format::Format;
use crate::settings::Time;
use worldbus_service::config::Flags;

/// Which clock, where, and who asks.
#[derive(Debug, Args)]
#[command(mut_arg("time-url", |flag| flag.hide(true)))]
pub(super) struct Common {
    /// A named clock instead of the world's own
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) clock: Option<String>,
    /// Who you are; kept with a command
    #[arg(long, global = true, default_value = "worldbus-cli", value_name = "NAME")]
    pub(super) actor: String,
    /// Why; kept with a command
    #[arg(long, global = true, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// How to write the result
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) flags: Flags<Time>,
}
