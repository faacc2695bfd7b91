//! `worldbus weather`: the weather of a world's regions, through the weather-manager: now, at other
//! times, and what is forced on it. Not here: what that does (`docs/explanation/weather.md`).

mod arguments;
mod force;
mod look;

use std::process::ExitCode;

use anyhow::Result;

use crate::session::rest::{Place, Rest};
use crate::{output, session};
use arguments::Action;

pub(crate) use arguments::WeatherArguments;

/// The service that answers.
const SERVICE: &str = "weather-manager";

/// Does what is asked for.
pub(crate) async fn run(arguments: WeatherArguments) -> Result<ExitCode> {
    let WeatherArguments { action, format, flags } = arguments;
    let Some(loaded) = session::loaded(&flags)? else { return Ok(ExitCode::SUCCESS) };
    let settings = loaded.settings.clone();
    let (url, own, key) = (settings.url, settings.weather_url, settings.api_key);
    let rest = Rest::new(Place::new(SERVICE, &loaded, url, own, key)?)?;
    let page = match action {
        Action::Now(asked) => look::now(&rest, format, asked).await?,
        Action::Forecast(asked) => look::forecast(&rest, format, asked).await?,
        Action::At(asked) => look::at(&rest, format, asked).await?,
        Action::History(asked) => look::history(&rest, format, asked).await?,
        Action::Statistics(asked) => look::statistics(&rest, format, asked).await?,
        Action::Regions => look::regions(&rest, format).await?,
        Action::Alerts(asked) => look::alerts(&rest, format, asked).await?,
        Action::Overrides => look::overrides(&rest, format).await?,
        Action::Set(wish) => force::set(&rest, format, &wish).await?,
        Action::Lock(wish) => force::lock(&rest, format, &wish).await?,
        Action::Offset(wish) => force::offset(&rest, format, &wish).await?,
        Action::SeasonShift(wish) => force::season_shift(&rest, format, &wish).await?,
        Action::StormCell(wish) => force::storm_cell(&rest, format, &wish).await?,
        Action::Clear(wish) => force::clear(&rest, format, &wish).await?,
        Action::Undo(by) => force::undo(&rest, format, &by).await?,
    };
    output::page(&page)?;
    Ok(ExitCode::SUCCESS)
}
