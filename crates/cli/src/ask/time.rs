//! `worldbus time`: the clocks of a world, through the time-manager: what time it is, the calendar
//! and the sun, commands of the clock, and what is scheduled. Not here: what they do
//! (`docs/explanation/time.md`).

mod arguments;
mod command;
mod common;
mod look;
mod schedule;

use std::process::ExitCode;

use anyhow::Result;

use crate::output;
use crate::session;
use crate::session::rest::{Place, Rest};
use arguments::Action;
use common::Common;

pub(crate) use arguments::{ScheduleArguments, TimeArguments};

/// The service that answers.
const SERVICE: &str = "time-manager";

/// Does what is asked for.
pub(crate) async fn run(arguments: TimeArguments) -> Result<ExitCode> {
    let TimeArguments { action, common } = arguments;
    let Some(place) = place(&common)? else { return Ok(ExitCode::SUCCESS) };
    let rest = Rest::new(place)?;
    let page = match action {
        Action::Now => look::now(&rest, &common).await?,
        Action::Clocks => look::clocks(&rest, &common).await?,
        Action::Calendar(asked) => look::calendar(&rest, &common, asked).await?,
        Action::Sun(asked) => look::sun(&rest, &common, asked).await?,
        Action::History => look::history(&rest, &common).await?,
        Action::Set { wish, by } => command::set(&rest, &common, &wish, &by).await?,
        Action::Skip { wish, by } => command::skip(&rest, &common, &wish, &by).await?,
        Action::Scale { wish, by } => command::scale(&rest, &common, &wish, &by).await?,
        Action::Pause(by) => command::turn(&rest, &common, "/api/time/stop", &by).await?,
        Action::Resume(by) => command::turn(&rest, &common, "/api/time/start", &by).await?,
        Action::Schedule(action) => schedule::run(rest.place(), action, &common).await?,
    };
    output::page(&page)?;
    Ok(ExitCode::SUCCESS)
}

/// Does it with schedules.
pub(crate) async fn run_schedule(arguments: ScheduleArguments) -> Result<ExitCode> {
    let ScheduleArguments { action, common } = arguments;
    if let Some(place) = place(&common)? {
        output::page(&schedule::run(&place, action, &common).await?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Where the time-manager is; `None` after `--print-config`.
fn place(common: &Common) -> Result<Option<Place>> {
    let Some(loaded) = session::loaded(&common.flags)? else { return Ok(None) };
    let settings = loaded.settings.clone();
    let (url, own, key) = (settings.url, settings.time_url, settings.api_key);
    Ok(Some(Place::new(SERVICE, &loaded, url, own, key)?))
}
