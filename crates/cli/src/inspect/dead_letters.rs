//! `worldbus dead-letters`: what subscriptions could not handle, looked at, given back to them, or
//! thrown away.
//!
//! Not for: what a publisher's spool set aside, which has no subscription.

mod arguments;
mod letter;
mod list;
mod remove;
mod show;

use std::process::ExitCode;

use anyhow::Result;

use crate::output::failure::WrongUse;
use crate::session::Session;
use arguments::Action;
use worldbus_bus::SubscriptionName;

pub(crate) use arguments::DeadLettersArguments;

/// Letters of a subscription that are looked through for one, or for all: more than an embedded
/// bus keeps.
const LOOK_COUNT_MAX: usize = 10_000;

/// Does what is asked for. 1 if some of the letters that were named are not there.
pub(crate) async fn run(arguments: DeadLettersArguments) -> Result<ExitCode> {
    match arguments.action {
        Action::List(arguments) => {
            let subscription = arguments.subscription.as_deref().map(name).transpose()?;
            match Session::open(&arguments.flags).await? {
                Some(session) => list::run(&session, subscription.as_ref(), &arguments).await,
                None => Ok(ExitCode::SUCCESS),
            }
        }
        Action::Show(arguments) => {
            let subscription = name(&arguments.subscription)?;
            match Session::open(&arguments.flags).await? {
                Some(session) => show::run(&session, &subscription, &arguments).await,
                None => Ok(ExitCode::SUCCESS),
            }
        }
        Action::Replay(arguments) => {
            let subscription = name(&arguments.which.subscription)?;
            match Session::open(&arguments.which.flags).await? {
                Some(session) => remove::replay(&session, &subscription, &arguments.which).await,
                None => Ok(ExitCode::SUCCESS),
            }
        }
        Action::Discard(arguments) => {
            let subscription = name(&arguments.which.subscription)?;
            if !arguments.which.flags.print_config {
                remove::can_ask(arguments.yes)?;
            }
            match Session::open(&arguments.which.flags).await? {
                Some(session) => remove::discard(&session, &subscription, &arguments).await,
                None => Ok(ExitCode::SUCCESS),
            }
        }
    }
}

fn name(text: &str) -> Result<SubscriptionName> {
    SubscriptionName::new(text)
        .map_err(|error| WrongUse(format!("--subscription {text:?}: {error}")).into())
}
