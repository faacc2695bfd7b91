//! What `worldbus weather` shows: the weather now and at other times, regions, alerts, overrides.

use anyhow::Result;
use clap::ValueEnum as _;
use serde_json::Value;

use super::arguments::{AtArguments, ForecastArguments, RegionArguments, StretchArguments};
use crate::output::format::Format;
use crate::output::table::{Table, cell, items, pairs};
use crate::session::rest::Rest;

/// The columns of weather, and how each is found.
const COLUMNS: [&str; 7] = ["STATE", "TEMPERATURE", "WIND", "GUST", "RAIN", "CLOUD", "VISIBILITY"];

/// The weather now.
pub(super) async fn now(rest: &Rest, format: Format, asked: RegionArguments) -> Result<String> {
    let now = rest.get("/api/weather/current", &[("region", asked.region)]).await?;
    let text = || match now["regions"].as_array() {
        None => one(&now),
        Some(regions) => weather_table("REGION", regions.iter(), |entry| cell(entry, "region")),
    };
    Ok(format.page(&now, text))
}

/// The weather to come.
pub(super) async fn forecast(
    rest: &Rest,
    format: Format,
    asked: ForecastArguments,
) -> Result<String> {
    let kind = asked.kind.to_possible_value().map(|kind| kind.get_name().to_owned());
    let query =
        [("region", Some(asked.region)), ("hours", Some(asked.hours.to_string())), ("kind", kind)];
    let forecast = rest.get("/api/weather/forecast", &query).await?;
    let text = || weather_table("GAME TIME", items(&forecast, "forecast"), game_time);
    Ok(format.page(&forecast, text))
}

/// The weather at another time.
pub(super) async fn at(rest: &Rest, format: Format, asked: AtArguments) -> Result<String> {
    let query = [("region", Some(asked.region)), ("game_time", asked.game_time)];
    let at = rest.get("/api/weather/at", &query).await?;
    Ok(format.page(&at, || one(&at)))
}

/// The weather over a stretch.
pub(super) async fn history(
    rest: &Rest,
    format: Format,
    asked: StretchArguments,
) -> Result<String> {
    let history = rest.get("/api/weather/history", &stretch(asked)).await?;
    let text = || weather_table("GAME TIME", items(&history, "entries"), game_time);
    Ok(format.page(&history, text))
}

/// The same in figures.
pub(super) async fn statistics(
    rest: &Rest,
    format: Format,
    asked: StretchArguments,
) -> Result<String> {
    let figures = rest.get("/api/weather/statistics", &stretch(asked)).await?;
    let text = || {
        let of = |key| figures[key].as_f64().unwrap_or(0.0);
        let range = ["temperature_min_c", "temperature_mean_c", "temperature_max_c"].map(of);
        let [least, mean, most] = range.map(|degrees| format!("{degrees:.1} °C"));
        let (wind, gust) = (of("wind_mean_mps"), of("wind_gust_max_mps"));
        let shares = figures["state_shares"].as_object().into_iter().flatten();
        let share = |(state, share): (&String, &Value)| {
            format!("{state} {:.1} %", share.as_f64().unwrap_or(0.0) * 100.0)
        };
        pairs(&[
            ("region", cell(&figures, "region")),
            ("instants", cell(&figures, "count")),
            ("temperature", format!("{least} to {most}, mean {mean}")),
            ("wind", format!("mean {wind:.1} m/s, gusts to {gust:.1} m/s")),
            ("rain", format!("mean {:.2} mm/h", of("precipitation_mean_mm_per_h"))),
            ("wet", format!("{:.1} %", of("wet_share") * 100.0)),
            ("states", shares.map(share).collect::<Vec<_>>().join(", ")),
        ])
    };
    Ok(format.page(&figures, text))
}

/// The regions of the world.
pub(super) async fn regions(rest: &Rest, format: Format) -> Result<String> {
    let regions = rest.get("/api/weather/regions", &[]).await?;
    let keys = ["id", "name", "latitude", "longitude", "elevation_m"];
    let heading = ["REGION", "NAME", "LATITUDE", "LONGITUDE", "ELEVATION, M"];
    let text = || table(&heading, &keys, items(&regions, "regions"), "no regions");
    Ok(format.page(&regions, text))
}

/// The alerts that are raised.
pub(super) async fn alerts(rest: &Rest, format: Format, asked: RegionArguments) -> Result<String> {
    let alerts = rest.get("/api/weather/alerts", &[("region", asked.region)]).await?;
    let keys = ["region", "severity", "state", "onset", "end", "alert_id"];
    let heading = ["REGION", "SEVERITY", "STATE", "ONSET", "END", "ALERT"];
    let text = || table(&heading, &keys, items(&alerts, "alerts"), "no alerts");
    Ok(format.page(&alerts, text))
}

/// What is forced.
pub(super) async fn overrides(rest: &Rest, format: Format) -> Result<String> {
    let log = rest.get("/api/weather/overrides", &[]).await?;
    let text = || {
        let heading = ["ID", "REGIONS", "EFFECT", "STATE", "BEGIN", "END", "ACTOR"];
        let mut rows = Table::new(&heading);
        for entry in items(&log, "overrides") {
            let or = |key, otherwise: &str| match cell(entry, key) {
                text if text.is_empty() => otherwise.to_owned(),
                text => text,
            };
            rows.row([
                cell(entry, "id"),
                or("regions", "(all)"),
                cell(entry, "kind"),
                cell(entry, "state"),
                cell(entry, "start"),
                or("end", "(until cleared)"),
                cell(entry, "actor"),
            ]);
        }
        if rows.is_empty() { "nothing is forced\n".to_owned() } else { rows.to_string() }
    };
    Ok(format.page(&log, text))
}

/// The weather of one region at one time.
pub(super) fn one(weather: &Value) -> String {
    let forced = if weather["forced"] == true { " (forced)" } else { "" };
    let [state, temperature, wind, gust, rain, cloud, visibility] = cells(weather);
    pairs(&[
        ("region", cell(weather, "region")),
        ("game time", format!("{} ({})", game_time(weather), cell(weather, "season"))),
        ("state", format!("{state}{forced}")),
        ("temperature", temperature),
        ("wind", format!("{wind}, gusts {gust}")),
        ("rain", rain),
        ("cloud", cloud),
        ("visibility", visibility),
        ("effective at", cell(weather, "effective_at")),
    ])
}

fn stretch(asked: StretchArguments) -> [(&'static str, Option<String>); 4] {
    [
        ("region", Some(asked.region)),
        ("from", Some(asked.from)),
        ("to", Some(asked.to)),
        ("step_hours", Some(asked.step_hours.to_string())),
    ]
}

fn game_time(entry: &Value) -> String {
    cell(entry, "game_time")
}

fn weather_table<'a>(
    first: &str,
    entries: impl Iterator<Item = &'a Value>,
    of: impl Fn(&Value) -> String,
) -> String {
    let mut table = Table::new(&[&[first][..], &COLUMNS[..]].concat());
    for entry in entries {
        table.row([of(entry)].into_iter().chain(cells(entry)));
    }
    table.to_string()
}

/// What stands in [`COLUMNS`].
fn cells(weather: &Value) -> [String; 7] {
    let of = |key| weather[key].as_f64().unwrap_or(0.0);
    [
        cell(weather, "state"),
        format!("{:.1} °C", of("temperature_c")),
        format!("{:.1} m/s", of("wind_speed_mps")),
        format!("{:.1} m/s", of("wind_gust_mps")),
        format!("{:.1} mm/h", of("precipitation_mm_per_h")),
        format!("{:.0} %", of("cloud_cover") * 100.0),
        format!("{} m", of("visibility_m")),
    ]
}

fn table<'a>(
    heading: &[&str],
    keys: &[&str],
    entries: impl Iterator<Item = &'a Value>,
    nothing: &str,
) -> String {
    let mut table = Table::new(heading);
    for entry in entries {
        table.row(keys.iter().map(|key| cell(entry, key)));
    }
    if table.is_empty() { format!("{nothing}\n") } else { table.to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn weather_of_a_region_has_usual_units_and_shows_that_it_is_forced() {
        let weather = json!({
            "region": "paris", "game_time": "2024-03-01T06:00:00", "season": "spring",
            "state": "storm", "forced": true, "temperature_c": -1.25, "wind_speed_mps": 20.0,
            "wind_gust_mps": 31.5, "precipitation_mm_per_h": 7.0, "cloud_cover": 1.0,
            "visibility_m": 900,
        });
        let shown = one(&weather);
        for part in ["storm (forced)", "-1.2 °C", "20.0 m/s, gusts 31.5 m/s", "100 %", "900 m"] {
            assert!(shown.contains(part), "`{part}` is not in: {shown}");
        }
        assert!(!shown.contains("effective at"), "{shown}");
    }
}
