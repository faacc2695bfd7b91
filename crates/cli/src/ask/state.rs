//! `worldbus state`: the state of a world, through the world-state service: what is there, now or
//! at a version, changes of it, and the proof that it is the fold of its events. Not here: what a
//! step does (`docs/how-to/world-state.md`).

mod arguments;
mod change;
mod look;
mod rebuild;
mod watch;

use std::process::ExitCode;

use anyhow::Result;

use crate::session::rest::{Place, Rest};
use crate::{output, session};
use arguments::Action;

pub(crate) use arguments::StateArguments;

/// The service that answers.
const SERVICE: &str = "world-state";

/// Does what is asked for.
pub(crate) async fn run(arguments: StateArguments) -> Result<ExitCode> {
    let StateArguments { action, format, flags } = arguments;
    let Some(loaded) = session::loaded(&flags)? else { return Ok(ExitCode::SUCCESS) };
    let settings = loaded.settings.clone();
    let (url, own, key) = (settings.url.clone(), settings.state_service_url, settings.api_key);
    let rest = Rest::new(Place::new(SERVICE, &loaded, url, own, key.clone())?)?;
    let page = match action {
        Action::Get(asked) => look::get(&rest, format, asked).await?,
        Action::List(asked) => look::list(&rest, format, asked).await?,
        Action::History(asked) => look::history(&rest, format, asked).await?,
        Action::Set(wish) => change::set(&rest, format, &wish).await?,
        Action::Remove(wish) => change::remove(&rest, format, &wish).await?,
        Action::Increment(wish) => change::increment(&rest, format, &wish).await?,
        Action::Watch(asked) => return watch::run(&rest, format, asked).await,
        Action::Rebuild => return rebuild::run(&rest, format, &settings.url, key.as_ref()).await,
    };
    output::page(&page)?;
    Ok(ExitCode::SUCCESS)
}
