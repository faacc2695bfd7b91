//! Who gives a command, and why: a service keeps both with it.

use clap::Args;
use serde_json::Value;

/// Who commands, and why.
#[derive(Debug, Args)]
pub(crate) struct By {
    /// Who you are; kept with the command
    #[arg(long, default_value = "worldbus-cli", value_name = "NAME")]
    pub(crate) actor: String,
    /// Why; kept with the command
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

impl By {
    /// The body of a command with both in it.
    pub(crate) fn sign(&self, mut body: Value) -> Value {
        body["actor"] = self.actor.clone().into();
        if let Some(reason) = &self.reason {
            body["reason"] = reason.clone().into();
        }
        body
    }
}
