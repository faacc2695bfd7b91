//! `worldbus people`: the people of a world, through npc-behavior: what they do now and later, why,
//! and what they are directed to do. Not here: what that does (`docs/explanation/people.md`).

mod arguments;
mod direct;
mod look;

use std::process::ExitCode;

use anyhow::Result;

use crate::session::rest::{Place, Rest};
use crate::{output, session};
use arguments::Action;

pub(crate) use arguments::PeopleArguments;

/// The service that answers.
const SERVICE: &str = "npc-behavior";

/// Does what is asked for.
pub(crate) async fn run(arguments: PeopleArguments) -> Result<ExitCode> {
    let PeopleArguments { action, format, flags } = arguments;
    let Some(loaded) = session::loaded(&flags)? else { return Ok(ExitCode::SUCCESS) };
    let settings = loaded.settings.clone();
    let (url, own, key) = (settings.url, settings.people_url, settings.api_key);
    let rest = Rest::new(Place::new(SERVICE, &loaded, url, own, key)?)?;
    let page = match action {
        Action::List(asked) => look::list(&rest, format, asked).await?,
        Action::Show(asked) => look::show(&rest, format, &asked).await?,
        Action::Plan(asked) => look::plan(&rest, format, &asked).await?,
        Action::Why(asked) => look::why(&rest, format, &asked).await?,
        Action::Places(asked) => look::places(&rest, format, asked).await?,
        Action::Statistics(asked) => look::statistics(&rest, format, asked).await?,
        Action::Overview => look::overview(&rest, format).await?,
        Action::Directives => direct::list(&rest, format).await?,
        Action::Direct(wish) => direct::direct(&rest, format, &wish).await?,
        Action::Clear(wish) => direct::clear(&rest, format, &wish).await?,
        Action::Spawn(wish) => direct::spawn(&rest, format, &wish).await?,
        Action::Remove(wish) => direct::remove(&rest, format, &wish).await?,
        Action::Undo(by) => direct::undo(&rest, format, &by).await?,
    };
    output::page(&page)?;
    Ok(ExitCode::SUCCESS)
}
