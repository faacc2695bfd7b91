//! What is made of the command line itself: completions, man pages, the reference of settings. A
//! command of clap is handed in: this knows no verb.

pub(crate) mod completions;
pub(crate) mod config_reference;
pub(crate) mod man;
