//! The director: watches how tense the story is, and where it should be tenser proposes an incident
//! as a ready command. It never forces: a person accepts, or the setting `director` is `auto`.
//! Every proposal and every answer is an event, with who and why. What it proposes is a function
//! of the entries, the rules and the hour. Not here: what an incident does (the service that takes
//! the command).

mod plan;
mod run;
mod state;
#[cfg(test)]
mod tests;

use worldbus_service::config;

pub(crate) use run::{Desk, run};
pub(crate) use state::Proposal;

/// What the director may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing.
    Off,
    /// Propose; a person accepts.
    Propose,
    /// Propose, and accept at once.
    Auto,
}

impl Mode {
    /// As the setting has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Propose => "propose",
            Self::Auto => "auto",
        }
    }
}

impl config::Value for Mode {
    const EXPECTED: &'static str = "off, propose or auto";
    const SHAPE: config::Shape = config::Shape::Text;

    fn parse(texts: &[String]) -> Result<Self, String> {
        match texts {
            [text] if text == "off" => Ok(Self::Off),
            [text] if text == "propose" => Ok(Self::Propose),
            [text] if text == "auto" => Ok(Self::Auto),
            _ => Err(String::new()),
        }
    }
}
