//! What `worldbus time` shows: now, the clocks, the calendar, the sun, what was commanded.

use anyhow::Result;
use serde_json::Value;

use super::arguments::{CalendarArguments, SunArguments};
use super::common::Common;
use crate::output::table::{Table, cell, items, pairs};
use crate::session::rest::Rest;

/// What time it is.
pub(super) async fn now(rest: &Rest, common: &Common) -> Result<String> {
    let now = rest.get("/api/time/current", &[("clock", common.clock.clone())]).await?;
    Ok(common.format.page(&now, || time(&now)))
}

/// The clocks of the world.
pub(super) async fn clocks(rest: &Rest, common: &Common) -> Result<String> {
    let clocks = rest.get("/api/time/clocks", &[]).await?;
    let text = || {
        let mut table = Table::new(&["CLOCK", "TIME", "REAL SECONDS A GAME HOUR", "RUNNING"]);
        for clock in items(&clocks, "clocks") {
            let name = match cell(clock, "name") {
                name if name.is_empty() => "(the world's own)".to_owned(),
                name => name,
            };
            let speed = cell(clock, "real_seconds_per_game_hour");
            let running = if clock["running"] == true { "yes" } else { "no" };
            table.row([name, date_time(clock), speed, running.to_owned()]);
        }
        table.to_string()
    };
    Ok(common.format.page(&clocks, text))
}

/// What the calendar calls an instant, or what there is in it.
pub(super) async fn calendar(
    rest: &Rest,
    common: &Common,
    asked: CalendarArguments,
) -> Result<String> {
    let clock = ("clock", common.clock.clone());
    if asked.rules {
        let rules = rest.get("/api/time/calendar/rules", &[clock]).await?;
        return Ok(common.format.page(&rules, || format!("{rules:#}\n")));
    }
    let instant = rest.get("/api/time/calendar", &[("at", asked.at), clock]).await?;
    let text = || {
        let year = format!("{} of {}", cell(&instant, "day_of_year"), cell(&instant, "year_days"));
        let first = [
            ("calendar", cell(&instant, "calendar")),
            ("time", format!("{} ({})", cell(&instant, "date_time"), cell(&instant, "phase"))),
        ];
        let last = [("day of year", year), ("game minutes", cell(&instant, "total_minutes"))];
        pairs(&[&first[..], &names(&instant), &last].concat())
    };
    Ok(common.format.page(&instant, text))
}

/// The sun over a region.
pub(super) async fn sun(rest: &Rest, common: &Common, asked: SunArguments) -> Result<String> {
    let query = [("region", asked.region), ("clock", common.clock.clone())];
    let sun = rest.get("/api/time/sun", &query).await?;
    let text = || {
        let altitude = sun["sun_altitude_centidegrees"].as_f64().unwrap_or(0.0) / 100.0;
        let length_s = sun["day_length_s"].as_i64().unwrap_or(0);
        let rise = |key| match cell(&sun, key) {
            time if time.is_empty() => "not on this day".to_owned(),
            time => time,
        };
        pairs(&[
            ("region", cell(&sun, "region")),
            ("time", format!("{} ({})", cell(&sun, "date_time"), cell(&sun, "phase"))),
            ("altitude", format!("{altitude:.2}°")),
            ("sunrise", rise("sunrise")),
            ("noon", cell(&sun, "noon")),
            ("sunset", rise("sunset")),
            ("day length", format!("{} h {:02} min", length_s / 3600, length_s / 60 % 60)),
        ])
    };
    Ok(common.format.page(&sun, text))
}

/// The latest commands.
pub(super) async fn history(rest: &Rest, common: &Common) -> Result<String> {
    let history = rest.get("/api/time/history", &[("clock", common.clock.clone())]).await?;
    let text = || {
        let keys = ["effective_at", "date_time", "command", "detail", "actor", "reason"];
        let heading = ["EFFECTIVE", "GAME TIME", "COMMAND", "DETAIL", "ACTOR", "REASON"];
        let mut table = Table::new(&heading);
        for command in items(&history, "commands") {
            table.row(keys.map(|key| cell(command, key)));
        }
        if table.is_empty() { "no commands\n".to_owned() } else { table.to_string() }
    };
    Ok(common.format.page(&history, text))
}

/// The time of a clock, in words.
pub(super) fn time(now: &Value) -> String {
    let state = if now["running"] == true { "" } else { "; the clock is stopped" };
    let speed = cell(now, "real_seconds_per_game_hour");
    let first = [("time", format!("{} ({})", date_time(now), cell(now, "phase")))];
    let last = [
        ("speed", format!("a game hour takes {speed} s{state}")),
        ("effective at", cell(now, "effective_at")),
    ];
    pairs(&[&first[..], &names(now), &last].concat())
}

fn date_time(now: &Value) -> String {
    let second = now["second"].as_i64().unwrap_or(0);
    format!("{}T{}:{second:02}", cell(now, "date"), cell(now, "time_string"))
}

/// What a calendar calls the day.
fn names(now: &Value) -> [(&'static str, String); 4] {
    let day = [cell(now, "weekday"), cell(now, "day_name"), cell(now, "season_name")];
    let day: Vec<_> = day.into_iter().filter(|name| !name.is_empty()).collect();
    let era = match &now["era"] {
        Value::Null => String::new(),
        era => format!("{} {}", cell(era, "year"), cell(era, "name")),
    };
    let moon = |moon: &Value| {
        let phase = cell(moon, "phase").replace('_', " ");
        format!("{}: {phase}", cell(moon, "name"))
    };
    let moons: Vec<_> = items(now, "moons").map(moon).collect();
    let holidays: Vec<_> = items(now, "holidays").map(|day| cell(day, "name")).collect();
    [
        ("day", day.join(", ")),
        ("era", era),
        ("moons", moons.join(", ")),
        ("holidays", holidays.join(", ")),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn time_has_what_the_calendar_names_and_no_line_for_what_it_does_not() {
        let now = json!({
            "date": "2024-03-01", "time_string": "06:00", "second": 7, "phase": "dawn",
            "weekday": "Friday", "day_name": "1 March", "season_name": "Spring", "era": null,
            "moons": [{"name": "Moon", "phase": "waning_gibbous"}], "holidays": [],
            "real_seconds_per_game_hour": 25.0, "running": false,
        });
        assert_eq!(
            time(&now),
            "time          2024-03-01T06:00:07 (dawn)\n\
             day           Friday, 1 March, Spring\n\
             moons         Moon: waning gibbous\n\
             speed         a game hour takes 25.0 s; the clock is stopped\n"
        );
    }
}
