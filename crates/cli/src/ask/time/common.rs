//! What every verb of time takes: which clock, and where.

use clap::Args;

use crate::output::format::Format;
use crate::settings::Time;
use worldbus_service::config::Flags;

/// Which clock, and where.
#[derive(Debug, Args)]
#[command(mut_arg("time-url", |flag| flag.hide(true)))]
pub(super) struct Common {
    /// A named clock instead of the world's own
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) clock: Option<String>,
    /// How to write the result
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) flags: Flags<Time>,
}
