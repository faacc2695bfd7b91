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
use worldbus_bus::{Bus, SubscriptionName};
use worldbus_events::Catalogue;
use worldbus_service::config::Flags;
use worldbus_service::logging;

use crate::output::failure::WrongUse;
use crate::session::connection;
use crate::settings::{self, Client};
use arguments::Action;

pub(crate) use arguments::DeadLettersArguments;

/// Letters of a subscription that are looked through for one, or for all: more than an embedded
/// bus keeps.
const LOOK_COUNT_MAX: usize = 10_000;

/// An open bus and how to speak of it.
struct Desk {
    bus: Bus,
    url: String,
    catalogue: std::sync::Arc<Catalogue>,
}

impl Desk {
    /// The error with what to do.
    fn explain(&self, error: worldbus_bus::Error) -> anyhow::Error {
        connection::explain(&self.url, error)
    }
}

/// Does what is asked for. 1 if some of the letters that were named are not there.
pub(crate) async fn run(arguments: DeadLettersArguments) -> Result<ExitCode> {
    match arguments.action {
        Action::List(arguments) => {
            let subscription = arguments.subscription.as_deref().map(name).transpose()?;
            match open(&arguments.flags).await? {
                Some(desk) => list::run(&desk, subscription.as_ref(), &arguments).await,
                None => Ok(ExitCode::SUCCESS),
            }
        }
        Action::Show(arguments) => {
            let subscription = name(&arguments.subscription)?;
            match open(&arguments.flags).await? {
                Some(desk) => show::run(&desk, &subscription, &arguments).await,
                None => Ok(ExitCode::SUCCESS),
            }
        }
        Action::Replay(arguments) => {
            let subscription = name(&arguments.which.subscription)?;
            match open(&arguments.which.flags).await? {
                Some(desk) => remove::replay(&desk, &subscription, &arguments.which).await,
                None => Ok(ExitCode::SUCCESS),
            }
        }
        Action::Discard(arguments) => {
            let subscription = name(&arguments.which.subscription)?;
            if !arguments.which.flags.print_config {
                remove::can_ask(arguments.yes)?;
            }
            match open(&arguments.which.flags).await? {
                Some(desk) => remove::discard(&desk, &subscription, &arguments).await,
                None => Ok(ExitCode::SUCCESS),
            }
        }
    }
}

fn name(text: &str) -> Result<SubscriptionName> {
    SubscriptionName::new(text)
        .map_err(|error| WrongUse(format!("--subscription {text:?}: {error}")).into())
}

/// Opens the bus; `None` after `--print-config`.
async fn open(flags: &Flags<Client>) -> Result<Option<Desk>> {
    let loaded = settings::load(flags)?;
    if flags.print_config {
        crate::serve::print_config(&loaded.print())?;
        return Ok(None);
    }
    let client = loaded.settings;
    logging::init(&client.log, client.log_format);
    let (bus, catalogue) = connection::open_knowing(&client).await?;
    Ok(Some(Desk { bus, url: client.url, catalogue }))
}
