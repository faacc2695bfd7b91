//! `worldbus chronicle`: what happened in a world, in words, through the storyteller: searched,
//! summed up, and as a book. Not here: what is written (`docs/how-to/chronicle.md`).

mod arguments;
mod book;
mod export;
mod html;
mod look;
mod markdown;
mod markup;
mod plot;

use std::process::ExitCode;

use anyhow::Result;

use crate::session::rest::{Place, Rest};
use crate::{output, session};
use arguments::Action;

pub(crate) use arguments::ChronicleArguments;

/// The service that answers.
pub(super) const SERVICE: &str = "storyteller";

/// Does what is asked for.
pub(crate) async fn run(arguments: ChronicleArguments) -> Result<ExitCode> {
    let ChronicleArguments { action, flags } = arguments;
    let Some(loaded) = session::loaded(&flags)? else { return Ok(ExitCode::SUCCESS) };
    let settings = loaded.settings.clone();
    let (url, own, key) = (settings.url, settings.chronicle_url, settings.api_key);
    let rest = Rest::new(Place::new(SERVICE, &loaded, url, own, key)?)?;
    let page = match action {
        Action::Search(asked) => look::search(&rest, asked).await?,
        Action::Digest(asked) => look::digest(&rest, asked).await?,
        Action::Show(asked) => look::show(&rest, asked).await?,
        Action::Arcs(asked) => look::arcs(&rest, asked).await?,
        Action::Export(asked) => export::export(&rest, &asked).await?,
    };
    output::page(&page)?;
    Ok(ExitCode::SUCCESS)
}
